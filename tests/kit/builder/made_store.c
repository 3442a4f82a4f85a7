#include "made_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "layers/crc.h"

void made_folder(char out[MADE_FOLDER_BYTES])
{
	snprintf(out, MADE_FOLDER_BYTES, "/tmp/vmbake-store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(out));
}

void made_folder_remove(const char *folder)
{
	struct err err = { 0 };

	ck_assert(file_remove_tree(AT_FDCWD, folder, &err));
}

void made_store_open(struct store *out, const char *folder)
{
	struct err err = { 0 };

	*out = STORE_NONE;
	ck_assert_msg(store_open(out, folder, 0, &err), "%s", err.msg);
}

void made_layer(struct store *store, const struct digest *diff_id, bool keep)
{
	CLEANUP(store_draft_discardp) struct store_draft draft = STORE_DRAFT_NONE;
	CLEANUP(index_builder_freep) struct index_builder *builder = NULL;
	CLEANUP(bytes_freep) struct bytes index = bytes_capped(1 << 20);
	static const char block[INDEX_BLOCK_BYTES] = "body";
	struct extent extent = { 0, 0, 1 };
	struct entry file = { .kind = ENTRY_FILE,
			      .path = view_of("f"),
			      .size = 4,
			      .body_crc32c = crc32c_add(0, block, 4),
			      .extents = &extent,
			      .extent_count = 1 };
	struct err err = { 0 };

	ck_assert(store_draft_open(store, &draft, &err));
	ck_assert(index_builder_new(&builder, &err));
	ck_assert(index_builder_add(builder, &file, &err));
	ck_assert(index_builder_finish(builder, sizeof(block), diff_id, &index, &err));
	ck_assert(file_write_whole(draft.dir_fd, "index", 0644, bytes_view(&index), &err));
	ck_assert(file_write_whole(draft.dir_fd, "data", 0644,
				   (struct view){ block, sizeof(block) }, &err));
	if (keep)
		ck_assert(store_draft_keep_layer(store, &draft, diff_id, &err));
}

void made_file(const struct store *store, const char *path, const char *content)
{
	struct err err = { 0 };

	ck_assert_msg(file_write_whole(store->dir_fd, path, 0644, view_of(content), &err), "%s",
		      err.msg);
}

void made_time(const struct store *store, const char *path, int64_t seconds)
{
	struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = seconds } };

	ck_assert_int_eq(utimensat(store->dir_fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

bool made_is_there(const struct store *store, const char *path)
{
	return faccessat(store->dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
