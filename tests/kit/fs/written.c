#include "written.h"

#include <check.h>

#include "base/cleanup.h"
#include "image_check.h"
#include "scratch.h"

void written_begin(struct written *written)
{
	*written = (struct written){ .fd = scratch_file() };
	made_tree_begin(&written->made, -1);
}

void written_end(struct written *written)
{
	fd_closep(&written->fd);
	made_tree_freep(&written->made);
}

void written_add_some(struct written *written)
{
	struct entry symlink = { .kind = ENTRY_SYMLINK,
				 .path = view_of("bin"),
				 .link = view_of("usr/bin"),
				 .mtime_seconds = -5,
				 .mtime_ns = 750000000 };

	made_tree_add_dir(&written->made, "etc");
	made_tree_add_text(&written->made, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	made_tree_add(&written->made, &symlink);
	made_tree_add_dir(&written->made, "usr/bin");
}

void written_add_body(struct written *written, const char *path, size_t len)
{
	CLEANUP(freep) char *body = made_body(len, (unsigned)len);
	struct entry entry = { .kind = ENTRY_FILE, .path = view_of(path), .size = len };

	made_tree_add_file(&written->made, &entry, &(struct made_part){ 0, { body, len } }, 1);
}

void written_write(struct written *written, const struct image_options *options)
{
	ck_assert_msg(made_tree_write(&written->made, written->fd, options, &written->result,
				      &written->err),
		      "%s", written->err.msg);
}

void written_refuse(struct written *written, const struct image_options *options,
		    enum err_kind kind)
{
	ck_assert(!made_tree_write(&written->made, written->fd, options, &written->result,
				   &written->err));
	ck_assert_int_eq(written->err.kind, kind);
}

void written_write_some(struct written *written, const struct image_options *options)
{
	written_add_some(written);
	made_tree_finish(&written->made);
	written_write(written, options);
}

void written_check(const struct written *written)
{
	image_check(written->fd, written->made.tree, made_options().time_seconds, "the image");
}
