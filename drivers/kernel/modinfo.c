#include "modinfo.h"

#include "drivers/elf/elf.h"

bool modinfo_read(struct modinfo *out, struct view module, struct err *err)
{
	struct elf elf;
	struct elf_section section;

	if (!elf_open(&elf, module, err))
		return false;
	if (!elf_find(&elf, ".modinfo", &section))
		return err_set(err, ERR_FORMAT, "not a kernel module: it has no .modinfo");
	*out = (struct modinfo){ .text = section.content, .machine = elf.machine };
	return true;
}

struct view modinfo_get(const struct modinfo *info, const char *key)
{
	struct view rest = info->text, value = { 0 };

	return modinfo_next(&rest, key, &value) ? value : (struct view){ 0 };
}

bool modinfo_next(struct view *rest, const char *key, struct view *value)
{
	while (rest->len > 0) {
		struct view text = view_cut(rest, '\0');
		ptrdiff_t equals = view_find(text, '=');

		if (equals < 0 || !view_equal((struct view){ text.ptr, (size_t)equals }, key))
			continue;
		*value = (struct view){ text.ptr + equals + 1, text.len - (size_t)equals - 1 };
		return true;
	}
	return false;
}

bool modinfo_is_name(struct view name, const char *folded)
{
	if (name.len != strlen(folded))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((name.ptr[i] == '-' ? '_' : name.ptr[i]) != folded[i])
			return false;
	return true;
}
