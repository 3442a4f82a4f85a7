#include "image_check.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "fs/image.h"
#include "init/contract/boot_config.h"

enum { DOCUMENT_BYTES_MAX = 16 << 20 };

/* One of our own documents inside the image; *is_there is false when it is not there. */
MUST_CHECK static bool slurp(struct bytes *out, struct image_reader *reader, const char *path,
			     bool *is_there, struct err *err)
{
	struct err why = { 0 };

	*is_there = image_reader_slurp(reader, path, out, &why);
	return *is_there || why.kind == ERR_NOT_FOUND || err_set(err, why.kind, "%s", why.msg);
}

MUST_CHECK static bool check_boot_config(struct image_reader *reader, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	CLEANUP(boot_config_freep) struct boot_config config = { 0 };
	bool is_there = false;

	if (!slurp(&text, reader, BOOT_CONFIG_PATH, &is_there, err))
		return false;
	if (!is_there)
		return err_set(err, ERR_UNSUPPORTED, "not made by vmbake: no %s in it",
			       BOOT_CONFIG_PATH);
	return boot_config_parse(&config, bytes_view(&text), err) ||
	       err_wrap(err, "%s", BOOT_CONFIG_PATH);
}

/* "linux/arm64/v8" */
MUST_CHECK static bool read_platform(struct run_image *image, struct image_reader *reader,
				     struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(DOCUMENT_BYTES_MAX);
	CLEANUP(json_freep) struct json_t *json = NULL;
	const char *platform = NULL;
	bool is_there = false;

	if (!slurp(&text, reader, "/.vmbake/image.json", &is_there, err))
		return false;
	if (!is_there)
		return true;
	if (!json_parse(&json, bytes_view(&text), err) ||
	    !json_want_string(json, "platform", &platform, err))
		return err_wrap(err, "/.vmbake/image.json");
	struct view rest = view_of(platform ? platform : ""), os = view_cut(&rest, '/');
	struct view architecture = view_cut(&rest, '/');

	(void)os;
	image->cpu = view_equal(architecture, "amd64") ? EM_X86_64 :
		     view_equal(architecture, "arm64") ? EM_AARCH64 :
							 EM_NONE;
	return true;
}

MUST_CHECK static bool read_driver(struct run_image *image, struct image_reader *reader,
				   struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	CLEANUP(bundle_freep) struct bundle driver = { 0 };
	bool is_there = false;

	if (!slurp(&text, reader, "/.vmbake/driver.json", &is_there, err))
		return false;
	if (is_there && !bundle_parse(&driver, bytes_view(&text), err))
		return err_wrap(err, "/.vmbake/driver.json");
	if (driver.kernel_count > 0)
		snprintf(image->release, sizeof(image->release), "%s", driver.kernels[0].release);
	return true;
}

bool run_image_read(struct run_image *out, const char *path, struct err *err)
{
	CLEANUP(image_reader_freep) struct image_reader *reader = NULL;
	struct run_image image = { 0 };
	struct image_facts facts;

	if (!image_reader_open(&reader, path, err))
		return false;
	image_reader_facts(reader, &facts);
	image.is_read_only = facts.is_read_only;
	if (!check_boot_config(reader, err) || !read_platform(&image, reader, err) ||
	    !read_driver(&image, reader, err))
		return err_wrap(err, "%s", path);
	*out = image;
	return true;
}

MUST_CHECK static bool broken(enum rule rule, struct err *err)
{
	return err_wrap(err, "%s", rule_id(rule));
}

bool run_image_fits(const struct run_image *image, const struct kernel *kernel, bool has_initrd,
		    struct err *err)
{
	if (image->cpu != EM_NONE && image->cpu != kernel->machine) {
		err_set(err, ERR_MISMATCH, "the image is for %s, kernel %s is for another one",
			image->cpu == EM_X86_64 ? "amd64" : "arm64", kernel->release);
		return broken(RULE_KERNEL_RELEASE, err);
	}
	if (image->release[0] && strcmp(image->release, kernel->release) != 0) {
		err_set(err, ERR_MISMATCH, "the image's driver is for kernel %s, this is kernel %s",
			image->release, kernel->release);
		return broken(RULE_KERNEL_RELEASE, err);
	}
	if (!has_initrd && (kernel_option(kernel, "CONFIG_VIRTIO_BLK") == OPTION_MODULE ||
			    kernel_option(kernel, "CONFIG_EXT4_FS") == OPTION_MODULE)) {
		err_set(err, ERR_MISMATCH, "kernel %s has virtio_blk or ext4 as a module, and finds"
			" its root only with --initrd (see vmbake initrd)", kernel->release);
		return broken(RULE_KERNEL_CONFIG, err);
	}
	return true;
}
