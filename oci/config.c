#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"

enum { LIST_COUNT_MAX = 65536 };

MUST_CHECK static bool copy_text(char **out, const struct json_t *json, const char *key,
				 struct err *err)
{
	const char *text = NULL;

	if (!json_want_string(json, key, &text, err))
		return false;
	if (!text || !*text)
		return true; /* Docker writes "" for what is not given */
	*out = view_copy(view_of(text));
	return *out || err_memory(err, key);
}

static void list_freep(char ***list)
{
	for (char **item = *list; item && *item; item++)
		free(*item);
	free(*list);
	*list = NULL;
}

MUST_CHECK static bool copy_list(char ***out, const struct json_t *json, const char *key,
				 struct err *err)
{
	CLEANUP(list_freep) char **list = NULL;
	const struct json_t *array = NULL;

	if (!json_want_array(json, key, &array, err))
		return false;
	if (!array)
		return true;
	size_t count = json_count(array);

	if (count > LIST_COUNT_MAX)
		return err_set(err, ERR_UNSUPPORTED, "\"%s\" has %zu items", key, count);
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return err_memory(err, key);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_text(json_item(array, i));

		if (!text)
			return err_set(err, ERR_FORMAT, "\"%s\" holds what is no string", key);
		list[i] = view_copy(view_of(text));
		if (!list[i])
			return err_memory(err, key);
	}
	*out = ptr_take(&list);
	return true;
}

/* Two or four digits at text + *at, then the byte that has to follow them. */
static bool read_digits(struct view text, size_t *at, size_t digit_count, char next, int *out)
{
	uint64_t value = 0;

	if (*at + digit_count > text.len ||
	    !view_number((struct view){ text.ptr + *at, digit_count }, 10, 9999, &value))
		return false;
	*at += digit_count;
	*out = (int)value;
	if (next == '\0')
		return true;
	return *at < text.len && text.ptr[(*at)++] == next;
}

/* "Z", or "+01:00" in seconds. */
static bool read_zone(struct view text, int *out)
{
	size_t at = 1;
	int hours = 0, minutes = 0;

	*out = 0;
	if (view_equal(text, "Z") || view_equal(text, "z"))
		return true;
	if (text.len != strlen("+01:00") || (text.ptr[0] != '+' && text.ptr[0] != '-') ||
	    !read_digits(text, &at, 2, ':', &hours) || !read_digits(text, &at, 2, '\0', &minutes))
		return false;
	*out = (hours * 3600 + minutes * 60) * (text.ptr[0] == '-' ? -1 : 1);
	return hours < 24 && minutes < 60;
}

static bool read_date(struct view text, size_t *at, struct tm *out)
{
	return read_digits(text, at, 4, '-', &out->tm_year) &&
	       read_digits(text, at, 2, '-', &out->tm_mon) &&
	       read_digits(text, at, 2, 'T', &out->tm_mday) && out->tm_mon >= 1 &&
	       out->tm_mon <= 12 && out->tm_mday >= 1 && out->tm_mday <= 31;
}

static bool read_clock(struct view text, size_t *at, struct tm *out)
{
	return read_digits(text, at, 2, ':', &out->tm_hour) &&
	       read_digits(text, at, 2, ':', &out->tm_min) &&
	       read_digits(text, at, 2, '\0', &out->tm_sec) && out->tm_hour <= 23 &&
	       out->tm_min <= 59 && out->tm_sec <= 60;
}

