#include "verify_command.h"

#include <stdio.h>

#include "base/json.h"
#include "driver_command.h"
#include "drivers/verify/verify.h"
#include "fs/image_tree.h"
#include "guest_kernel.h"
#include "layers/content.h"
#include "show.h"

#define DRIVER_RECORD_PATH "/.vmbake/driver.json"

/* All that the rules are held against; owned. */
struct verification {
	struct image_tree image;
	struct boot_config boot;
	struct bundle driver;
	struct kernel kernel;
	struct gpu_chip chip;
	struct finding_list findings;
	struct verify_subject subject;
};

static void verification_freep(struct verification *verification)
{
	finding_list_freep(&verification->findings);
	kernel_freep(&verification->kernel);
	bundle_freep(&verification->driver);
	boot_config_freep(&verification->boot);
	image_tree_closep(&verification->image);
}

MUST_CHECK static bool open_kernel(struct verification *verification,
				   const struct options *options, struct report *report,
				   struct err *err)
{
	verification->subject.release = options->driver.kernel_release;
	if (!options->driver.kernel)
		return !options->driver.kernel_config ||
		       err_set(err, ERR_USAGE, "--kernel-config says nothing without --kernel");
	if (!guest_kernel_open_named(&verification->kernel, options, report, err))
		return false;
	verification->subject.kernel = &verification->kernel;
	verification->subject.release = verification->kernel.release;
	return true;
}

/* One of our own documents in the image; *is_there is false when it is not there. */
MUST_CHECK static bool slurp(struct bytes *out, const struct image_tree *image, const char *path,
			     bool *is_there, struct err *err)
{
	struct err why = { 0 };

	*is_there = content_slurp(image->tree, &image->data_fd, path, out, &why);
	return *is_there || why.kind == ERR_NOT_FOUND || err_set(err, why.kind, "%s", why.msg);
}

MUST_CHECK static bool read_records(struct verification *verification, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes boot = bytes_capped(BOOT_CONFIG_BYTES_MAX);
	CLEANUP(bytes_freep) struct bytes driver = bytes_capped(BUNDLE_MANIFEST_BYTES_MAX);
	struct verify_subject *subject = &verification->subject;
	bool has_boot = false, has_driver = false;

	if (!slurp(&boot, &verification->image, BOOT_CONFIG_PATH, &has_boot, err) ||
	    !slurp(&driver, &verification->image, DRIVER_RECORD_PATH, &has_driver, err))
		return false;
	if (has_boot && !boot_config_parse(&verification->boot, bytes_view(&boot), err))
		return err_wrap(err, "%s in the image", BOOT_CONFIG_PATH);
	if (has_driver && !has_boot)
		return err_set(err, ERR_FORMAT, "the image has %s and no %s", DRIVER_RECORD_PATH,
			       BOOT_CONFIG_PATH);
	if (has_driver && !bundle_parse(&verification->driver, bytes_view(&driver), err))
		return err_wrap(err, "%s in the image", DRIVER_RECORD_PATH);
	subject->boot = has_boot ? &verification->boot : NULL;
	subject->driver = has_driver ? &verification->driver : NULL;
	return true;
}

MUST_CHECK static bool read_class(struct verification *verification, const char *text,
				  struct err *err)
{
	static const char *const names[] = { "datacenter", "consumer" };

	if (text && strcmp(text, names[0]) == 0)
		verification->subject.gpu_class = GPU_CLASS_DATACENTER;
	else if (text && strcmp(text, names[1]) == 0)
		verification->subject.gpu_class = GPU_CLASS_CONSUMER;
	else if (text)
		return err_set(err, ERR_USAGE, "--gpu-class: \"%s\" is neither %s nor %s", text,
			       names[0], names[1]);
	return true;
}

MUST_CHECK static bool read_chip(struct verification *verification, const struct options *options,
				 struct err *err)
{
	if (!options->driver.gpu_id)
		return true;
	if (!gpu_chip_parse(&verification->chip, view_of(options->driver.gpu_id), err))
		return err_wrap(err, "--gpu-id");
	verification->subject.chip = &verification->chip;
	return true;
}

static struct json_t *driver_json(const struct bundle *driver)
{
	struct json_t *object = json_new_object();

	json_put_text(object, "version", driver->version);
	json_put_text(object, "flavor", bundle_flavor_name(driver->flavor));
	json_put_text(object, "architecture", driver->architecture);
	json_put_text(object, "cuda", driver->cuda);
	json_put_text(object, "kernel",
		      driver->kernel_count > 0 ? driver->kernels[0].release : NULL);
	return object;
}

MUST_CHECK static bool show_as_json(const struct verification *verification, const char *path,
				    bool is_good, struct err *err)
{
	const struct bundle *driver = verification->subject.driver;
	struct json_t *object = json_new_object();

	json_put_text(object, "file", path);
	if (driver)
		json_put(object, "driver", driver_json(driver));
	else
		json_put_text(object, "driver", NULL);
	json_put(object, "findings", driver_findings_json(&verification->findings));
	json_put_bool(object, "ok", is_good);
	return show_json(object, err);
}

MUST_CHECK static bool show_lines(const struct verification *verification, const char *path,
				  struct err *err)
{
	const struct finding_list *findings = &verification->findings;
	const struct bundle *driver = verification->subject.driver;
	size_t errors = finding_count(findings, SEVERITY_ERROR);

	for (size_t i = 0; i < findings->count; i++)
		printf("%s %s: %s\n", severity_name(findings->items[i].severity),
		       rule_id(findings->items[i].rule), findings->items[i].sentence);
	printf("%s: ", path);
	if (driver)
		printf("driver %s (%s), ", driver->version, bundle_flavor_name(driver->flavor));
	else
		printf("no driver, ");
	printf("%zu errors, %zu warnings, %zu unknown: %s\n", errors,
	       finding_count(findings, SEVERITY_WARNING),
	       finding_count(findings, SEVERITY_UNKNOWN), errors == 0 ? "ok" : "not ok");
	return show_flush(err);
}

bool verify_command(const struct options *options, struct report *report, struct err *err)
{
	CLEANUP(verification_freep) struct verification verification = { .image = IMAGE_TREE_NONE,
									 .kernel = KERNEL_NONE };
	const char *path = options->operands.items[0];
	struct verify_subject *subject = &verification.subject;

	if (!read_chip(&verification, options, err) ||
	    !read_class(&verification, options->driver.gpu_class, err) ||
	    !open_kernel(&verification, options, report, err) ||
	    !image_tree_open(&verification.image, path, err))
		return false;
	subject->tree = verification.image.tree;
	subject->data_fds = &verification.image.data_fd;
	subject->jobs = (unsigned)options->jobs;
	subject->keeps_leftovers = options->driver.keep_leftovers;
	if (!read_records(&verification, err) ||
	    !verify_image(&verification.findings, subject, err))
		return err_wrap(err, "%s", path);
	size_t errors = finding_count(&verification.findings, SEVERITY_ERROR);

	if (options->json ? !show_as_json(&verification, path, errors == 0, err) :
			    !show_lines(&verification, path, err))
		return false;
	return errors == 0 || err_set(err, ERR_MISMATCH, "%s: %zu rules do not hold", path, errors);
}
