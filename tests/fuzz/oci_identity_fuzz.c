/* For whom a signature speaks: a "signedIdentity" object, the image that is asked for and the name
 * that was signed, a line each. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "oci/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = { (const char *)data, size };
	CLEANUP(json_freep) struct json_t *rule = NULL;
	struct view rule_text = view_cut(&rest, '\n'), image_text = view_cut(&rest, '\n');
	CLEANUP(freep) char *image_name = view_copy(image_text);
	CLEANUP(freep) char *signed_name = view_copy(view_cut(&rest, '\n'));
	static struct reference image;
	bool is_match = false;
	struct err err = { 0 };

	if (!image_name || !signed_name || !reference_parse(&image, image_name, &err) ||
	    (rule_text.len > 0 && !json_parse(&rule, rule_text, &err)))
		return 0;
	if (!identity_matches(&is_match, rule, &image, signed_name, &err))
		assert(err.kind == ERR_UNSUPPORTED && !is_match);
	return 0;
}
