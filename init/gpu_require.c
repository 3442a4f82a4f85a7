#include "gpu_require.h"

#include "init/contract/require.h"
#include "init/contract/version.h"
#include "say.h"

enum { VENDOR_NVIDIA = 0x10de };

static struct view fact_of(const char *text)
{
	return text ? view_of(text) : (struct view){ 0 };
}

static struct require_facts facts_of(const struct boot_gpu *boot, const struct gpu_device *device)
{
	struct require_facts facts = { .cuda = fact_of(boot->cuda),
				       .driver = fact_of(boot->version) };

	if (facts.cuda.len == 0)
		facts.cuda = fact_of(version_cuda_of_driver(facts.driver));
	for (size_t i = 0; i < boot->model_count; i++) {
		const struct boot_gpu_model *model = &boot->models[i];

		if (model->vendor == VENDOR_NVIDIA && model->device == device->device_id) {
			facts.arch = fact_of(model->arch);
			facts.brand = fact_of(model->brand);
		}
	}
	return facts;
}

MUST_CHECK static bool check(size_t *unknown_count, const struct boot_requirement *requirement,
			     const struct boot_gpu *boot, const struct gpu_device *device,
			     struct err *err)
{
	const struct require_facts facts = facts_of(boot, device);
	enum require_verdict verdict;

	if (!require_check(&verdict, view_of(requirement->predicate), &facts, err)) {
		err->kind = ERR_MISMATCH;
		return err_wrap(err, "%s", requirement->name);
	}
	if (verdict == REQUIRE_UNSATISFIED)
		return err_set(err, ERR_MISMATCH, "GPU %s (10de:%04x): the image requires %s=%s",
			       device->address, (unsigned)device->device_id, requirement->name,
			       requirement->predicate);
	if (verdict == REQUIRE_DEPENDS_ON_GPU) {
		say("GPU %s (10de:%04x) is not in the driver's table, so nobody knows whether it"
		    " fulfils %s=%s", device->address, (unsigned)device->device_id,
		    requirement->name, requirement->predicate);
		(*unknown_count)++;
	}
	return true;
}

bool gpu_require(size_t *unknown_count, const struct boot_gpu *boot, const struct gpu_scan *scan,
		 struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < boot->requirement_count; i++)
		for (size_t j = 0; j < scan->count; j++)
			if (!scan->devices[j].is_nvswitch &&
			    !check(&count, &boot->requirements[i], boot, &scan->devices[j], err))
				return false;
	*unknown_count = count;
	return true;
}
