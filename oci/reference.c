#include "reference.h"

#include <stdio.h>
#include <string.h>

#include "base/view.h"

enum { SHOWN_LEN_MAX = 200 };

static bool is_lower_or_digit(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool is_word(char byte)
{
	return is_lower_or_digit(byte) || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* [a-z0-9]+ joined by one of ".", "_", "__" or any number of "-". */
static bool is_path_component(struct view text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t start = at;

		while (at < text.len && is_lower_or_digit(text.ptr[at]))
			at++;
		if (at == start)
			return false;
		if (at == text.len)
			return true;
		struct view rest = view_from(text, at);

		if (rest.ptr[0] == '-')
			while (at < text.len && text.ptr[at] == '-')
				at++;
		else if (rest.ptr[0] == '.' || rest.ptr[0] == '_')
			at += view_starts(rest, "__") ? 2 : 1;
		else
			return false;
	}
	return false;
}

static bool is_repository(struct view text)
{
	struct view rest = text;

	if (text.len == 0 || text.len > 255)
		return false;
	while (rest.ptr)
		if (!is_path_component(view_cut(&rest, '/')))
			return false;
	return true;
}

static bool is_tag(struct view text)
{
	if (text.len == 0 || text.len > 128 || !is_word(text.ptr[0]))
		return false;
	for (size_t i = 1; i < text.len; i++)
		if (!is_word(text.ptr[i]) && text.ptr[i] != '.' && text.ptr[i] != '-')
			return false;
	return true;
}

static bool is_bracketed_ipv6(struct view host)
{
	if (!view_starts(host, "[") || !view_ends(host, "]") || host.len < 4)
		return false;
	for (size_t i = 1; i + 1 < host.len; i++)
		if (!strchr("0123456789abcdefABCDEF:.", host.ptr[i]))
			return false;
	return true;
}

static bool is_host_name(struct view host)
{
	if (host.len == 0 || host.ptr[0] == '-' || host.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!is_word(host.ptr[i]) && host.ptr[i] != '.' && host.ptr[i] != '-')
			return false;
	return true;
}

/* host[:port]; the colons of an IPv6 address stand inside brackets. */
static bool is_registry(struct view text)
{
	ptrdiff_t colon = view_find_last(text, ':');
	uint64_t port = 0;

	if (text.len > 255)
		return false;
	if (view_ends(text, "]") || colon < 0)
		return is_bracketed_ipv6(text) || is_host_name(text);
	struct view host = { text.ptr, (size_t)colon };

	return (is_bracketed_ipv6(host) || is_host_name(host)) &&
	       view_number(view_from(text, host.len + 1), 10, 65535, &port) && port > 0;
}

/* Is what stands before the first slash a registry, or the first part of a Docker Hub name?
 * Source: distribution/reference, splitDockerDomain. */
static bool names_registry(struct view first)
{
	if (view_equal(first, "localhost") || view_starts(first, "["))
		return true;
	for (size_t i = 0; i < first.len; i++)
		if (strchr(".:ABCDEFGHIJKLMNOPQRSTUVWXYZ", first.ptr[i]))
			return true;
	return false;
}

static void copy_out(char *out, size_t out_size, struct view text)
{
	snprintf(out, out_size, "%.*s", VIEW_ARGS(text));
}

MUST_CHECK static bool split_registry(struct reference *out, struct view *rest, struct err *err)
{
	struct view after = *rest, first = view_cut(&after, '/');

	if (!after.ptr || !names_registry(first)) {
		copy_out(out->registry, sizeof(out->registry), view_of("docker.io"));
		return true;
	}
	if (!is_registry(first))
		return err_set(err, ERR_USAGE, "'%.*s' is no registry host", VIEW_ARGS(first));
	bool is_hub = view_equal(first, "docker.io") || view_equal(first, "index.docker.io");

	copy_out(out->registry, sizeof(out->registry), is_hub ? view_of("docker.io") : first);
	*rest = after;
	return true;
}

MUST_CHECK static bool split_digest(struct reference *out, struct view *rest, struct err *err)
{
	struct view digest = *rest, name = view_cut(&digest, '@');

	if (!digest.ptr)
		return true;
	if (!digest_parse(&out->digest, digest, err)) {
		err->kind = err->kind == ERR_UNSUPPORTED ? ERR_UNSUPPORTED : ERR_USAGE;
		return false;
	}
	out->has_digest = true;
	*rest = name;
	return true;
}

MUST_CHECK static bool split_tag(struct reference *out, struct view *rest, struct err *err)
{
	ptrdiff_t colon = view_find_last(*rest, ':');
	struct view tag = view_of(out->has_digest ? "" : "latest");

	if (colon >= 0) {
		tag = (struct view){ rest->ptr + colon + 1, rest->len - (size_t)colon - 1 };
		rest->len = (size_t)colon;
		if (!is_tag(tag))
			return err_set(err, ERR_USAGE, "'%.*s' is no tag", VIEW_ARGS(tag));
	}
	copy_out(out->tag, sizeof(out->tag), tag);
	return true;
}

MUST_CHECK static bool parse_registry(struct reference *out, struct view text, struct err *err)
{
	struct view rest = text;

	if (!split_digest(out, &rest, err) || !split_registry(out, &rest, err) ||
	    !split_tag(out, &rest, err))
		return false;
	if (!is_repository(rest))
		return err_set(err, ERR_USAGE, "'%.*s' is no repository name%s", VIEW_ARGS(rest),
			       rest.len > 0 ? " (lower case, digits, and . _ - / between them)"
					    : "");
	bool is_official = strcmp(out->registry, "docker.io") == 0 && view_find(rest, '/') < 0;
	int len = snprintf(out->repository, sizeof(out->repository), "%s%.*s",
			   is_official ? "library/" : "", VIEW_ARGS(rest));

	if (len < 0 || (size_t)len >= sizeof(out->repository))
		return err_set(err, ERR_USAGE, "a repository name over 255 bytes");
	return true;
}

/* PATH[:TAG]. As in containers-transports(5) the path holds no colon, so that the tag may. */
MUST_CHECK static bool parse_path(struct reference *out, struct view text, struct err *err)
{
	struct view tag = text, path = view_cut(&tag, ':');

	if (path.len == 0)
		return err_set(err, ERR_USAGE, "no path is given");
	if (path.len >= sizeof(out->path) || tag.len >= sizeof(out->tag))
		return err_set(err, ERR_USAGE, "a path or tag that is too long");
	if (tag.ptr && tag.len == 0)
		return err_set(err, ERR_USAGE, "the tag behind the colon is empty");
	copy_out(out->path, sizeof(out->path), path);
	copy_out(out->tag, sizeof(out->tag), tag);
	return true;
}

static const struct {
	const char *prefix;
	enum transport transport;
} transports[] = {
	{ "docker://", TRANSPORT_REGISTRY },
	{ "oci:", TRANSPORT_OCI },
	{ "oci-archive:", TRANSPORT_OCI_ARCHIVE },
	{ "docker-archive:", TRANSPORT_DOCKER_ARCHIVE },
};

enum { TRANSPORT_COUNT = sizeof(transports) / sizeof(transports[0]) };

static bool has_control_byte(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

bool reference_parse(struct reference *out, const char *text, struct err *err)
{
	struct reference reference = { .transport = TRANSPORT_REGISTRY };
	struct view rest = view_of(text);

	if (has_control_byte(text))
		return err_set(err, ERR_USAGE, "an image name with a control character");
	for (size_t i = 0; i < TRANSPORT_COUNT; i++) {
		if (!view_starts(rest, transports[i].prefix))
			continue;
		reference.transport = transports[i].transport;
		rest.ptr += strlen(transports[i].prefix);
		rest.len -= strlen(transports[i].prefix);
		break;
	}
	bool is_ok = reference.transport == TRANSPORT_REGISTRY
			     ? parse_registry(&reference, rest, err)
			     : parse_path(&reference, rest, err);

	if (!is_ok)
		return err_wrap(err, "image '%.*s'", SHOWN_LEN_MAX, text);
	*out = reference;
	return true;
}

static const char *prefix_of(enum transport transport)
{
	for (size_t i = 0; i < TRANSPORT_COUNT; i++)
		if (transports[i].transport == transport)
			return transports[i].prefix;
	return "";
}

void reference_text(const struct reference *reference, char out[REFERENCE_TEXT_BYTES])
{
	char digest[DIGEST_TEXT_BYTES] = "";
	const char *colon = reference->tag[0] ? ":" : "";

	if (reference->transport != TRANSPORT_REGISTRY) {
		snprintf(out, REFERENCE_TEXT_BYTES, "%s%s%s%s", prefix_of(reference->transport),
			 reference->path, colon, reference->tag);
		return;
	}
	if (reference->has_digest)
		digest_text(&reference->digest, digest);
	snprintf(out, REFERENCE_TEXT_BYTES, "%s/%s%s%s%s%s", reference->registry,
		 reference->repository, colon, reference->tag, reference->has_digest ? "@" : "",
		 digest);
}
