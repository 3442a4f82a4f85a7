#include "driver_fit.h"

#include "init/contract/version.h"

/* The branch as a number, 0 when it is none. */
static unsigned branch_of(const char *version)
{
	uint64_t branch = 0;

	return view_number(version_branch(view_of(version)), 10, UINT32_MAX, &branch) ?
		       (unsigned)branch :
		       0;
}

MUST_CHECK static bool fit_flavor(struct finding_list *findings, const struct bundle *driver,
				  const struct gpu_chip *chip, const struct bundle_gpu *listed,
				  struct err *err)
{
	bool refuses_open = listed ? !listed->is_open_capable : chip->refuses_open;

	if (driver->flavor == BUNDLE_OPEN && refuses_open)
		return finding_add(findings, RULE_GPU_FLAVOR, SEVERITY_ERROR, err,
				   "driver %s has the open kernel modules, which do not drive GPU"
				   " 10de:%04x (%s)", driver->version, chip->device,
				   listed ? listed->name :
					    chip_architecture_name(chip->architecture));
	if (driver->flavor == BUNDLE_PROPRIETARY && chip->needs_open)
		return finding_add(findings, RULE_GPU_FLAVOR, SEVERITY_ERROR, err,
				   "driver %s has the proprietary kernel modules, and GPU 10de:%04x"
				   " (%s) is driven by the open ones only", driver->version,
				   chip->device, chip_architecture_name(chip->architecture));
	return true;
}

/* Without a list of the driver's own. */
MUST_CHECK static bool fit_generation(struct finding_list *findings, const struct bundle *driver,
				      const struct gpu_chip *chip, struct err *err)
{
	unsigned branch = branch_of(driver->version);

	if (chip->architecture == CHIP_UNKNOWN)
		return finding_add(findings, RULE_GPU_UNSUPPORTED, SEVERITY_UNKNOWN, err,
				   "GPU 10de:%04x is not known here, and driver %s brings no list"
				   " of its GPUs", chip->device, driver->version);
	if (chip->last_branch != 0 && branch > chip->last_branch)
		return finding_add(findings, RULE_GPU_LEGACY_BRANCH, SEVERITY_ERROR, err,
				   "GPU 10de:%04x (%s) is driven up to branch %u, not by %s",
				   chip->device, chip_architecture_name(chip->architecture),
				   chip->last_branch, driver->version);
	if (branch != 0 && branch < chip->first_branch)
		return finding_add(findings, RULE_GPU_UNSUPPORTED, SEVERITY_ERROR, err,
				   "GPU 10de:%04x (%s) is driven from branch %u on, not by %s",
				   chip->device, chip_architecture_name(chip->architecture),
				   chip->first_branch, driver->version);
	return true;
}

bool driver_fit_gpu(struct finding_list *findings, const struct bundle *driver,
		    const struct gpu_chip *chip, struct err *err)
{
	const struct bundle_gpu *listed = chip ? bundle_find_gpu(driver, chip->device) : NULL;

	if (!chip)
		return true;
	if (listed && listed->legacy_branch)
		return finding_add(findings, RULE_GPU_LEGACY_BRANCH, SEVERITY_ERROR, err,
				   "driver %s leaves GPU 10de:%04x (%s) to branch %s",
				   driver->version, chip->device, listed->name,
				   listed->legacy_branch);
	if (driver->gpu_count > 0 && !listed)
		return finding_add(findings, RULE_GPU_UNSUPPORTED, SEVERITY_ERROR, err,
				   "GPU 10de:%04x is not among the %zu that driver %s supports",
				   chip->device, driver->gpu_count, driver->version);
	return (listed || fit_generation(findings, driver, chip, err)) &&
	       fit_flavor(findings, driver, chip, listed, err);
}

static struct view view_or_empty(const char *text)
{
	return text ? view_of(text) : (struct view){ 0 };
}

struct require_facts driver_fit_facts(const struct bundle *driver, const struct gpu_chip *chip)
{
	const struct bundle_gpu *listed = chip ? bundle_find_gpu(driver, chip->device) : NULL;

	return (struct require_facts){
		.cuda = view_or_empty(driver->cuda),
		.driver = view_of(driver->version),
		.arch = view_or_empty(chip ? chip->compute : NULL),
		.brand = view_or_empty(listed ? gpu_chip_brand(listed->name) : NULL),
	};
}

MUST_CHECK static bool fit_requirement(struct finding_list *findings,
				       struct requirement_list *pending,
				       const struct requirement *requirement,
				       const struct require_facts *facts, struct err *err)
{
	enum require_verdict verdict = REQUIRE_SATISFIED;
	struct err why = { 0 };

	if (!require_check(&verdict, requirement->predicate, facts, &why))
		return finding_add(findings, RULE_REQUIRE_CUDA, SEVERITY_ERROR, err, "%.*s: %s",
				   VIEW_ARGS(requirement->name), why.msg);
	if (verdict == REQUIRE_UNSATISFIED)
		return finding_add(findings, RULE_REQUIRE_CUDA, SEVERITY_ERROR, err,
				   "%.*s wants \"%.*s\"; driver %.*s can do CUDA %.*s",
				   VIEW_ARGS(requirement->name),
				   VIEW_ARGS(requirement->predicate), VIEW_ARGS(facts->driver),
				   VIEW_ARGS(facts->cuda));
	if (verdict == REQUIRE_SATISFIED)
		return true;
	if (pending)
		pending->items[pending->count++] = *requirement;
	return finding_add(findings, RULE_REQUIRE_UNKNOWN, SEVERITY_WARNING, err,
			   "%.*s depends on the GPU, and the guest asks again: \"%.*s\"",
			   VIEW_ARGS(requirement->name), VIEW_ARGS(requirement->predicate));
}

bool driver_fit_requirements(struct finding_list *findings, struct requirement_list *pending,
			     struct arena *arena, const struct bundle *driver,
			     const struct gpu_chip *chip, const char *const *env,
			     size_t env_count, struct err *err)
{
	struct require_facts facts = driver_fit_facts(driver, chip);
	struct requirement_list all = { 0 };
	struct err why = { 0 };

	if (!require_list(&all, arena, env, env_count, &why))
		return finding_add(findings, RULE_REQUIRE_CUDA, SEVERITY_ERROR, err, "%s", why.msg);
	if (pending) {
		pending->count = 0;
		pending->items = arena_take(arena, (all.count + 1) * sizeof(*pending->items));
		if (!pending->items)
			return err_memory(err, "an image's requirements");
	}
	for (size_t i = 0; i < all.count; i++)
		if (!fit_requirement(findings, pending, &all.items[i], &facts, err))
			return false;
	return true;
}
