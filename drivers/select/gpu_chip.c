#include "gpu_chip.h"

#include <string.h>

/* NVIDIA hands out device ids chip by chip. Sources: pci.ids (which chip an id is), CUDA
 * programming guide, "Compute Capabilities", driver release notes (first and last branch), README
 * of the open modules (flavor). Ascending. */
static const struct {
	uint16_t first, last; /* device ids, inclusive */
	uint8_t architecture;
	const char *compute;
	uint16_t first_branch;
} ranges[] = {
	{ 0x0fc0, 0x0fff, CHIP_KEPLER, "3.0", 304 }, /* GK107 */
	{ 0x1001, 0x102c, CHIP_KEPLER, "3.5", 304 }, /* GK110 */
	{ 0x102d, 0x102d, CHIP_KEPLER, "3.7", 340 }, /* GK210 */
	{ 0x102e, 0x103f, CHIP_KEPLER, "3.5", 304 }, /* GK110 */
	{ 0x1180, 0x11ff, CHIP_KEPLER, "3.0", 304 }, /* GK104, GK106 */
	{ 0x1280, 0x12bf, CHIP_KEPLER, "3.5", 319 }, /* GK208 */
	{ 0x1340, 0x13ac, CHIP_MAXWELL, "5.0", 334 }, /* GM108, GM107 */
	{ 0x13ad, 0x13ae, CHIP_MAXWELL, "5.2", 343 }, /* GM204 */
	{ 0x13af, 0x13bd, CHIP_MAXWELL, "5.0", 334 }, /* GM107 */
	{ 0x13be, 0x143f, CHIP_MAXWELL, "5.2", 343 }, /* GM204, GM206 */
	{ 0x15c0, 0x15ff, CHIP_PASCAL, "6.0", 367 }, /* GP100 */
	{ 0x1600, 0x167f, CHIP_MAXWELL, "5.2", 343 }, /* GM204 */
	{ 0x1720, 0x172f, CHIP_PASCAL, "6.0", 367 }, /* GP100 */
	{ 0x1740, 0x17bf, CHIP_MAXWELL, "5.0", 334 }, /* GM108, GM107 */
	{ 0x17c0, 0x17ff, CHIP_MAXWELL, "5.2", 346 }, /* GM200 */
	{ 0x1b00, 0x1d7f, CHIP_PASCAL, "6.1", 367 }, /* GP102 to GP108 */
	{ 0x1d80, 0x1dff, CHIP_VOLTA, "7.0", 384 }, /* GV100 */
	{ 0x1e00, 0x1fff, CHIP_TURING, "7.5", 410 }, /* TU102 to TU117 */
	{ 0x2080, 0x20ff, CHIP_AMPERE, "8.0", 450 }, /* GA100 */
	{ 0x2180, 0x21ff, CHIP_TURING, "7.5", 410 }, /* TU116 */
	{ 0x2200, 0x227f, CHIP_AMPERE, "8.6", 455 }, /* GA102 */
	{ 0x2300, 0x23ff, CHIP_HOPPER, "9.0", 520 }, /* GH100 */
	{ 0x2400, 0x25ff, CHIP_AMPERE, "8.6", 455 }, /* GA103 to GA107 */
	{ 0x2680, 0x28ff, CHIP_ADA, "8.9", 520 }, /* AD102 to AD107 */
	{ 0x2900, 0x29ff, CHIP_BLACKWELL, "10.0", 570 }, /* GB100, GB102 */
	{ 0x2b80, 0x2dff, CHIP_BLACKWELL, "12.0", 570 }, /* GB202, GB203, GB206, GB207 */
	{ 0x2e00, 0x2e7f, CHIP_BLACKWELL, "12.1", 580 }, /* GB10 */
	{ 0x2f00, 0x2fff, CHIP_BLACKWELL, "12.0", 570 }, /* GB205 */
	{ 0x3180, 0x323f, CHIP_BLACKWELL, "10.3", 580 }, /* GB110, GB112 */
};

enum {
	RANGE_COUNT = sizeof(ranges) / sizeof(ranges[0]),
	VENDOR_NVIDIA = 0x10de,
	LAST_BRANCH_KEPLER = 470,
	LAST_BRANCH_BEFORE_TURING = 580,
};

