/* Lists inside the JSON documents that host and guest exchange: strings, modules, device nodes. */
#pragma once

#include "base/json.h"
#include "boot_config.h"

enum {
	LIST_COUNT_MAX = 64 << 10, /* items of one list */
};

/* Each reads what stands under the key; absent or null: an empty list. All memory comes from the
 * arena. Errors: ERR_FORMAT, with the key named; ERR_UNSUPPORTED past the cap */
MUST_CHECK bool list_read_texts(struct arena *arena, const struct json_t *object, const char *key,
				struct text_list *out, struct err *err);
MUST_CHECK bool list_read_modules(struct arena *arena, const struct json_t *object,
				  struct module_list *out, struct err *err);
MUST_CHECK bool list_read_nodes(struct arena *arena, const struct json_t *object,
				const struct boot_node **nodes, size_t *count, struct err *err);

/* Find the list under the key, and room for as many items and one more, zeroed.
 * *out: NULL when there is none */
MUST_CHECK bool list_take(struct arena *arena, const struct json_t *object, const char *key,
			  size_t item_bytes, const struct json_t **out, void **room,
			  struct err *err);

/* A number up to max. */
MUST_CHECK bool list_read_number(const struct json_t *object, const char *key, uint32_t max,
				 uint32_t *out, struct err *err);
/* A string that must be there, copied; one that may be absent: NULL. */
MUST_CHECK bool list_read_text(struct arena *arena, const struct json_t *object, const char *key,
			       const char **out, struct err *err);
MUST_CHECK bool list_want_text(struct arena *arena, const struct json_t *object, const char *key,
			       const char **out, struct err *err);

struct json_t *list_of_texts(const struct text_list *list); /* NULL items: JSON's null */
struct json_t *list_of_modules(const struct module_list *list);
struct json_t *list_of_nodes(const struct boot_node *nodes, size_t count);
