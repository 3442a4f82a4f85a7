#include "module_match.h"

#include <elf.h>

#include "base/bytes.h"
#include "base/le.h"
#include "modinfo.h"

enum {
	VERSION_BYTES = 64, /* an entry of __versions: u64 checksum, then the name */
	VERSION_NAME_AT = 8,
	NAMES_SHOWN = 5, /* of the symbols that do not fit */
	SENTENCE_PART_MAX = 400,
};

struct subject {
	const struct kernel *kernel;
	const struct export_table *loaded;
	struct finding_list *findings;
	struct elf elf;
	struct modinfo info;
	struct view name, vermagic;
	bool has_crcs, is_gpl;
	size_t crc_mismatches;
};

/* Symbols that do not fit, gathered into one sentence. */
struct names {
	struct bytes text;
	size_t count;
};

static void names_freep(struct names *names)
{
	bytes_freep(&names->text);
}

MUST_CHECK static bool names_add(struct names *names, struct view name, struct err *err)
{
	if (names->count++ >= NAMES_SHOWN)
		return true;
	return bytes_print(&names->text, err, "%s%.*s", names->text.len > 0 ? ", " : "",
			   (int)(name.len < 60 ? name.len : 60), name.ptr);
}

static const char *names_rest(const struct names *names)
{
	return names->count > NAMES_SHOWN ? ", …" : "";
}

static const struct export *find_symbol(const struct subject *subject, struct view name)
{
	const struct export *found = export_table_find(&subject->kernel->exports, name);

	return found ? found : export_table_find(subject->loaded, name);
}

