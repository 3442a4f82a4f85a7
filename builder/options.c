#include "options.h"

#include <stddef.h>
#include <unistd.h>

#include "base/view.h"

enum option_kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST, /* may be given several times */
	KIND_SIZE, /* N[KMGT], powers of 1,024 */
	KIND_FREE, /* N% or a size */
	KIND_JOURNAL, /* "none" or a size */
	KIND_COUNT, /* 1 to 1,024 */
	KIND_NUMBER, /* 1 to 2^32-1 */
	KIND_NUMBER_OR_NONE, /* 0 to 2^32-1 */
	KIND_PROGRESS,
};

#define ON(command) (1u << (command))
#define EVERYWHERE ~0u
#define ON_IMAGE (ON(COMMAND_BUILD) | ON(COMMAND_INSPECT) | ON(COMMAND_DRIVER_IMPORT))
#define ON_FETCH (ON(COMMAND_BUILD) | ON(COMMAND_DRIVER_IMPORT))
#define ON_STORE                                                                       \
	(ON(COMMAND_BUILD) | ON(COMMAND_DRIVER_IMPORT) |          \
	 ON(COMMAND_DRIVER_LIST) | ON(COMMAND_DRIVER_INSPECT) | ON(COMMAND_DRIVER_RM) | \
	 ON(COMMAND_VERIFY))
#define ON_CHECK (ON(COMMAND_BUILD) | ON(COMMAND_VERIFY))
#define ON_KERNEL (ON_CHECK | ON(COMMAND_DRIVER_IMPORT))

