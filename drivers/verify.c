#include "verify.h"

#include "capability.h"
#include "driver_fit.h"
#include "verify_closure.h"
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
	return finding_add(findings, RULE_USERSPACE_VERSION, SEVERITY_WARNING, err,
			   "the image asks for a GPU (NVIDIA_VISIBLE_DEVICES), and has no driver");
}

MUST_CHECK static bool check_driver(struct finding_list *findings,
				    const struct verify_subject *subject, struct err *err)
{
	struct arena arena = { 0 };
	bool is_good = driver_fit_gpu(findings, subject->driver, subject->chip, err) &&
		       driver_fit_requirements(findings, NULL, &arena, subject->driver,
					       subject->chip, subject->boot->env.items,
					       subject->boot->env.count, err);

	arena_freep(&arena);
	return is_good;
}

bool verify_image(struct finding_list *findings, const struct verify_subject *subject,
		  struct err *err)
{
	struct injected_list files = { 0 };

	if (!subject->driver || !subject->boot)
		return check_absence(findings, subject, err);
	bool is_good = verify_files(&files, findings, subject, err) &&
		       verify_versions(findings, subject, &files, err) &&
		       verify_modules(findings, subject, err) &&
		       check_driver(findings, subject, err) &&
		       verify_closure(findings, subject, &files, err);

	injected_list_freep(&files);
	return is_good;
}