/* Source: RFC 3339; a fraction of a second is dropped. */
static bool read_time(const char *created, int64_t *out)
{
	struct view text = view_of(created);
	struct tm tm = { 0 };
	size_t at = 0;
	int zone = 0;

	if (!read_date(text, &at, &tm) || !read_clock(text, &at, &tm))
		return false;
	if (at < text.len && text.ptr[at] == '.')
		for (at++; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';)
			at++;
	if (!read_zone(view_from(text, at), &zone))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = (int64_t)timegm(&tm) - zone;
	return true;
}

MUST_CHECK static bool read_created(struct image_config *config, const struct json_t *json,
				    struct err *err)
{
	if (!copy_text(&config->created, json, "created", err))
		return false;
	if (config->created && !read_time(config->created, &config->created_seconds))
		return err_set(err, ERR_FORMAT, "\"created\" is no time: %.100s", config->created);
	return true;
}

MUST_CHECK static bool print_labels(struct bytes *out, const struct json_t *process,
				    struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(CONFIG_BYTES_MAX);
	const struct json_t *labels = NULL;

	if (!json_want_object(process, "Labels", &labels, err))
		return false;
	if (labels ? !json_print(&text, labels, JSON_ONE_LINE, err)
		   : !bytes_append(&text, "{}", 2, err))
		return err_wrap(err, "Labels");
	*out = text;
	text = bytes_capped(0);
	return true;
}

MUST_CHECK static bool read_process(struct image_config *config, const struct json_t *json,
				    struct err *err)
{
	const struct json_t *process = NULL;

	if (!json_want_object(json, "config", &process, err))
		return false;
	return copy_text(&config->user, process, "User", err) &&
	       copy_text(&config->working_dir, process, "WorkingDir", err) &&
	       copy_text(&config->stop_signal, process, "StopSignal", err) &&
	       copy_list(&config->entrypoint, process, "Entrypoint", err) &&
	       copy_list(&config->cmd, process, "Cmd", err) &&
	       copy_list(&config->env, process, "Env", err) &&
	       print_labels(&config->labels_json, process, err);
}

MUST_CHECK static bool read_diff_ids(struct image *image, const struct json_t *json,
				     struct err *err)
{
	const struct json_t *rootfs = NULL, *diff_ids = NULL;

	if (!json_need_object(json, "rootfs", &rootfs, err) ||
	    !json_want_array(rootfs, "diff_ids", &diff_ids, err))
		return false;
	if (json_count(diff_ids) != image->layer_count)
		return err_set(err, ERR_FORMAT, "%zu diff_ids for %zu layers", json_count(diff_ids),
			       image->layer_count);
	for (size_t i = 0; i < image->layer_count; i++) {
		const char *text = json_text(json_item(diff_ids, i));

		if (!text)
			return err_set(err, ERR_FORMAT, "diff_id %zu is no string", i);
		if (!digest_parse(&image->layers[i].diff_id, view_of(text), err))
			return err_wrap(err, "diff_id %zu", i);
	}
	return true;
}

MUST_CHECK static bool read_platform(struct platform *out, const struct json_t *json,
				     const struct platform *fallback, struct err *err)
{
	const char *os = NULL, *architecture = NULL, *variant = NULL;
	struct platform platform = { 0 };

	if (!json_want_string(json, "os", &os, err) ||
	    !json_want_string(json, "architecture", &architecture, err) ||
	    !json_want_string(json, "variant", &variant, err))
		return false;
	bool is_named = os && *os && architecture && *architecture;

	if (!is_named && !fallback)
		return err_set(err, ERR_FORMAT, "it names no os and architecture");
	snprintf(platform.os, sizeof(platform.os), "%s", is_named ? os : fallback->os);
	snprintf(platform.architecture, sizeof(platform.architecture), "%s",
		 is_named ? architecture : fallback->architecture);
	bool is_as_said = fallback && strcmp(platform.architecture, fallback->architecture) == 0;

	if (!variant || !*variant)
		variant = is_as_said ? fallback->variant : "";
	snprintf(platform.variant, sizeof(platform.variant), "%s", variant);
	*out = platform;
	return true;
}

bool config_read(struct image *image, struct view text, const struct platform *fallback,
		 struct err *err)
{
	CLEANUP(json_freep) struct json_t *json = NULL;

	return json_parse(&json, text, err) &&
	       read_platform(&image->platform, json, fallback, err) &&
	       read_created(&image->config, json, err) && read_process(&image->config, json, err) &&
	       read_diff_ids(image, json, err);
}

void image_freep(struct image *image)
{
	struct image_config *config = &image->config;

	layers_free(image->layers, image->layer_count);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	free(config->created);
	list_freep(&config->entrypoint);
	list_freep(&config->cmd);
	list_freep(&config->env);
	bytes_freep(&config->labels_json);
	*image = (struct image){ 0 };
}
