#include "verify.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/bundle/capability.h"
#include "drivers/image/needed.h"
#include "drivers/place/leftovers.h"
#include "drivers/select/driver_fit.h"
#include "verify_files.h"
#include "verify_modules.h"

/* An image that asks for a GPU and has no driver will find none. */
MUST_CHECK static bool check_absence(struct finding_list *findings,
				     const struct verify_subject *subject, struct err *err)
{
	struct gpu_request request = { .wish = GPU_NOT_ASKED };
	struct err ignored = { 0 };

	if (subject->boot && !gpu_request_read(&request, subject->boot->env.items,
					       subject->boot->env.count, &ignored))
		request.wish = GPU_ASKED; /* by an odd name, but it asks */
	if (request.wish == GPU_NOT_ASKED)
		return true;
	return finding_add(findings, RULE_DRIVER_MISSING, SEVERITY_WARNING, err,
			   "the image asks for a GPU (NVIDIA_VISIBLE_DEVICES), and has no driver");
}

MUST_CHECK static bool check_driver(struct finding_list *findings,
				    const struct verify_subject *subject, struct err *err)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };

	return driver_fit_gpu(findings, subject->driver, subject->chip, err) &&
	       driver_fit_requirements(findings, NULL, &arena, subject->driver, subject->chip,
				       subject->boot->env.items, subject->boot->env.count, err);
}

/* What only desktops, debuggers, NVSwitch or confidential machines use must not fail an image that
 * has no X libraries, no libgcc_s or no OpenSSL 1.1. */
static bool is_optional(const struct bundle_file *file)
{
	static const char *const names[] = {
		"libnvidia-pkcs11", "nvidia-persistenced", "nv-fabricmanager", "nvidia-imex",
		"libvdpau_nvidia",  "libnvidia-nscq",	   "libnvsdm",	       "libcudadebugger",
	};
	const unsigned essential = CAPABILITY_UTILITY | CAPABILITY_COMPUTE | CAPABILITY_VIDEO;
	const char *slash = strrchr(file->dest, '/');
	const char *name = slash ? slash + 1 : file->dest;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return file->kind == BUNDLE_LIB32 || !(file->capabilities & essential);
}

MUST_CHECK static bool check_needed(struct finding_list *findings,
				    const struct verify_subject *subject,
				    const struct injected_list *files, struct err *err)
{
	CLEANUP(freep) struct needed_subject *subjects = calloc(files->count + 1,
								sizeof(*subjects));
	size_t count = 0;

	if (!subjects)
		return err_memory(err, "a driver's files");
	for (size_t i = 0; i < files->count; i++) {
		const struct injected *item = &files->items[i];
		bool is_program = item->file && item->is_elf &&
				  item->file->kind <= BUNDLE_BIN; /* or a library */

		if (is_program)
			subjects[count++] = (struct needed_subject){ item->path,
								     is_optional(item->file) };
	}
	return needed_check(findings, subject->tree, subject->data_fds, subjects, count, err);
}

/* CUDA's compat package in front of the driver, or lacking. */
MUST_CHECK static bool check_compat(struct finding_list *findings,
				    const struct verify_subject *subject, struct err *err)
{
	CLEANUP(arena_freep) struct arena arena = { 0 };
	struct image_files files = { subject->tree, subject->data_fds };
	struct compat_request request = { .driver = subject->driver,
					  .gpu_class = subject->gpu_class,
					  .env = subject->boot->env.items,
					  .env_count = subject->boot->env.count };
	struct compat compat = { 0 };

	return compat_judge(&compat, findings, &files, &request, &arena, err);
}

static bool is_injected(const struct injected_list *files, uint32_t inode)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].inode != TREE_NONE && files->items[i].inode == inode)
			return true;
	return false;
}

MUST_CHECK static bool report_leftover(struct finding_list *findings,
				       const struct image_files *image,
				       const struct injected_list *files,
				       const struct leftover *leftover, struct err *err)
{
	enum rule rule = leftover->kind == LEFTOVER_FOREIGN ? RULE_LEFTOVER_FOREIGN :
							      RULE_LEFTOVER_ZERO_BYTE;

	if (leftover->kind == LEFTOVER_SAME ||
	    is_injected(files, image_find(image, TREE_ROOT, view_of(leftover->path))))
		return true;
	return finding_add(findings, rule, SEVERITY_ERROR, err,
			   "%s is %s: the loader may take it for this driver's", leftover->path,
			   leftover_kind_text(leftover->kind));
}

/* What another driver left behind, and CUDA's stand-ins in the loader's way. */
MUST_CHECK static bool check_leftovers(struct finding_list *findings,
				       const struct verify_subject *subject,
				       const struct injected_list *files, struct err *err)
{
	CLEANUP(leftover_list_freep) struct leftover_list leftovers = { 0 };
	CLEANUP(image_probe_freep) struct image_probe probe = { 0 };
	struct image_files image = { subject->tree, subject->data_fds };
	const struct boot_config *boot = subject->boot;
	const char *program = boot->entrypoint.count > 0 ? boot->entrypoint.items[0] :
			      boot->cmd.count > 0	 ? boot->cmd.items[0] :
							   NULL;
	struct view library_path = require_env(boot->env.items, boot->env.count,
					       "LD_LIBRARY_PATH");
	bool is_arm = strcmp(subject->driver->architecture, "arm64") == 0;

	if (program && program[0] != '/')
		program = NULL;
	if (!image_probe(&probe, &image, is_arm ? EM_AARCH64 : EM_X86_64, program, err) ||
	    !leftovers_find(&leftovers, &image, &probe, library_path, subject->driver->version,
			    err))
		return false;
	for (size_t i = 0; i < leftovers.count && !subject->keeps_leftovers; i++)
		if (!report_leftover(findings, &image, files, &leftovers.items[i], err))
			return false;
	return leftovers_check_stubs(findings, &image, &probe, library_path, err);
}

bool verify_image(struct finding_list *findings, const struct verify_subject *subject,
		  struct err *err)
{
	CLEANUP(injected_list_freep) struct injected_list files = { 0 };

	if (!subject->driver || !subject->boot)
		return check_absence(findings, subject, err);
	return verify_files(&files, findings, subject, err) &&
	       verify_versions(findings, subject, &files, err) &&
	       verify_modules(findings, subject, err) && check_driver(findings, subject, err) &&
	       (subject->are_contents_known ||
		(check_compat(findings, subject, err) &&
		 check_leftovers(findings, subject, &files, err))) &&
	       check_needed(findings, subject, &files, err);
}
