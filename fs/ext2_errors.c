#include "ext2_errors.h"

#include <pthread.h>

#include <ext2fs/ext2fs.h>

void ext2_errors_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, initialize_ext2_error_table);
}
