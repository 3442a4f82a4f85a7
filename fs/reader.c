#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <ext2fs/ext2fs.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "ext2_errors.h"

struct image_reader {
	ext2_filsys fs;
};

bool image_reader_open(struct image_reader **out, const char *path, struct err *err)
{
	CLEANUP(image_reader_freep) struct image_reader *reader = calloc(1, sizeof(*reader));
	struct stat status;

	if (!reader)
		return err_memory(err, path);
	if (stat(path, &status) < 0)
		return err_os_path(err, "open %s", path);
	ext2_errors_load();
	errcode_t code = ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &reader->fs);

	if (code > 0 && code < 256) {
		errno = (int)code;
		return err_os_path(err, "open %s", path);
	}
	if (code)
		return err_set(err, ERR_FORMAT, "%s is not an ext4 image: %s", path,
			       error_message(code));
	uint64_t size_bytes =
		ext2fs_blocks_count(reader->fs->super) * (uint64_t)reader->fs->blocksize;

	if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < size_bytes)
		return err_set(err, ERR_FORMAT, "%s is cut off: %llu bytes of %llu", path,
			       (unsigned long long)status.st_size, (unsigned long long)size_bytes);
	*out = ptr_take(&reader);
	return true;
}

void image_reader_freep(struct image_reader **reader)
{
	if (!*reader)
		return;
	if ((*reader)->fs)
		ext2fs_close_free(&(*reader)->fs);
	free(*reader);
	*reader = NULL;
}

void image_reader_facts(const struct image_reader *reader, struct image_facts *out)
{
	struct ext2_super_block *super = reader->fs->super;
	uint64_t block_bytes = reader->fs->blocksize;

	*out = (struct image_facts){
		.size_bytes = ext2fs_blocks_count(super) * block_bytes,
		.free_bytes = ext2fs_free_blocks_count(super) * block_bytes,
		.inode_count = super->s_inodes_count,
		.free_inode_count = super->s_free_inodes_count,
		.time_seconds =
			(int64_t)((uint64_t)super->s_mkfs_time_hi << 32 | super->s_mkfs_time),
		.is_read_only = ext2fs_has_feature_readonly(super),
	};
	memcpy(out->uuid, super->s_uuid, sizeof(out->uuid));
	memcpy(out->label, super->s_volume_name, sizeof(super->s_volume_name));
}

static void file_closep(ext2_file_t *file)
{
	if (*file)
		ext2fs_file_close(*file);
}

MUST_CHECK static bool broken(struct err *err, errcode_t code, const char *path)
{
	return err_set(err, ERR_FORMAT, "%s in the image: %s", path, error_message(code));
}

MUST_CHECK static bool read_file(struct image_reader *reader, ext2_ino_t number, const char *path,
				 struct bytes *out, struct err *err)
{
	CLEANUP(file_closep) ext2_file_t file = NULL;
	errcode_t code = ext2fs_file_open(reader->fs, number, 0, &file);
	unsigned len = 0;
	__u64 size = 0;
	char *room = NULL;

	if (!code)
		code = ext2fs_file_get_lsize(file, &size);
	if (code)
		return broken(err, code, path);
	if (!bytes_grow(out, size, &room, err))
		return err_wrap(err, "%s in the image", path);
	for (__u64 done = 0; done < size; done += len) {
		unsigned want = size - done > 1 << 30 ? 1 << 30 : (unsigned)(size - done);

		code = ext2fs_file_read(file, room + done, want, &len);
		if (code || len == 0)
			return broken(err, code ? code : EXT2_ET_SHORT_READ, path);
	}
	return true;
}

bool image_reader_slurp(struct image_reader *reader, const char *path, struct bytes *out,
			struct err *err)
{
	ext2_ino_t number = 0;
	struct ext2_inode inode;
	errcode_t code = ext2fs_namei(reader->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &number);

	if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
		return err_set(err, ERR_NOT_FOUND, "the image has no %s", path);
	if (!code)
		code = ext2fs_read_inode(reader->fs, number, &inode);
	if (code)
		return broken(err, code, path);
	if (!LINUX_S_ISREG(inode.i_mode))
		return err_set(err, ERR_NOT_FOUND, "%s in the image is no regular file", path);
	return read_file(reader, number, path, out, err);
}
