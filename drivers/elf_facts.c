#include "elf_facts.h"

#include "elf_dynamic.h"

enum { COUNT_MAX = 64 << 10 }; /* of each list: what a loader would never see */

MUST_CHECK static bool copy(struct view *out, struct arena *arena, struct view text,
			    struct err *err)
{
	const char *bytes = arena_copy(arena, text.ptr, text.len);

	if (!bytes)
		return err_memory(err, "what a library needs");
	*out = (struct view){ bytes, text.len };
	return true;
}

MUST_CHECK static bool copy_needed(struct elf_facts *facts, struct arena *arena,
				   const struct elf_dynamic *elf, struct err *err)
{
	size_t cursor = 0, count = 0;
	struct view name;

	while (count < COUNT_MAX && elf_dynamic_next_needed(elf, &cursor, &name))
		count++;
	struct view *needed = arena_take(arena, (count + 1) * sizeof(*needed));

	if (!needed)
		return err_memory(err, "what a library needs");
	cursor = 0;
	for (size_t i = 0; i < count && elf_dynamic_next_needed(elf, &cursor, &name); i++)
		if (!copy(&needed[i], arena, name, err))
			return false;
	facts->needed = needed;
	facts->needed_count = count;
	return true;
}

MUST_CHECK static bool copy_versions(struct elf_facts *facts, struct arena *arena,
				     const struct elf_dynamic *elf, struct err *err)
{
	struct elf_version_cursor cursor = { 0 };
	struct view file, version;
	size_t count = 0;
	bool is_weak = false;

	while (count < COUNT_MAX &&
	       elf_dynamic_next_version_needed(elf, &cursor, &file, &version, &is_weak))
		count++;
	struct elf_need *versions = arena_take(arena, (count + 1) * sizeof(*versions));

	if (!versions)
		return err_memory(err, "what a library needs");
	cursor = (struct elf_version_cursor){ 0 };
	for (size_t i = 0; i < count && elf_dynamic_next_version_needed(elf, &cursor, &file,
									&version, &is_weak);
	     i++) {
		struct elf_need *need = &versions[facts->version_count];

		if (is_weak)
			continue;
		if (!copy(&need->file, arena, file, err) ||
		    !copy(&need->version, arena, version, err))
			return false;
		facts->version_count++;
	}
	facts->versions = versions;
	return true;
}

MUST_CHECK static bool copy_defined(struct elf_facts *facts, struct arena *arena,
				    const struct elf_dynamic *elf, struct err *err)
{
	struct elf_version_cursor cursor = { 0 };
	struct view version;
	size_t count = 0;

	while (count < COUNT_MAX && elf_dynamic_next_version_defined(elf, &cursor, &version))
		count++;
	struct view *defined = arena_take(arena, (count + 1) * sizeof(*defined));

	if (!defined)
		return err_memory(err, "what a library needs");
	cursor = (struct elf_version_cursor){ 0 };
	for (size_t i = 0; i < count && elf_dynamic_next_version_defined(elf, &cursor, &version);
	     i++)
		if (!copy(&defined[i], arena, version, err))
			return false;
	facts->defined = defined;
	facts->defined_count = count;
	return true;
}

bool elf_facts_read(struct elf_facts *out, struct arena *arena, struct view bytes,
		    struct err *err)
{
	struct elf_facts facts = { 0 };
	struct elf_dynamic elf;
	struct err ignored = { 0 };

	if (!elf_dynamic_open(&elf, bytes, &ignored) || !elf.is_dynamic) {
		*out = facts;
		return true;
	}
	facts.is_dynamic = true;
	facts.is_64 = elf.is_64;
	facts.machine = elf.machine;
	if (!copy(&facts.soname, arena, elf.soname, err) ||
	    !copy(&facts.rpath, arena, elf.rpath, err) ||
	    !copy(&facts.runpath, arena, elf.runpath, err) ||
	    !copy_needed(&facts, arena, &elf, err) || !copy_versions(&facts, arena, &elf, err) ||
	    !copy_defined(&facts, arena, &elf, err))
		return false;
	*out = facts;
	return true;
}
