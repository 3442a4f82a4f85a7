#include "image_check.h"

#include <check.h>

#include "base/bytes.h"
#include "listing.h"
#include "scratch.h"

void image_check(int fd, const struct tree *tree, int64_t image_time, const char *name)
{
	CLEANUP(bytes_freep) struct bytes got = bytes_capped(1 << 30);
	CLEANUP(bytes_freep) struct bytes wanted = bytes_capped(1 << 30);
	CLEANUP(bytes_freep) struct bytes difference = bytes_capped(1 << 16);
	char path[SCRATCH_PATH_BYTES];

	ck_assert_msg(scratch_is_sound(fd), "%s: e2fsck finds something", name);
	scratch_path(fd, path);
	listing_of_image(&got, path);
	listing_of_tree(&wanted, tree, image_time);
	listing_difference(&difference, &got, &wanted);
	ck_assert_msg(difference.len == 0, "%s: %s", name, difference.data);
}
