#include "kernel_image.h"

#include <elf.h>

#include "base/archive.h"
#include "base/le.h"

enum {
	/* x86 setup header */
	SETUP_SECTORS_AT = 0x1f1,
	SETUP_MAGIC_AT = 0x202,
	PROTOCOL_AT = 0x206,
	PAYLOAD_OFFSET_AT = 0x248,
	PAYLOAD_LENGTH_AT = 0x24c,
	SETUP_END = 0x250,
	PROTOCOL_WITH_PAYLOAD = 0x0208,
	SETUP_SECTORS_DEFAULT = 4,
	SECTOR_BYTES = 512,
	/* arm64 Image */
	ARM64_MAGIC_AT = 0x38,
	ARM64_HEADER_END = 0x40,
	/* EFI zboot */
	ZBOOT_MAGIC_AT = 4,
	ZBOOT_OFFSET_AT = 8,
	ZBOOT_LENGTH_AT = 12,
	ZBOOT_END = 64,
	/* All but gzip have the unpacked length behind the compressed bytes (mkpiggy). */
	LENGTH_TRAILER_BYTES = 4,
};

static bool has_at(struct view file, size_t at, const char *magic)
{
	return view_starts(view_from(file, at), magic);
}

static bool is_arm64_image(struct view file)
{
	return file.len >= ARM64_HEADER_END && has_at(file, ARM64_MAGIC_AT, "ARM\x64");
}

static bool is_bzimage(struct view file)
{
	return file.len >= SETUP_END && has_at(file, SETUP_MAGIC_AT, "HdrS");
}

static bool is_zboot(struct view file)
{
	return file.len >= ZBOOT_END && view_starts(file, "MZ") &&
	       has_at(file, ZBOOT_MAGIC_AT, "zimg");
}

uint16_t kernel_image_machine(struct view image)
{
	if (image.len >= sizeof(Elf64_Ehdr) && view_starts(image, ELFMAG))
		return le16_get(image.ptr + offsetof(Elf64_Ehdr, e_machine));
	return is_arm64_image(image) ? EM_AARCH64 : 0;
}

/* Where a bzImage's or zboot image's compressed kernel lies. */
MUST_CHECK static bool find_payload(struct view *out, struct view file, struct err *err)
{
	uint64_t offset, len;

	if (is_zboot(file)) {
		offset = le32_get(file.ptr + ZBOOT_OFFSET_AT);
		len = le32_get(file.ptr + ZBOOT_LENGTH_AT);
	} else {
		uint64_t sectors = (uint8_t)file.ptr[SETUP_SECTORS_AT];

		if (le16_get(file.ptr + PROTOCOL_AT) < PROTOCOL_WITH_PAYLOAD)
			return err_set(err, ERR_UNSUPPORTED,
				       "a bzImage of before boot protocol 2.08");
		sectors = sectors ? sectors : SETUP_SECTORS_DEFAULT;
		offset = (sectors + 1) * SECTOR_BYTES + le32_get(file.ptr + PAYLOAD_OFFSET_AT);
		len = le32_get(file.ptr + PAYLOAD_LENGTH_AT);
	}
	if (offset > file.len || len > file.len - offset || len == 0)
		return err_set(err, ERR_FORMAT, "a boot image whose kernel lies outside of it");
	*out = (struct view){ file.ptr + offset, len };
	return true;
}

static const struct {
	const char *magic;
	const char *refused; /* why, or NULL */
	bool has_length_trailer;
} compressions[] = {
	{ "\x1f\x8b", NULL, false },
	{ "\xfd" "7zXZ", NULL, true },
	{ "\x28\xb5\x2f\xfd", NULL, true },
	{ "\x02\x21\x4c\x18", NULL, true }, /* lz4 legacy */
	{ "BZh", NULL, true },
	{ "\x89LZO", "lzo", true },
	{ "\x5d", "lzma", true }, /* .lzma has no magic that is one: nobody's default since 2010 */
	{ ELFMAG, NULL, false }, /* CONFIG_KERNEL_UNCOMPRESSED */
};

MUST_CHECK static bool unpack_payload(struct bytes *out, struct view payload, struct err *err)
{
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		if (!view_starts(payload, compressions[i].magic))
			continue;
		if (compressions[i].refused)
			return err_set(err, ERR_UNSUPPORTED,
				       "a kernel compressed by %s; vmlinux itself will do",
				       compressions[i].refused);
		if (compressions[i].has_length_trailer && payload.len > LENGTH_TRAILER_BYTES)
			payload.len -= LENGTH_TRAILER_BYTES;
		return archive_unpack(out, payload, "the compressed kernel", err);
	}
	return err_set(err, ERR_UNSUPPORTED, "a kernel compressed in an unknown way");
}

bool kernel_image_unpack(struct bytes *out, struct view file, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes image = bytes_capped(out->cap_max);
	struct view payload = { 0 };

	if (is_bzimage(file) || is_zboot(file)) {
		if (!find_payload(&payload, file, err) || !unpack_payload(&image, payload, err))
			return false;
	} else if (!bytes_append(&image, file.ptr, file.len, err)) {
		return err_wrap(err, "a kernel");
	}
	uint16_t machine = kernel_image_machine(bytes_view(&image));

	if (machine == 0)
		return err_set(err, ERR_FORMAT,
			       "not a kernel: neither vmlinux, bzImage nor arm64 Image");
	if (machine != EM_X86_64 && machine != EM_AARCH64)
		return err_set(err, ERR_UNSUPPORTED, "a kernel for ELF machine %u", machine);
	bytes_freep(out);
	*out = image;
	image = bytes_capped(0);
	return true;
}
