/* A store of a test's own, in a folder of its own, and small things to put into it. */
#pragma once

#include "builder/store.h"

enum { MADE_FOLDER_BYTES = 64 };

/* An empty folder; and its removal, whatever is in it. */
void made_folder(char out[MADE_FOLDER_BYTES]);
void made_folder_remove(const char *folder);

/* The store in it, waiting for nobody. */
void made_store_open(struct store *out, const char *folder);

/* A layer of one block in a draft; kept when told to. Its one file "f" says "body". */
void made_layer(struct store *store, const struct digest *diff_id, bool keep);

/* A file with that content, path relative to the store's folder. */
void made_file(const struct store *store, const char *path, const char *content);
/* Its mtime, in seconds since 1970. */
void made_time(const struct store *store, const char *path, int64_t seconds);
bool made_is_there(const struct store *store, const char *path);
