/* Where the user's own settings are. */
#pragma once

/* $HOME, else what the system says of this user, else "/". Borrowed until the next call. */
const char *home_folder(void);
