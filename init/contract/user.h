/* Who "name", "name:group", "uid" or "uid:gid" is, by an image's own /etc/passwd and /etc/group.
 *
 * Pure: over the two files' text. On the host at build, in the guest when machine settings name
 * another user; never getpwnam, which would ask the wrong system.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"
#include "boot_config.h"

/* passwd, group: the files' text, empty when the image has none
 * A number without an entry is taken as it is (gid 0, home "/"); a number that is also an entry's
 * name or id takes that entry's group and home. Without an explicit group, groups are those that
 * list the user's name. home is never NULL. All memory comes from the arena.
 * Errors: ERR_FORMAT  a name that is in neither file, an id over 2^31-1
 * Source: moby/sys user.GetExecUser, which docker and containerd share */
MUST_CHECK bool user_resolve(struct boot_user *out, struct view user, struct view passwd,
			     struct view group, struct arena *arena, struct err *err);
