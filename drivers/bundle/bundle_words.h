/* The words that a bundle's manifest has for its enums, both ways. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "bundle.h"

/* False for a word that is none. */
MUST_CHECK bool bundle_flavor_of_word(const char *word, enum bundle_flavor *out);
MUST_CHECK bool bundle_kind_of_word(const char *word, enum bundle_file_kind *out);
/* "run", "redist", "deb", "oci", "dir" */
bool bundle_is_source_type(const char *word);
