#include "exit_record.h"

#include <string.h>

#include "base/json.h"

enum { EXIT_CODE_MAX = 255, SIGNAL_MAX = 64 };

void exit_record_freep(struct exit_record *record)
{
	arena_freep(&record->arena);
	*record = (struct exit_record){ 0 };
}

static struct json_t *gpu_json(const struct exit_gpu *gpu)
{
	struct json_t *json = json_new_object();

	json_put_text(json, "verdict", gpu->verdict);
	json_put_size(json, "count", gpu->gpu_count);
	if (gpu->unknown_count > 0)
		json_put_size(json, "requirements-unknown", gpu->unknown_count);
	if (gpu->code != 0) {
		json_put_size(json, "code", gpu->code);
		json_put_text(json, "symptom", gpu->symptom);
		json_put_text(json, "hint", gpu->hint);
		json_put_bool(json, "drain", gpu->is_drain);
	}
	return json;
}

struct json_t *exit_record_json(const struct exit_record *record)
{
	struct json_t *json = json_new_object();

	json_put_size(json, "vmbake-exit", 1);
	json_put_size(json, record->ending.was_signaled ? "signal" : "code",
		      (uint64_t)record->ending.code);
	json_put_bool(json, "oom-killed", record->had_oom_kill);
	if (record->failure)
		json_put_text(json, "failure", record->failure);
	json_put(json, "gpu", gpu_json(&record->gpu));
	return json;
}

MUST_CHECK static bool read_text(struct arena *arena, const struct json_t *object, const char *key,
				 const char **out, struct err *err)
{
	const char *text = NULL;

	if (!json_want_string(object, key, &text, err))
		return false;
	*out = text ? arena_copy(arena, text, strlen(text)) : NULL;
	return !text || *out || err_memory(err, "an exit report");
}

MUST_CHECK static bool read_number(const struct json_t *object, const char *key, uint64_t max,
				   uint64_t *out, struct err *err)
{
	if (!json_want_size(object, key, out, err))
		return false;
	return *out <= max || err_set(err, ERR_FORMAT, "\"%s\" is over %llu", key,
				      (unsigned long long)max);
}

MUST_CHECK static bool read_ending(struct ending *out, const struct json_t *json, struct err *err)
{
	bool was_signaled = json_has(json, "signal");
	uint64_t number = 0, format = 0;

	if (!json_need_size(json, "vmbake-exit", &format, err))
		return false;
	if (format != 1 || was_signaled == json_has(json, "code"))
		return err_set(err, ERR_FORMAT, "neither one code nor one signal of format 1");
	if (!read_number(json, was_signaled ? "signal" : "code",
			 was_signaled ? SIGNAL_MAX : EXIT_CODE_MAX, &number, err))
		return false;
	*out = (struct ending){ was_signaled, (int)number };
	return true;
}

MUST_CHECK static bool read_gpu(struct exit_record *record, const struct json_t *json,
				struct err *err)
{
	struct exit_gpu *gpu = &record->gpu;
	const struct json_t *object = NULL;
	uint64_t code = 0;

	if (!json_want_object(json, "gpu", &object, err))
		return false;
	if (!object)
		return true;
	if (!read_text(&record->arena, object, "verdict", &gpu->verdict, err) ||
	    !json_want_size(object, "count", &gpu->gpu_count, err) ||
	    !json_want_size(object, "requirements-unknown", &gpu->unknown_count, err) ||
	    !read_number(object, "code", UINT16_MAX, &code, err) ||
	    !read_text(&record->arena, object, "symptom", &gpu->symptom, err) ||
	    !read_text(&record->arena, object, "hint", &gpu->hint, err) ||
	    !json_want_bool(object, "drain", &gpu->is_drain, err))
		return err_wrap(err, "\"gpu\"");
	gpu->code = (unsigned)code;
	return true;
}

bool exit_record_parse(struct exit_record *out, struct view line, struct err *err)
{
	CLEANUP(exit_record_freep) struct exit_record record = { 0 };
	CLEANUP(json_freep) struct json_t *json = NULL;

	if (!json_parse(&json, line, err) || !read_ending(&record.ending, json, err) ||
	    !json_want_bool(json, "oom-killed", &record.had_oom_kill, err) ||
	    !read_text(&record.arena, json, "failure", &record.failure, err) ||
	    !read_gpu(&record, json, err))
		return err_wrap(err, "the exit report");
	*out = record;
	record.arena = (struct arena){ 0 };
	return true;
}

MUST_CHECK static bool number_behind(struct view line, const char *words, uint64_t max, int *out)
{
	uint64_t number = 0;

	if (!view_starts(line, words) ||
	    !view_number(view_from(line, strlen(words)), 10, max, &number))
		return false;
	*out = (int)number;
	return true;
}

bool exit_line_parse(struct ending *out, struct view line)
{
	int code = 0;
	bool was_signaled =
		number_behind(line, CONSOLE_PREFIX CONSOLE_EXIT_SIGNAL, SIGNAL_MAX, &code);

	if (!was_signaled &&
	    !number_behind(line, CONSOLE_PREFIX CONSOLE_EXIT_CODE, EXIT_CODE_MAX, &code))
		return false;
	*out = (struct ending){ was_signaled, code };
	return true;
}

struct view failure_line_parse(struct view line)
{
	static const char words[] = CONSOLE_PREFIX CONSOLE_FAILURE;

	return view_starts(line, words) ? view_from(line, strlen(words)) : (struct view){ 0 };
}