/* include/linux/license.h */
static bool is_gpl_licence(struct view licence)
{
	static const char *const words[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (view_equal(licence, words[i]))
			return true;
	return false;
}

MUST_CHECK static bool open_subject(struct subject *subject, struct view module, struct err *err)
{
	struct elf_section versions;

	if (!elf_open(&subject->elf, module, err) || !modinfo_read(&subject->info, module, err))
		return false;
	subject->name = modinfo_get(&subject->info, "name");
	subject->vermagic = modinfo_get(&subject->info, "vermagic");
	subject->is_gpl = is_gpl_licence(modinfo_get(&subject->info, "license"));
	subject->has_crcs = elf_find(&subject->elf, "__versions", &versions) &&
			    versions.content.len >= VERSION_BYTES;
	if (subject->elf.type != ET_REL || subject->vermagic.len == 0)
		return err_set(err, ERR_FORMAT, "not a kernel module");
	return true;
}

/* __versions: what each symbol looked like when the module was built. */
MUST_CHECK static bool check_crcs(struct subject *subject, struct err *err)
{
	CLEANUP(names_freep) struct names wrong = { .text = bytes_capped(SENTENCE_PART_MAX) };
	struct elf_section versions = { 0 };
	bool is_good = true;

	if (!elf_find(&subject->elf, "__versions", &versions))
		return true;
	for (struct view rest = versions.content; is_good && rest.len >= VERSION_BYTES;
	     rest = view_from(rest, VERSION_BYTES)) {
		struct view name = { rest.ptr + VERSION_NAME_AT,
				     strnlen(rest.ptr + VERSION_NAME_AT,
					     VERSION_BYTES - VERSION_NAME_AT) };
		const struct export *found = find_symbol(subject, name);

		if (found && found->has_crc && found->crc != (uint32_t)le64_get(rest.ptr))
			is_good = names_add(&wrong, name, err);
	}
	subject->crc_mismatches = wrong.count;
	if (is_good && wrong.count > 0)
		is_good = finding_add(subject->findings, RULE_MODVERSIONS_CRC, SEVERITY_ERROR, err,
				      "%.*s was built against %zu symbols that kernel %s has in"
				      " another form: %s%s", VIEW_ARGS(subject->name), wrong.count,
				      subject->kernel->release, wrong.text.data,
				      names_rest(&wrong));
	return is_good;
}

MUST_CHECK static bool check_modversions(struct subject *subject, struct err *err)
{
	const struct kernel *kernel = subject->kernel;
	bool kernel_has_crcs = kernel->exports.count > 0 && kernel->exports.items[0].has_crc;

	if (subject->has_crcs && kernel->exports.count > 0 && !kernel_has_crcs)
		return true; /* the vermagic differs as well, and says it better */
	if (!subject->has_crcs && kernel_has_crcs)
		return finding_add(subject->findings, RULE_MODVERSIONS_CRC, SEVERITY_ERROR, err,
				   "%.*s has no symbol versions, but kernel %s checks them",
				   VIEW_ARGS(subject->name), kernel->release);
	return check_crcs(subject, err);
}

/* kernel/module/version.c, same_magic: with symbol versions the release does not count. */
MUST_CHECK static bool check_vermagic(struct subject *subject, struct err *err)
{
	struct view ours = subject->vermagic, theirs = subject->kernel->vermagic;
	struct view our_release = view_cut(&ours, ' ');
	const char *release = subject->kernel->release;
	bool is_excused = subject->has_crcs && subject->crc_mismatches == 0 &&
			  subject->kernel->exports.count > 0;

	if (!view_equal(our_release, release) &&
	    !finding_add(subject->findings, RULE_KERNEL_RELEASE,
			 is_excused ? SEVERITY_WARNING : SEVERITY_ERROR, err,
			 "%.*s was built for kernel %.*s, not for %s%s", VIEW_ARGS(subject->name),
			 VIEW_ARGS(our_release), release,
			 is_excused ? ", but every symbol version agrees" : ""))
		return false;
	if (theirs.len == 0)
		return finding_add(subject->findings, RULE_VERMAGIC, SEVERITY_UNKNOWN, err,
				   "kernel %s does not show its vermagic; %.*s has \"%.*s\"",
				   release, VIEW_ARGS(subject->name), VIEW_ARGS(subject->vermagic));
	view_cut(&theirs, ' ');
	if (view_same(ours, theirs) && subject->info.machine == subject->kernel->machine)
		return true;
	return finding_add(subject->findings, RULE_VERMAGIC, SEVERITY_ERROR, err,
			   "%.*s has vermagic \"%.*s\" (ELF machine %u), kernel %s has \"%.*s\""
			   " (%u)", VIEW_ARGS(subject->name), VIEW_ARGS(subject->vermagic),
			   subject->info.machine, release, VIEW_ARGS(subject->kernel->vermagic),
			   subject->kernel->machine);
}

/* The name of symbol number index when it must be found elsewhere, else empty. */
static struct view open_symbol(const struct elf_section *symbols, struct view names, size_t index)
{
	Elf64_Sym symbol;

	memcpy(&symbol, symbols->content.ptr + index * sizeof(symbol), sizeof(symbol));
	struct view rest = view_from(names, symbol.st_name);
	ptrdiff_t len = view_find(rest, '\0');
	struct view name = { rest.ptr, len > 0 ? (size_t)len : 0 };

	if (symbol.st_shndx != SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) == STB_WEAK ||
	    view_equal(name, "_GLOBAL_OFFSET_TABLE_")) /* the loader passes over it on x86 */
		return (struct view){ 0 };
	return name;
}

MUST_CHECK static bool sort_out_symbols(const struct subject *subject, struct names *missing,
					struct names *forbidden, struct err *err)
{
	struct elf_section symbols = { 0 };
	struct view names = { 0 };

	if (!elf_find(&subject->elf, ".symtab", &symbols) ||
	    symbols.link >= subject->elf.section_count)
		return err_set(err, ERR_FORMAT, "module %.*s has no symbols",
			       VIEW_ARGS(subject->name));
	names = elf_section_at(&subject->elf, symbols.link).content;
	for (size_t i = 0; i < symbols.content.len / sizeof(Elf64_Sym); i++) {
		struct view name = open_symbol(&symbols, names, i);
		const struct export *found = name.len > 0 ? find_symbol(subject, name) : NULL;

		if (name.len > 0 && !found && !names_add(missing, name, err))
			return false;
		if (found && found->is_gpl && !subject->is_gpl && !names_add(forbidden, name, err))
			return false;
	}
	return true;
}

