#include "url.h"

#include <string.h>
#include <strings.h>

bool url_is_https(struct view url)
{
	return url.len > 8 && strncasecmp(url.ptr, "https://", 8) == 0;
}

struct view url_authority(struct view url)
{
	size_t scheme_len = url_is_https(url) ? 8 : 7;

	if (scheme_len == 7 && (url.len < 8 || strncasecmp(url.ptr, "http://", 7) != 0))
		return (struct view){ 0 };
	struct view authority = view_from(url, scheme_len);

	for (size_t i = 0; i < authority.len; i++)
		if (strchr("/?#", authority.ptr[i])) {
			authority.len = i;
			break;
		}
	ptrdiff_t at = view_find_last(authority, '@');

	return at < 0 ? authority : view_from(authority, (size_t)at + 1);
}

static bool split_port(struct view authority, struct view *host, uint64_t *port)
{
	ptrdiff_t colon = view_find_last(authority, ':');

	*host = authority;
	if (colon < 0 || view_ends(authority, "]"))
		return true;
	host->len = (size_t)colon;
	return view_number(view_from(authority, host->len + 1), 10, 65535, port);
}

bool url_same_origin(struct view a, struct view b)
{
	struct view host_a, host_b;
	uint64_t port_a = url_is_https(a) ? 443 : 80, port_b = url_is_https(b) ? 443 : 80;

	return url_is_https(a) == url_is_https(b) &&
	       split_port(url_authority(a), &host_a, &port_a) &&
	       split_port(url_authority(b), &host_b, &port_b) && host_a.len > 0 &&
	       host_a.len == host_b.len && strncasecmp(host_a.ptr, host_b.ptr, host_a.len) == 0 &&
	       port_a == port_b;
}

/* Four numbers, so that the name 127.example.org is not taken for this machine. */
static bool is_loopback_ipv4(struct view host)
{
	struct view rest = host;
	uint64_t number = 0;

	for (int i = 0; i < 4; i++) {
		struct view part = view_cut(&rest, '.');

		if (!view_number(part, 10, 255, &number) || (i == 0 && number != 127))
			return false;
	}
	return !rest.ptr;
}

bool host_is_loopback(struct view authority)
{
	struct view host;
	uint64_t port = 0;

	if (!split_port(authority, &host, &port))
		return false;
	return (host.len == 9 && strncasecmp(host.ptr, "localhost", 9) == 0) ||
	       view_equal(host, "[::1]") || is_loopback_ipv4(host);
}

bool url_escape(struct bytes *out, struct view text, struct err *err)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~";

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		bool is_plain = byte && strchr(unreserved, byte);

		if (is_plain ? !bytes_append(out, &byte, 1, err)
			     : !bytes_print(out, err, "%%%02X", (unsigned char)byte))
			return false;
	}
	return true;
}
