#include "needed.h"

#include <elf.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "loader.h"
#include "needed_lack.h"

#define CACHE_PATH "/etc/ld.so.cache"

enum {
	CACHE_BYTES_MAX = 64 << 20, /* a desktop's has 150 KB */
	LOADERS_MAX = 8,	    /* machines among the subjects */
	LOADED_MAX = 1024,	    /* libraries of one subject; a desktop program has 200 */
	PATHS_BYTES_MAX = 256 << 20,
	LOOKUPS_MAX = 1000 * 1000, /* names and versions in all; a driver has 5,000 */
};

struct check {
	struct image_files files;
	struct library_table table;
	struct ldcache cache; /* points into cache_bytes */
	struct bytes cache_bytes;
	struct loader loaders[LOADERS_MAX]; /* loaders[loader_count] */
	size_t loader_count;
	struct loaded *loaded; /* loaded[loaded_count], of one subject, breadth first; owned */
	size_t loaded_count;
	size_t lookup_count;
	struct lack_list lacks;
};

static void check_freep(struct check *check)
{
	free(check->loaded);
	lack_list_freep(&check->lacks);
	ldcache_freep(&check->cache);
	bytes_freep(&check->cache_bytes);
	library_table_freep(&check->table);
}

MUST_CHECK static bool read_cache(struct check *check, struct err *err)
{
	uint32_t inode = image_find(&check->files, TREE_ROOT, view_of(CACHE_PATH));

	if (image_file_bytes(&check->files, inode) == 0)
		return true;
	return (image_slurp(&check->files, inode, &check->cache_bytes, err) &&
		ldcache_read(&check->cache, bytes_view(&check->cache_bytes), err)) ||
	       err_wrap(err, CACHE_PATH " of the image");
}

/* The loader of such files; opened when it is first asked for. */
MUST_CHECK static bool loader_of(struct check *check, const struct library *library,
				 const struct loader **out, struct err *err)
{
	size_t i = 0;

	while (i < check->loader_count && (check->loaders[i].is_64 != library->is_64 ||
					   check->loaders[i].machine != library->machine))
		i++;
	if (i == LOADERS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "a driver for over %d kinds of machines",
			       LOADERS_MAX);
	if (i == check->loader_count) {
		if (!loader_open(&check->loaders[i], &check->table, &check->cache, library->is_64,
				 library->machine, err))
			return false;
		check->loader_count++;
	}
	*out = &check->loaders[i];
	return true;
}

/* One subject, while its libraries are looked at. */
struct subject {
	const struct loader *loader;
	bool is_error; /* what it lacks */
};

MUST_CHECK static bool add_lack(struct check *check, const struct subject *subject,
				enum lack_kind kind, const char *name, const char *detail,
				const char *needer, struct err *err)
{
	const struct lack lack = { .kind = kind,
				   .loader = subject->loader,
				   .name = name,
				   .detail = detail,
				   .is_error = subject->is_error };

	return lack_add(&check->lacks, &lack, needer, err);
}

/* What comes with glibc: where that is lacking, nothing more is said of these. */
static bool is_of_glibc(const char *name)
{
	static const char *const names[] = {
		"libc.so.6",
		"libm.so.6",
		"libdl.so.2",
		"libpthread.so.0",
		"librt.so.1",
		"libutil.so.1",
		"libanl.so.1",
		"libresolv.so.2",
		"libmvec.so.1",
		"libthread_db.so.1",
		"libnsl.so.1",
		"libBrokenLocale.so.1",
		"libc_malloc_debug.so.0",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "ld-linux", strlen("ld-linux")) == 0;
}

static const char *asked_name(const struct loaded *loaded)
{
	return loaded->asked_name ? loaded->asked_name : "";
}

/* What was loaded under that name, or says that this is its own. */
static const struct loaded *find_loaded(const struct check *check, const char *name)
{
	for (size_t i = 0; i < check->loaded_count; i++) {
		const struct loaded *loaded = &check->loaded[i];

		if (strcmp(asked_name(loaded), name) == 0 ||
		    (loaded->library->soname && strcmp(loaded->library->soname, name) == 0))
			return loaded;
	}
	return NULL;
}

MUST_CHECK static bool push(struct check *check, const struct loaded *loaded, struct err *err)
{
	if (check->loaded_count == LOADED_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s needs over %d libraries",
			       check->loaded[0].path, LOADED_MAX);
	check->loaded[check->loaded_count++] = *loaded;
	return true;
}

MUST_CHECK static bool count_lookup(struct check *check, struct err *err)
{
	return ++check->lookup_count <= LOOKUPS_MAX ||
	       err_set(err, ERR_UNSUPPORTED, "the driver's libraries need absurdly many others");
}

/* A path that outlives the search. */
MUST_CHECK static bool keep_path(struct check *check, const char *path, const char **out,
				 struct err *err)
{
	if (check->table.arena.total_bytes > PATHS_BYTES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "the driver's libraries have too long paths");
	*out = arena_copy(&check->table.arena, path, strlen(path));
	return *out ? true : err_memory(err, "a library's path");
}

