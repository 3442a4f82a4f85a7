/* Functions whose use does not compile: each has no length, or a length that is easily wrong.
 * Use snprintf, memcpy with a checked length, strtok-free parsing over struct view, and the
 * number parsers of view.h, which refuse what they do not understand. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok strtok_r
#pragma GCC poison atoi atol atoll
