#include "vendor_version.h"

#include <stdint.h>

#include "init/contract/version.h"

enum { BRANCH_MIN = 100, BRANCH_MAX = 99999 };

struct view vendor_version_in(struct view name)
{
	static const char mark[] = ".so.";
	const char *found = NULL;
	struct view version = { 0 };
	uint64_t branch = 0;

	if (name.len > 0)
		found = memmem(name.ptr, name.len, mark, strlen(mark));
	if (found)
		version = view_from(name, (size_t)(found - name.ptr) + strlen(mark));
	if (!version_is_plain(version) || view_find(version, '.') < 0 ||
	    !view_number(version_branch(version), 10, BRANCH_MAX, &branch) || branch < BRANCH_MIN)
		return (struct view){ 0 };
	return version;
}