MUST_CHECK static bool load(struct check *check, const struct subject *subject,
			    const struct loaded *by, const char *name, struct err *err)
{
	struct loader_found found;
	const char *path = NULL;

	if (!count_lookup(check, err))
		return false;
	if (subject->loader->libc != LOADER_GLIBC && is_of_glibc(name))
		return add_lack(check, subject, LACK_GLIBC, name, NULL, by->path, err);
	if (find_loaded(check, name))
		return true;
	if (!loader_find(subject->loader, name, by, &found, err))
		return false;
	switch (found.answer) {
	case LOADER_ITSELF:
		return true;
	case LOADER_MISSING:
		return add_lack(check, subject, LACK_LIBRARY, name, NULL, by->path, err);
	case LOADER_REFUSES:
		return keep_path(check, found.path, &path, err) &&
		       add_lack(check, subject, LACK_GOOD_LIBRARY, path, found.reason, by->path,
				err);
	case LOADER_FOUND:
		break;
	}
	return keep_path(check, found.path, &path, err) &&
	       push(check, &(struct loaded){ found.library, path, by, name }, err);
}

/* ld.so takes a library without any versions for what it is asked for. */
static bool has_version(const struct library *library, const struct library_version *version)
{
	for (size_t i = 0; i < library->versions_defined_count; i++) {
		const struct library_version *defined = &library->versions_defined[i];

		if (defined->hash == version->hash && strcmp(defined->name, version->name) == 0)
			return true;
	}
	return library->versions_defined_count == 0;
}

MUST_CHECK static bool check_versions(struct check *check, const struct subject *subject,
				      const struct loaded *needer, struct err *err)
{
	const struct library *library = needer->library;

	for (size_t i = 0; i < library->versions_needed_count; i++) {
		const struct library_version *version = &library->versions_needed[i];
		const struct loaded *provider = find_loaded(check, version->file);

		if (!count_lookup(check, err))
			return false;
		/* One that is missing was found out before. */
		if (version->is_weak || !provider || has_version(provider->library, version))
			continue;
		bool is_glibc = strncmp(version->name, "GLIBC_", strlen("GLIBC_")) == 0;

		if (!add_lack(check, subject, is_glibc ? LACK_GLIBC_VERSION : LACK_VERSION,
			      is_glibc ? version->file : provider->path, version->name,
			      needer->path, err))
			return false;
	}
	return true;
}

/* Without a glibc, its loader's absence is not worth a word. */
MUST_CHECK static bool check_interpreter(struct check *check, const struct subject *subject,
					 const struct loaded *program, struct err *err)
{
	const char *name = program->library->interpreter;

	if (!name || subject->loader->libc == LOADER_NO_LIBC ||
	    image_is_file(&check->files, image_find(&check->files, TREE_ROOT, view_of(name))))
		return true;
	return add_lack(check, subject, LACK_INTERPRETER, name, NULL, program->path, err);
}

MUST_CHECK static bool check_loaded(struct check *check, const struct subject *subject,
				    struct err *err)
{
	if (!check_interpreter(check, subject, &check->loaded[0], err))
		return false;
	for (size_t i = 0; i < check->loaded_count; i++) {
		const struct library *library = check->loaded[i].library;

		for (size_t k = 0; k < library->needed_count; k++)
			if (!load(check, subject, &check->loaded[i], library->needed[k], err))
				return false;
	}
	/* musl passes over all versions. */
	if (subject->loader->libc != LOADER_GLIBC)
		return true;
	for (size_t i = 0; i < check->loaded_count; i++)
		if (!check_versions(check, subject, &check->loaded[i], err))
			return false;
	return true;
}

MUST_CHECK static bool check_subject(struct check *check, const struct needed_subject *needed,
				     struct err *err)
{
	struct subject subject = { .is_error = !needed->is_optional };
	uint32_t inode = image_find(&check->files, TREE_ROOT, view_of(needed->path));
	const struct library *library = NULL;
	const char *path = NULL;

	if (!library_table_get(&check->table, inode, &library, err) ||
	    !keep_path(check, needed->path, &path, err))
		return false;
	if (library->fault)
		return add_lack(check, &subject, LACK_SUBJECT, path, library->fault, NULL, err);
	if (!loader_of(check, library, &subject.loader, err))
		return false;
	check->loaded_count = 0;
	return push(check, &(struct loaded){ .library = library, .path = path }, err) &&
	       check_loaded(check, &subject, err);
}

bool needed_check(struct finding_list *findings, const struct tree *tree, const int *data_fds,
		  const struct needed_subject *subjects, size_t subject_count, struct err *err)
{
	CLEANUP(check_freep)
	struct check check = { .files = { tree, data_fds },
			       .cache_bytes = bytes_capped(CACHE_BYTES_MAX) };

	if (!library_table_new(&check.table, &check.files, err) || !read_cache(&check, err))
		return false;
	check.loaded = calloc(LOADED_MAX, sizeof(*check.loaded));
	if (!check.loaded)
		return err_memory(err, "a driver's libraries");
	for (size_t i = 0; i < subject_count; i++)
		if (!check_subject(&check, &subjects[i], err))
			return err_wrap(err, "what %s needs", subjects[i].path);
	return lack_report(findings, &check.lacks, err);
}
