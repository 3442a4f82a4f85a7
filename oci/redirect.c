#include "redirect.h"

#include "url.h"

enum { REDIRECT_COUNT_MAX = 10 };

bool redirect_follow(struct redirects *redirects, struct bytes *url, struct view to,
		     bool allows_plain, struct err *err)
{
	struct view from = bytes_view(url), host = url_authority(from);
	bool is_downgrade = url_is_https(from) && !url_is_https(to);

	if (redirects->count++ >= REDIRECT_COUNT_MAX)
		return err_set(err, ERR_NETWORK, "%.*s redirects more than %d times",
			       VIEW_ARGS(host), REDIRECT_COUNT_MAX);
	if (is_downgrade && !allows_plain)
		return err_set(err, ERR_NETWORK, "%.*s redirects from https to http",
			       VIEW_ARGS(host));
	redirects->is_elsewhere |= !url_same_origin(from, to);
	bytes_clear(url);
	return bytes_append(url, to.ptr, to.len, err);
}
