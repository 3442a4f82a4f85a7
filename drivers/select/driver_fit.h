/* Do a driver, a GPU and an image's demands fit together? Asked of a bundle before it is chosen,
 * and again of the driver in a finished image. Pure.
 */
#pragma once

#include "drivers/bundle/bundle.h"
#include "drivers/finding.h"
#include "gpu_chip.h"
#include "init/contract/require.h"

/* The driver's own list of GPUs decides where it has one, else the chip's generation does.
 * chip: NULL: the GPU is not known, nothing is found */
MUST_CHECK bool driver_fit_gpu(struct finding_list *findings, const struct bundle *driver,
			       const struct gpu_chip *chip, struct err *err);

/* What is known for NVIDIA_REQUIRE_*; views into driver, chip and constants. */
struct require_facts driver_fit_facts(const struct bundle *driver, const struct gpu_chip *chip);

/* Each requirement against the driver.
 * env:     env[env_count], the image's
 * pending: pending[], as many as there are requirements: those that depend on the GPU, for the
 *          guest to ask again; from arena. NULL: not wanted
 * A predicate that makes no sense is a finding, too. */
MUST_CHECK bool driver_fit_requirements(struct finding_list *findings,
					struct requirement_list *pending, struct arena *arena,
					const struct bundle *driver, const struct gpu_chip *chip,
					const char *const *env, size_t env_count,
					struct err *err);
