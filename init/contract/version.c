#include "version.h"

#include <stdint.h>

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool has_only_digits_and_dots(struct view text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.ptr[i]) && text.ptr[i] != '.')
			return false;
	return true;
}

/* Take one number and the dots behind it. */
static bool take_number(struct view *rest, uint64_t *out)
{
	size_t len = 0;

	while (len < rest->len && is_digit(rest->ptr[len]))
		len++;
	if (!view_number((struct view){ rest->ptr, len }, 10, UINT64_MAX, out))
		return false;
	while (len < rest->len && rest->ptr[len] == '.')
		len++;
	*rest = view_from(*rest, len);
	return true;
}

static bool is_all_zero(struct view rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (rest.ptr[i] != '.' && rest.ptr[i] != '0')
			return false;
	return true;
}

bool version_compare(struct view a, struct view b, int *order)
{
	uint64_t a_number = 0, b_number = 0;

	if (!has_only_digits_and_dots(a) || !has_only_digits_and_dots(b))
		return false;
	while (a.len > 0 && b.len > 0) {
		if (!take_number(&a, &a_number) || !take_number(&b, &b_number))
			return false;
		if (a_number != b_number) {
			*order = a_number < b_number ? -1 : 1;
			return true;
		}
	}
	*order = !is_all_zero(a) ? 1 : !is_all_zero(b) ? -1 : 0;
	return true;
}

bool version_is_plain(struct view version)
{
	return version.len > 0 && version.len < 64 && has_only_digits_and_dots(version) &&
	       is_digit(version.ptr[0]) && is_digit(version.ptr[version.len - 1]);
}

struct view version_branch(struct view version)
{
	return view_cut(&version, '.');
}

/* CUDA release notes, "CUDA Toolkit and Minimum Compatible Driver Versions", read the other way
 * round: a branch ships with the driver part of one toolkit. Ascending. */
static const struct {
	uint64_t branch;
	const char *cuda;
} cuda_of_branch[] = {
	{ 418, "10.1" }, { 430, "10.1" }, { 435, "10.1" }, { 440, "10.2" }, { 450, "11.0" },
	{ 455, "11.1" }, { 460, "11.2" }, { 465, "11.3" }, { 470, "11.4" }, { 495, "11.5" },
	{ 510, "11.6" }, { 515, "11.7" }, { 520, "11.8" }, { 525, "12.0" }, { 530, "12.1" },
	{ 535, "12.2" }, { 545, "12.3" }, { 550, "12.4" }, { 555, "12.5" }, { 560, "12.6" },
	{ 565, "12.7" }, { 570, "12.8" }, { 575, "12.9" }, { 580, "13.0" }, { 590, "13.1" },
	{ 595, "13.2" },
};

const char *version_cuda_of_driver(struct view driver_version)
{
	const char *cuda = NULL;
	uint64_t branch = 0;

	if (!view_number(version_branch(driver_version), 10, UINT32_MAX, &branch))
		return NULL;
	for (size_t i = 0; i < sizeof(cuda_of_branch) / sizeof(cuda_of_branch[0]); i++)
		if (cuda_of_branch[i].branch <= branch)
			cuda = cuda_of_branch[i].cuda;
	return cuda;
}
