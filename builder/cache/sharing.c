#include "sharing.h"

#include <sys/ioctl.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

enum {
	EXTENTS_AT_A_TIME = 512,
	REQUEST_BYTES = sizeof(struct fiemap) + EXTENTS_AT_A_TIME * sizeof(struct fiemap_extent),
};

/* Source: Linux Documentation/filesystems/fiemap.rst. Without FIEMAP_FLAG_SYNC: what is not on the
 * disk yet is not shared yet either. */
bool sharing_measure(int fd, uint64_t *shared_bytes)
{
	_Alignas(struct fiemap) char bytes[REQUEST_BYTES];
	struct fiemap *request = (struct fiemap *)bytes;
	uint64_t start = 0, shared = 0;
	bool is_end = false;

	while (!is_end) {
		*request = (struct fiemap){ .fm_start = start,
					    .fm_length = FIEMAP_MAX_OFFSET - start,
					    .fm_extent_count = EXTENTS_AT_A_TIME };
		if (ioctl(fd, FS_IOC_FIEMAP, request) < 0)
			return false;
		is_end = request->fm_mapped_extents == 0;
		for (uint32_t i = 0; i < request->fm_mapped_extents; i++) {
			const struct fiemap_extent *extent = &request->fm_extents[i];

			shared += extent->fe_flags & FIEMAP_EXTENT_SHARED ? extent->fe_length : 0;
			is_end = is_end || (extent->fe_flags & FIEMAP_EXTENT_LAST) != 0;
			start = extent->fe_logical + extent->fe_length;
		}
	}
	*shared_bytes = shared;
	return true;
}
