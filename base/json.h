/* JSON of foreign origin, read strictly; JSON of ours, written in a fixed form.
 *
 * The one place that includes jansson; others see only `struct json_t *`, jansson's own type.
 * Duplicate keys, more than one document, NUL inside strings and depth over 64 are refused.
 * Readers: need = must be there, want = may be absent (or null); a wrong type is an error in both.
 * A key that is found wrong is named in the sentence.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "cleanup.h"
#include "err.h"
#include "view.h"

struct json_t;

/* Errors: ERR_FORMAT with line and column, as in "line 3: duplicate key 'a'" */
MUST_CHECK bool json_parse(struct json_t **out, struct view text, struct err *err);
void json_freep(struct json_t **json);

/* All results are borrowed from the document. Errors: ERR_FORMAT. */
MUST_CHECK bool json_need_string(const struct json_t *object, const char *key, const char **out,
				 struct err *err);
MUST_CHECK bool json_need_object(const struct json_t *object, const char *key,
				 const struct json_t **out, struct err *err);
MUST_CHECK bool json_need_array(const struct json_t *object, const char *key,
				const struct json_t **out, struct err *err);
MUST_CHECK bool json_need_size(const struct json_t *object, const char *key, uint64_t *out,
			       struct err *err); /* an integer of 0 or more */

/* Whether the key is there and not null. */
bool json_has(const struct json_t *object, const char *key);

/* Absent or null: *out becomes NULL (0, false) and the call succeeds. */
MUST_CHECK bool json_want_string(const struct json_t *object, const char *key, const char **out,
				 struct err *err);
MUST_CHECK bool json_want_object(const struct json_t *object, const char *key,
				 const struct json_t **out, struct err *err);
MUST_CHECK bool json_want_array(const struct json_t *object, const char *key,
				const struct json_t **out, struct err *err);
MUST_CHECK bool json_want_size(const struct json_t *object, const char *key, uint64_t *out,
			       struct err *err);
MUST_CHECK bool json_want_bool(const struct json_t *object, const char *key, bool *out,
			       struct err *err);

/* Arrays; NULL counts 0. json_text is the item as a string, NULL when it is none; json_size is the
 * item as an integer of 0 or more, false when it is none. */
size_t json_count(const struct json_t *array);
const struct json_t *json_item(const struct json_t *array, size_t index);
const char *json_text(const struct json_t *item);
MUST_CHECK bool json_size(const struct json_t *item, uint64_t *out);

/* Members of an object in document order. *position starts as NULL; false when there are no
 * more. NULL for object: none. */
bool json_next_member(const struct json_t *object, void **position, const char **key,
		      const struct json_t **value);

/* Building. Nothing fails here: in text that is not UTF-8 each byte over 0x7f becomes U+FFFD, and
 * a value lost to a lack of memory is lost (json_print then fails as well, or soon something
 * else). put and add take over value. text may be NULL: null. */
struct json_t *json_new_object(void);
struct json_t *json_new_array(void);
struct json_t *json_new_text(struct view text);
struct json_t *json_new_size(uint64_t value);
struct json_t *json_new_bool(bool value);
void json_put(struct json_t *object, const char *key, struct json_t *value);
void json_put_text(struct json_t *object, const char *key, const char *text);
void json_put_view(struct json_t *object, const char *key, struct view text);
void json_put_size(struct json_t *object, const char *key, uint64_t value);
void json_put_bool(struct json_t *object, const char *key, bool value);
/* The object under the key, to be added to; an empty one takes the place of whatever else is there.
 * Borrowed. NULL, which put and add pass over, when out of memory. */
struct json_t *json_object_at(struct json_t *object, const char *key);
void json_add(struct json_t *array, struct json_t *value);
void json_add_text(struct json_t *array, const char *text);
void json_add_size(struct json_t *array, uint64_t value);

/* Print in insertion order, on one line or indented by 2; no final newline. */
enum json_style { JSON_ONE_LINE, JSON_INDENTED };
MUST_CHECK bool json_print(struct bytes *out, const struct json_t *json, enum json_style style,
			   struct err *err);