struct option_row {
	const char *name;
	char letter; /* or 0 */
	enum option_kind kind;
	unsigned commands; /* ON(…) of each that takes it */
	size_t offset; /* in struct options */
	const char *value; /* as help shows it */
	const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "output", 'o', KIND_TEXT, ON(COMMAND_BUILD) | ON(COMMAND_INITRD), FIELD(output), "FILE",
	  "write here; build: or to a block device (default is the store's images/)" },
	{ "force", 0, KIND_FLAG, ON(COMMAND_BUILD), FIELD(force), NULL,
	  "overwrite what is on the block device that --output names" },
	{ "platform", 0, KIND_TEXT, ON_IMAGE, FIELD(platform),
	  "OS/ARCH[/VARIANT]", "which image of an index (default: linux on this machine's)" },
	{ "size", 0, KIND_SIZE, ON(COMMAND_BUILD), FIELD(size_bytes), "N[KMGT]",
	  "size of the whole image (default: content and free space)" },
	{ "free", 0, KIND_FREE, ON(COMMAND_BUILD), FIELD(free), "N[KMGT]|N%",
	  "free space in the image (default: 25% or 1G, whichever is more)" },
	{ "journal", 0, KIND_JOURNAL, ON(COMMAND_BUILD), FIELD(journal), "N[KMGT]|none",
	  "size of the journal (default: as mke2fs would)" },
	{ "inodes", 0, KIND_NUMBER, ON(COMMAND_BUILD), FIELD(inode_count), "N",
	  "inodes in all (default: a quarter to spare, at least one for each 16K free)" },
	{ "label", 0, KIND_TEXT, ON(COMMAND_BUILD), FIELD(label), "TEXT",
	  "name of the file system, up to 16 bytes (default: none)" },
	{ "read-only-fs", 0, KIND_FLAG, ON(COMMAND_BUILD), FIELD(read_only_fs), NULL,
	  "for many machines that only read it: no journal, no free space" },
	{ "verity", 0, KIND_FLAG, ON(COMMAND_BUILD), FIELD(verity), NULL,
	  "put a dm-verity hash tree behind it, and print its root hash" },
	{ "modules", 0, KIND_TEXT, ON(COMMAND_INITRD), FIELD(modules), "DIR",
	  "the guest kernel's modules, as /lib/modules/RELEASE" },
	{ "load", 0, KIND_LIST, ON(COMMAND_INITRD), FIELD(loads), "NAME",
	  "one more module to pack and load; may be repeated" },
	{ "driver", 0, KIND_TEXT, ON(COMMAND_BUILD), FIELD(driver.driver),
	  "auto|none|VERSION|NAME|DIR",
	  "which imported NVIDIA driver (default: auto, the newest that fits)" },
	{ "kernel", 0, KIND_TEXT, ON_KERNEL, FIELD(driver.kernel), "FILE",
	  "the guest's kernel: vmlinux, bzImage or Image" },
	{ "kernel-release", 0, KIND_TEXT, ON_CHECK, FIELD(driver.kernel_release),
	  "RELEASE", "the guest kernel's release, where its file is not at hand" },
	{ "kernel-config", 0, KIND_TEXT, ON_KERNEL, FIELD(driver.kernel_config), "FILE",
	  "its configuration (default: the kernel's own, or config-RELEASE beside it)" },
	{ "gpu-id", 0, KIND_TEXT, ON_CHECK, FIELD(driver.gpu_id),
	  "10de:XXXX", "the GPU's PCI id, to check the driver against" },
	{ "gpu", 0, KIND_TEXT, ON(COMMAND_BUILD), FIELD(driver.gpu_policy),
	  "none|optional|required",
	  "what a machine without a working GPU does (default: optional)" },
	{ "gpu-class", 0, KIND_TEXT, ON_CHECK, FIELD(driver.gpu_class),
	  "datacenter|consumer",
	  "datacenter: CUDA's compat package may stand in for a newer driver" },
	{ "capabilities", 0, KIND_TEXT, ON(COMMAND_BUILD), FIELD(driver.capabilities), "LIST",
	  "parts of the driver, as NVIDIA_DRIVER_CAPABILITIES (default: the image's)" },
	{ "keep-leftovers", 0, KIND_FLAG, ON_CHECK, FIELD(driver.keep_leftovers), NULL,
	  "leave another driver's files in the image" },
	{ "allow-musl", 0, KIND_FLAG, ON(COMMAND_BUILD), FIELD(driver.allow_musl), NULL,
	  "put a driver into an image whose C library cannot run it" },
	{ "modules", 0, KIND_LIST, ON(COMMAND_DRIVER_IMPORT), FIELD(module_folders), "DIR",
	  "the driver's kernel modules, one release's or several; may be repeated" },
	{ "kernel-modules", 0, KIND_LIST, ON(COMMAND_DRIVER_IMPORT), FIELD(kernel_module_folders),
	  "DIR", "the kernel's own modules that those depend on, as /lib/modules/RELEASE" },
	{ "plain-http", 0, KIND_FLAG, ON_IMAGE, FIELD(plain_http), NULL,
	  "allow HTTP without TLS to registries off this machine" },
	{ "keep-blobs", 0, KIND_FLAG, ON_FETCH, FIELD(keep_blobs), NULL,
	  "keep compressed layers in the store once they are unpacked" },
	{ "jobs", 'j', KIND_COUNT, ON_FETCH | ON(COMMAND_VERIFY), FIELD(jobs), "N",
	  "layers and copies at a time (default: one a core)" },
	{ "retry", 0, KIND_NUMBER_OR_NONE, ON_IMAGE, FIELD(retries), "N",
	  "attempts in a row that bring nothing new before giving up (default: 5)" },
	{ "blob-connections", 0, KIND_COUNT, ON_FETCH, FIELD(blob_connections), "N",
	  "connections at a time for one large layer (default: 4)" },
	{ "creds", 0, KIND_TEXT, ON_IMAGE, FIELD(credentials),
	  "USER:PASSWORD", "log in so (default: as skopeo, podman or docker did)" },
	{ "authfile", 0, KIND_TEXT, ON_IMAGE, FIELD(auth_file),
	  "FILE", "the one file to look for credentials in" },
	{ "hosts-dir", 0, KIND_TEXT, ON_IMAGE, FIELD(hosts_dir),
	  "DIR", "mirrors and certificates (default: /etc/containerd/certs.d)" },
	{ "policy", 0, KIND_TEXT, ON_IMAGE, FIELD(policy), "FILE",
	  "which images must be signed (default: containers/policy.json)" },
	{ "max-entries", 0, KIND_NUMBER, ON_FETCH, FIELD(max_entries), "N",
	  "refuse images of more entries (default: 10000000)" },
	{ "max-bytes", 0, KIND_SIZE, ON_FETCH, FIELD(max_bytes), "N[KMGT]",
	  "refuse images whose files are larger in all (default: 1T)" },
	{ "max-ratio", 0, KIND_NUMBER, ON_FETCH, FIELD(max_ratio), "N",
	  "refuse layers that inflate to more times their size (default: 10000)" },
	{ "max-path", 0, KIND_NUMBER, ON_FETCH, FIELD(max_path), "N",
	  "refuse longer paths in layers, in bytes (default, and the most Linux has: 4095)" },
	{ "max-header", 0, KIND_SIZE, ON_FETCH, FIELD(max_header), "N[KMGT]",
	  "refuse longer PAX headers and names in layers (default: 1M)" },
	{ "max-xattrs", 0, KIND_SIZE, ON_FETCH, FIELD(max_xattrs), "N[KMGT]",
	  "refuse files with larger xattrs in layers (default: 256K)" },
	{ "lock-timeout", 0, KIND_NUMBER_OR_NONE, ON_STORE, FIELD(lock_timeout_seconds),
	  "SECONDS", "how long to wait for another vmbake's work (default: for ever)" },
	{ "store", 0, KIND_TEXT, ON_STORE, FIELD(store), "DIR",
	  "where layers are kept (default: $VMBAKE_STORE, /var/lib/vmbake, ~/.cache/vmbake)" },
	{ "json", 0, KIND_FLAG, EVERYWHERE, FIELD(json), NULL,
	  "print the result, or the error, as one JSON object" },
	{ "progress", 0, KIND_PROGRESS, ON_FETCH, FIELD(progress), "STYLE",
	  "auto, tty, plain, json or none (default: auto)" },
	{ "help", 'h', KIND_FLAG, EVERYWHERE, FIELD(wants_help), NULL, "print this" },
	{ "version", 'V', KIND_FLAG, ON(COMMAND_NONE), FIELD(wants_version), NULL,
	  "print the version" },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct command_row {
	const char *name, *operands, *help;
	size_t operand_min, operand_max;
} commands[COMMAND_COUNT] = {
	[COMMAND_BUILD] = { "build", "IMAGE",
			    "turn a container image into an ext4 image that boots", 1, 1 },
	[COMMAND_INSPECT] = { "inspect", "FILE.ext4|IMAGE",
			      "say what is in it and where it is from", 1, 1 },
	[COMMAND_INITRD] = { "initrd", "", "pack the modules that a kernel needs to find its root",
			     0, 0 },
	[COMMAND_DRIVER_IMPORT] = { "driver import", "SOURCE...",
				    "make a bundle of a driver and its kernel modules", 1,
				    OPTION_LIST_MAX },
	[COMMAND_DRIVER_LIST] = { "driver list", "", "the bundles in the store", 0, 0 },
	[COMMAND_DRIVER_INSPECT] = { "driver inspect", "BUNDLE", "what is in a bundle", 1, 1 },
	[COMMAND_VERIFY] = { "verify", "FILE.ext4",
			     "check an image and its driver, before a machine has to", 1, 1 },
	[COMMAND_DRIVER_RM] = { "driver rm", "BUNDLE...", "remove bundles from the store", 1,
				OPTION_LIST_MAX },
};

