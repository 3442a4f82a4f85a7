/* TOML, as much of it as a hosts.toml has: read strictly, given out as JSON.
 *
 * Tables, dotted and quoted keys, inline tables, strings of one line, whole numbers, booleans and
 * arrays. The rest of TOML (dates, floats, strings of several lines, arrays of tables) is refused
 * by name. Pure: no I/O.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct json_t;

/* Errors: ERR_FORMAT       malformed, with the line; a key or table defined twice
 *         ERR_UNSUPPORTED  well-formed TOML that is not read here
 * Source: toml.io, version 1.0.0 */
MUST_CHECK bool toml_parse(struct json_t **out, struct view text, struct err *err);
