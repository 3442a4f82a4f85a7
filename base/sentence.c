#include "sentence.h"

#include <stdbool.h>

/* U+0000 to U+001F and U+007F, and U+0080 to U+009F, which are two bytes. Source: ECMA-48, 5 */
void sentence_tame(char *text)
{
	for (unsigned char *byte = (unsigned char *)text; *byte; byte++) {
		bool is_two = byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0;

		if (is_two)
			*byte++ = '?';
		if (is_two || *byte < ' ' || *byte == 0x7f)
			*byte = '?';
	}
}