static void *field(struct options *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

MUST_CHECK static bool parse_size(struct view text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit = text.len > 0 ? strchr(units, text.ptr[text.len - 1]) : NULL;
	unsigned shift = 0;

	if (unit && *unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		text.len--;
	}
	if (!view_number(text, 10, UINT64_MAX >> shift, out))
		return false;
	*out <<= shift;
	return true;
}

MUST_CHECK static bool parse_free(struct view text, struct free_space *out)
{
	*out = (struct free_space){ .is_given = true, .is_percent = view_ends(text, "%") };
	if (!out->is_percent)
		return parse_size(text, &out->amount);
	text.len--;
	return view_number(text, 10, 10000, &out->amount);
}

MUST_CHECK static bool parse_journal(struct view text, struct journal_choice *out)
{
	*out = (struct journal_choice){ .is_none = view_equal(text, "none") };
	return out->is_none || (parse_size(text, &out->bytes) && out->bytes > 0);
}

MUST_CHECK static bool parse_progress(struct view text, enum progress_style *out)
{
	static const char *const names[] = { "auto", "tty", "plain", "json", "none" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!view_equal(text, names[i]))
			continue;
		*out = (enum progress_style)i;
		return true;
	}
	return false;
}

MUST_CHECK static bool add_item(struct option_list *list, const char *item, struct err *err)
{
	if (list->count == OPTION_LIST_MAX)
		return err_set(err, ERR_USAGE, "more than %d of one kind", OPTION_LIST_MAX);
	list->items[list->count++] = item;
	return true;
}