static bool is_grace_hopper(uint16_t device)
{
	return device >= 0x2340 && device <= 0x235f; /* GH200, whose CPU is of the same package */
}

static unsigned last_branch(enum chip_architecture architecture)
{
	if (architecture == CHIP_UNKNOWN || architecture >= CHIP_TURING)
		return 0;
	return architecture == CHIP_KEPLER ? LAST_BRANCH_KEPLER : LAST_BRANCH_BEFORE_TURING;
}

struct gpu_chip gpu_chip_of(uint16_t device)
{
	struct gpu_chip chip = { .device = device };

	for (size_t i = 0; i < RANGE_COUNT; i++) {
		if (device < ranges[i].first || device > ranges[i].last)
			continue;
		chip.architecture = (enum chip_architecture)ranges[i].architecture;
		chip.compute = ranges[i].compute;
		chip.first_branch = ranges[i].first_branch;
	}
	chip.last_branch = last_branch(chip.architecture);
	chip.needs_open = chip.architecture == CHIP_BLACKWELL || is_grace_hopper(device);
	chip.refuses_open = chip.architecture != CHIP_UNKNOWN && chip.architecture < CHIP_TURING;
	return chip;
}

bool gpu_chip_parse(struct gpu_chip *out, struct view text, struct err *err)
{
	struct view rest = text;
	struct view vendor = view_cut(&rest, ':');
	uint64_t vendor_id = 0, device_id = 0;

	if (vendor.len != 4 || rest.len != 4 || !view_number(vendor, 16, UINT16_MAX, &vendor_id) ||
	    !view_number(rest, 16, UINT16_MAX, &device_id))
		return err_set(err, ERR_USAGE, "\"%.*s\" is no PCI id such as 10de:2330",
			       VIEW_ARGS(text));
	if (vendor_id != VENDOR_NVIDIA)
		return err_set(err, ERR_UNSUPPORTED, "%.*s is no device of NVIDIA's (10de)",
			       VIEW_ARGS(text));
	*out = gpu_chip_of((uint16_t)device_id);
	return true;
}

const char *chip_architecture_name(enum chip_architecture architecture)
{
	static const char *const names[CHIP_ARCHITECTURE_COUNT] = {
		"unknown", "kepler", "maxwell", "pascal", "volta",
		"turing",  "ampere", "ada",	"hopper", "blackwell",
	};

	return names[architecture];
}

/* nvml.h, NVML_BRAND_*, in the words of libnvidia-container. Data-center products since Ampere are
 * plain "NVIDIA"; a T4 says Tesla in some lists and nothing in others, so it is not guessed. */
const char *gpu_chip_brand(const char *product_name)
{
	static const struct {
		const char *start, *brand;
	} brands[] = {
		{ "Tesla ", "tesla" },		  { "Quadro RTX ", "quadrortx" },
		{ "Quadro ", "quadro" },	  { "GeForce RTX ", "geforcertx" },
		{ "GeForce ", "geforce" },	  { "TITAN RTX", "titanrtx" },
		{ "TITAN ", "titan" },		  { "RTX ", "nvidiartx" },
		{ "A100", "nvidia" },		  { "A10", "nvidia" },
		{ "A16", "nvidia" },		  { "A2", "nvidia" },
		{ "A30", "nvidia" },		  { "A40", "nvidia" },
		{ "A800", "nvidia" },		  { "H100", "nvidia" },
		{ "H200", "nvidia" },		  { "H800", "nvidia" },
		{ "H20", "nvidia" },		  { "L4", "nvidia" },
		{ "L20", "nvidia" },		  { "L2", "nvidia" },
		{ "B200", "nvidia" },		  { "GB200", "nvidia" },
		{ "GH200", "nvidia" },
	};
	static const char maker[] = "NVIDIA ";

	if (strncmp(product_name, maker, strlen(maker)) == 0)
		product_name += strlen(maker);
	for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++)
		if (strncmp(product_name, brands[i].start, strlen(brands[i].start)) == 0)
			return brands[i].brand;
	return NULL;
}
