#include "user.h"

#include <string.h>

enum {
	ID_MAX = INT32_MAX, /* as docker: over it the two halves of the world disagree on signs */
	GROUP_COUNT_MAX = 65536, /* the kernel's NGROUPS_MAX */
};

/* One line of either file, cut at its colons. */
struct record {
	struct view name;
	uint64_t id; /* uid or gid */
	struct view fields[7]; /* "name:x:uid:gid:comment:home:shell", "name:x:gid:members" */
};

/* The next well-formed line; comments, short lines and ids that are none are passed over. */
static bool next_record(struct view *rest, size_t id_field, struct record *out)
{
	while (rest->len > 0) {
		struct view line = view_trim(view_cut(rest, '\n'));
		struct record record = { 0 };

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		for (size_t i = 0; i < sizeof(record.fields) / sizeof(record.fields[0]); i++)
			record.fields[i] = view_cut(&line, ':');
		record.name = record.fields[0];
		if (record.name.len == 0 ||
		    !view_number(record.fields[id_field], 10, UINT32_MAX, &record.id))
			continue;
		*out = record;
		return true;
	}
	return false;
}

enum { PASSWD_UID = 2, PASSWD_GID = 3, PASSWD_HOME = 5, GROUP_GID = 2, GROUP_MEMBERS = 3 };

/* The first line whose name or number is the one that is wanted. */
static bool find_record(struct view file, size_t id_field, struct view wanted,
			struct record *out)
{
	uint64_t id = 0;
	bool is_number = view_number(wanted, 10, UINT64_MAX, &id);

	while (next_record(&file, id_field, out))
		if (view_same(out->name, wanted) || (is_number && out->id == id))
			return true;
	return false;
}

MUST_CHECK static bool need_number(struct view text, const char *what, const char *file,
				   uint32_t *out, struct err *err)
{
	uint64_t id = 0;

	if (!view_number(text, 10, UINT64_MAX, &id))
		return err_set(err, ERR_FORMAT, "%s %.*s is not in the image's %s", what,
			       VIEW_ARGS(text), file);
	if (id > ID_MAX)
		return err_set(err, ERR_FORMAT, "%s %.*s is over %d", what, VIEW_ARGS(text),
			       ID_MAX);
	*out = (uint32_t)id;
	return true;
}

MUST_CHECK static bool check_id(uint64_t id, const char *what, struct view name, uint32_t *out,
				struct err *err)
{
	if (id > ID_MAX)
		return err_set(err, ERR_FORMAT, "%s %.*s has an id over %d", what, VIEW_ARGS(name),
			       ID_MAX);
	*out = (uint32_t)id;
	return true;
}

/* The user's part; *name stays empty when there is no entry. */
MUST_CHECK static bool set_user(struct boot_user *user, struct view wanted, struct view passwd,
				struct view *name, struct arena *arena, struct err *err)
{
	struct view home = view_of("/");
	struct record record;
	uint64_t gid = 0;

	if (wanted.len == 0)
		wanted = view_of("0");
	if (!find_record(passwd, PASSWD_UID, wanted, &record)) {
		if (!need_number(wanted, "user", "/etc/passwd", &user->uid, err))
			return false;
	} else {
		if (!view_number(record.fields[PASSWD_GID], 10, UINT32_MAX, &gid))
			gid = 0;
		if (!check_id(record.id, "user", wanted, &user->uid, err) ||
		    !check_id(gid, "the group of user", wanted, &user->gid, err))
			return false;
		*name = record.name;
		if (record.fields[PASSWD_HOME].len > 0)
			home = record.fields[PASSWD_HOME];
	}
	user->home = arena_copy(arena, home.ptr, home.len);
	return user->home || err_memory(err, "a user");
}

static bool lists_member(struct view members, struct view name)
{
	while (members.len > 0)
		if (view_same(view_cut(&members, ','), name))
			return true;
	return false;
}

MUST_CHECK static bool set_groups(struct boot_user *user, struct view name, struct view group,
				  struct arena *arena, struct err *err)
{
	struct view rest = group;
	struct record record;
	size_t count = 0;

	while (next_record(&rest, GROUP_GID, &record))
		count += lists_member(record.fields[GROUP_MEMBERS], name);
	if (count > GROUP_COUNT_MAX)
		return err_set(err, ERR_FORMAT, "user %.*s is in over %d groups", VIEW_ARGS(name),
			       GROUP_COUNT_MAX);
	uint32_t *groups = arena_take(arena, (count + 1) * sizeof(*groups));

	if (!groups)
		return err_memory(err, "a user's groups");
	for (rest = group; next_record(&rest, GROUP_GID, &record);)
		if (lists_member(record.fields[GROUP_MEMBERS], name) &&
		    !check_id(record.id, "group", record.name, &groups[user->group_count++], err))
			return false;
	user->groups = groups;
	return true;
}

bool user_resolve(struct boot_user *out, struct view user, struct view passwd, struct view group,
		  struct arena *arena, struct err *err)
{
	struct view group_wanted = user, user_wanted = view_cut(&group_wanted, ':');
	struct boot_user result = { 0 };
	struct view name = { 0 };
	struct record record;

	if (!set_user(&result, user_wanted, passwd, &name, arena, err))
		return false;
	if (group_wanted.len == 0) {
		if (name.len > 0 && !set_groups(&result, name, group, arena, err))
			return false;
	} else if (find_record(group, GROUP_GID, group_wanted, &record)) {
		if (!check_id(record.id, "group", group_wanted, &result.gid, err))
			return false;
	} else if (!need_number(group_wanted, "group", "/etc/group", &result.gid, err)) {
		return false;
	}
	*out = result;
	return true;
}