MUST_CHECK static bool set_value(struct options *options, const struct option_row *row,
				 const char *value, struct err *err)
{
	struct view text = view_of(value);
	bool ok = true;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)field(options, row) = true;
		break;
	case KIND_TEXT:
		*(const char **)field(options, row) = value;
		ok = text.len > 0;
		break;
	case KIND_LIST:
		return add_item(field(options, row), value, err);
	case KIND_SIZE:
		ok = parse_size(text, field(options, row));
		break;
	case KIND_JOURNAL:
		ok = parse_journal(text, field(options, row));
		break;
	case KIND_FREE:
		ok = parse_free(text, field(options, row));
		break;
	case KIND_COUNT:
		ok = view_number(text, 10, 1024, field(options, row)) &&
		     *(uint64_t *)field(options, row) > 0;
		break;
	case KIND_NUMBER:
		ok = view_number(text, 10, UINT32_MAX, field(options, row)) &&
		     *(uint64_t *)field(options, row) > 0;
		break;
	case KIND_NUMBER_OR_NONE:
		ok = view_number(text, 10, UINT32_MAX, field(options, row));
		break;
	case KIND_PROGRESS:
		ok = parse_progress(text, field(options, row));
		break;
	}
	return ok || err_set(err, ERR_USAGE, "--%s: \"%s\" is no %s", row->name, value, row->value);
}

static const struct option_row *find_row(struct view name, enum command command)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if ((rows[i].commands & ON(command)) != 0 &&
		    (name.len == 1 ? rows[i].letter == name.ptr[0]
				   : view_equal(name, rows[i].name)))
			return &rows[i];
	return NULL;
}

/* The words in front of us; options may take the next one as their value. */
struct words {
	const char *const *next, *const *end;
};

/* An option as it stands: "--name", "--name=value", "-n" or "-nvalue". value.ptr is NULL without.
 */
struct given {
	struct view name, value;
};

static struct given split_option(const char *word)
{
	struct given given = { .value = view_of(word + 1) };

	if (word[1] != '-') {
		given.name = (struct view){ word + 1, 1 };
		given.value = given.value.len > 1 ? view_from(given.value, 1) : (struct view){ 0 };
		return given;
	}
	given.value = view_of(word + 2);
	given.name = view_cut(&given.value, '=');
	if (given.name.len < 2) /* "--o" is not "-o" */
		given.name = (struct view){ 0 };
	return given;
}

MUST_CHECK static bool unknown_option(const struct options *options, const char *word,
				      struct err *err)
{
	const char *command = commands[options->command].name;

	return err_set(err, ERR_USAGE, "unknown option %s (see vmbake%s%s --help)", word,
		       command ? " " : "", command ? command : "");
}

MUST_CHECK static bool take_option(struct options *options, struct words *words, struct err *err)
{
	const char *word = *words->next++;
	struct given given = split_option(word);
	const struct option_row *row = find_row(given.name, options->command);

	if (!row)
		return unknown_option(options, word, err);
	if (row->kind == KIND_FLAG && given.value.ptr)
		return err_set(err, ERR_USAGE, "--%s takes no value", row->name);
	if (row->kind == KIND_FLAG)
		return set_value(options, row, "", err);
	if (!given.value.ptr && words->next == words->end)
		return err_set(err, ERR_USAGE, "--%s needs a value: %s", row->name, row->value);
	return set_value(options, row, given.value.ptr ? given.value.ptr : *words->next++, err);
}