MUST_CHECK static bool report_symbols(struct subject *subject, const struct names *missing,
				      const struct names *forbidden, struct err *err)
{
	if (missing->count > 0 &&
	    !finding_add(subject->findings, RULE_UNDEFINED_SYMBOL, SEVERITY_ERROR, err,
			 "%.*s needs %zu symbols that neither kernel %s nor a module before it"
			 " exports: %s%s", VIEW_ARGS(subject->name), missing->count,
			 subject->kernel->release, missing->text.data, names_rest(missing)))
		return false;
	return forbidden->count == 0 ||
	       finding_add(subject->findings, RULE_UNDEFINED_SYMBOL, SEVERITY_ERROR, err,
			   "%.*s is not under the GPL and needs %zu symbols that kernel %s gives to"
			   " GPL modules only: %s%s", VIEW_ARGS(subject->name), forbidden->count,
			   subject->kernel->release, forbidden->text.data, names_rest(forbidden));
}

MUST_CHECK static bool check_symbols(struct subject *subject, struct err *err)
{
	CLEANUP(names_freep) struct names missing = { .text = bytes_capped(SENTENCE_PART_MAX) };
	CLEANUP(names_freep) struct names forbidden = { .text = bytes_capped(SENTENCE_PART_MAX) };

	if (subject->kernel->exports.count == 0)
		return finding_add(subject->findings, RULE_UNDEFINED_SYMBOL, SEVERITY_UNKNOWN, err,
				   "kernel %s has no table of its symbols; give its Module.symvers",
				   subject->kernel->release);
	return sort_out_symbols(subject, &missing, &forbidden, err) &&
	       report_symbols(subject, &missing, &forbidden, err);
}

/* kernel/module/signing.c: the mark stands at the very end of the file. */
MUST_CHECK static bool check_signature(struct subject *subject, struct view module,
				       struct err *err)
{
	if (kernel_option(subject->kernel, "CONFIG_MODULE_SIG_FORCE") != OPTION_ON ||
	    view_ends(module, "~Module signature appended~\n"))
		return true;
	return finding_add(subject->findings, RULE_MODULE_SIGNATURE, SEVERITY_ERROR, err,
			   "%.*s is not signed, and kernel %s loads signed modules only",
			   VIEW_ARGS(subject->name), subject->kernel->release);
}

bool module_match(struct finding_list *findings, const struct kernel *kernel,
		  const struct export_table *loaded, struct view module, struct err *err)
{
	struct subject subject = { .kernel = kernel, .loaded = loaded, .findings = findings };

	return open_subject(&subject, module, err) && check_modversions(&subject, err) &&
	       check_vermagic(&subject, err) && check_symbols(&subject, err) &&
	       check_signature(&subject, module, err);
}

bool module_match_kernel(struct finding_list *findings, const struct kernel *kernel,
			 struct err *err)
{
	enum kernel_option modules = kernel_option(kernel, "CONFIG_MODULES");

	/* Exported symbols are there for modules alone. */
	if (modules == OPTION_ON || (modules == OPTION_UNKNOWN && kernel->exports.count > 0))
		return true;
	if (modules == OPTION_OFF)
		return finding_add(
			findings, RULE_KERNEL_CONFIG, SEVERITY_ERROR, err,
			"kernel %s is built without CONFIG_MODULES: it can load no driver",
			kernel->release);
	return finding_add(findings, RULE_KERNEL_CONFIG, SEVERITY_UNKNOWN, err,
			   "kernel %s does not tell its configuration", kernel->release);
}
