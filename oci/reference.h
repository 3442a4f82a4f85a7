/* IMAGE on the command line, taken apart: the transports and spellings of skopeo and podman. */
#pragma once

#include "base/digest.h"
#include "base/err.h"

enum transport {
	TRANSPORT_REGISTRY, /* registry/name[:tag][@digest], docker://… */
	TRANSPORT_OCI, /* oci:DIR[:TAG] */
	TRANSPORT_OCI_ARCHIVE, /* oci-archive:FILE[:TAG] */
	TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:FILE[:TAG] */
};

struct reference {
	enum transport transport;
	char registry[256]; /* host[:port] as typed, "docker.io" by default; "" for files */
	char repository[256]; /* "library/debian"; "" for files */
	char tag[256]; /* "latest" by default unless a digest is given; "" for files: not given */
	bool has_digest;
	struct digest digest;
	char path[4096]; /* of the folder or archive; "" for a registry */
};

/* Errors: ERR_USAGE  what is wrong, with the text
 * Source: distribution/reference grammar; containers-transports(5) */
MUST_CHECK bool reference_parse(struct reference *out, const char *text, struct err *err);

/* The canonical spelling, e.g. "docker.io/library/debian:12"; NUL-terminated in out. */
enum { REFERENCE_TEXT_BYTES = 5120 };
void reference_text(const struct reference *reference, char out[REFERENCE_TEXT_BYTES]);