MUST_CHECK static bool take_word(struct options *options, struct words *words, struct err *err)
{
	const char *word = *words->next++;
	const char *second = words->next < words->end ? *words->next : "";
	bool is_family = false;

	if (options->command != COMMAND_NONE)
		return add_item(&options->operands, word, err);
	for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
		struct view rest = view_of(commands[i].name);
		struct view first = view_cut(&rest, ' ');

		if (!view_equal(first, word))
			continue;
		is_family = rest.ptr != NULL;
		if (is_family && !view_equal(rest, second))
			continue;
		words->next += is_family;
		options->command = (enum command)i;
		return true;
	}
	if (is_family)
		return err_set(err, ERR_USAGE, "%s needs import, list, inspect or rm behind it%s%s"
			       " (see vmbake --help)", word, *second ? ", not " : "", second);
	return err_set(err, ERR_USAGE, "unknown command %s (see vmbake --help)", word);
}

MUST_CHECK static bool check_operands(const struct options *options, struct err *err)
{
	const struct command_row *row = &commands[options->command];

	if (options->wants_help || options->wants_version)
		return true;
	if (options->command == COMMAND_NONE)
		return err_set(err, ERR_USAGE, "no command given (see vmbake --help)");
	if (options->operands.count < row->operand_min)
		return err_set(err, ERR_USAGE, "%s needs %s (see vmbake %s --help)", row->name,
			       row->operands, row->name);
	if (options->operands.count > row->operand_max)
		return err_set(err, ERR_USAGE, "%s: one word too many: %s", row->name,
			       options->operands.items[row->operand_max]);
	return true;
}

static uint64_t core_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > 1024 ? 1024 : (uint64_t)cores;
}

bool options_parse(struct options *out, int argc, const char *const *argv, struct err *err)
{
	struct options options = { .jobs = core_count(),
				   .retries = 5,
				   .lock_timeout_seconds = UINT64_MAX };
	struct words words = { argv + (argc > 0), argv + argc };
	bool has_options = true;

	while (words.next < words.end) {
		const char *word = *words.next;
		bool is_option = has_options && word[0] == '-' && word[1] != '\0';

		if (is_option && strcmp(word, "--") == 0) {
			has_options = false;
			words.next++;
		} else if (is_option ? !take_option(&options, &words, err) :
				       !take_word(&options, &words, err)) {
			return false;
		}
	}
	if (!check_operands(&options, err))
		return false;
	*out = options;
	return true;
}

int64_t options_lock_timeout_ms(const struct options *options)
{
	return options->lock_timeout_seconds == UINT64_MAX ?
		       -1 :
		       (int64_t)options->lock_timeout_seconds * 1000;
}

static void print_row(FILE *stream, const struct option_row *row)
{
	char letter[8] = "", left[64];

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	fprintf(stream, "  %-30s %s\n", left, row->help);
}

void options_print_help(FILE *stream, enum command command)
{
	const struct command_row *row = &commands[command];

	if (command == COMMAND_NONE) {
		fputs("vmbake turns container images into ext4 images that microVMs boot.\n\n"
		      "usage: vmbake COMMAND [OPTIONS] [OPERANDS]\n\ncommands:\n", stream);
		for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
			fprintf(stream, "  %-15s %-16s %s\n", commands[i].name,
				commands[i].operands, commands[i].help);
	} else {
		fprintf(stream, "vmbake %s: %s\n\nusage: vmbake %s [OPTIONS] %s\n", row->name,
			row->help, row->name, row->operands);
	}
	fprintf(stream, "\noptions:\n");
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].commands & ON(command))
			print_row(stream, &rows[i]);
	if (command == COMMAND_NONE)
		fprintf(stream, "\nvmbake COMMAND --help says more of one command.\n");
	if (command == COMMAND_BUILD)
		fputs("\nIMAGE is registry/name[:tag][@digest], docker://…, oci:DIR[:TAG],\n"
		      "oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG].\n",
		      stream);
}
