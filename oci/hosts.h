/* Which hosts serve a registry's content: the registry itself, or mirrors before it, as
 * containerd's hosts.toml or docker's certs.d folders say. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum { HOST_COUNT_MAX = 64 }; /* of one registry */

struct host {
	char *base_url; /* https://host[:port]/v2, without a final slash; owned, as all here */
	bool is_registry; /* the registry itself; the others are told which one is meant */
	bool is_scheme_given; /* by a file: no other is tried */
	bool may_be_plain; /* http:// in the file, but with settings of TLS, which is tried first */
	bool can_pull, can_resolve, can_refer; /* can_refer: lists what refers to a digest */
	uint64_t dial_timeout_ms; /* for a connection; 0: the usual one */
	bool skip_verify;
	struct bytes authorities; /* PEM: the system's and its own; empty: the system's */
	char *certificate, *key; /* PEM files to show; NULL: none; key may be in certificate */
	char **headers; /* "Name: value", ends in NULL; or NULL */
};

struct hosts {
	struct host *list; /* list[count], in the order in which they are asked; owned */
	size_t count;
};

/* registry: as in a reference
 * dir:      --hosts-dir, or NULL for the usual places: /etc/containerd/certs.d,
 *           /etc/vmbake/certs.d, then docker's /etc/docker/certs.d and podman's
 *           /etc/containers/certs.d. In each: HOST_PORT_, HOST:PORT, _default; the first that is
 *           there counts.
 * Errors: ERR_FORMAT             a file that does not parse, or means nothing
 *         ERR_NOT_FOUND, ERR_IO  a certificate it names
 * Source: containerd docs/hosts.md; docker "certs.d" */
MUST_CHECK bool hosts_find(struct hosts *out, const char *registry, const char *dir,
			   struct err *err);

/* What one hosts.toml says. folder: where its relative paths begin */
MUST_CHECK bool hosts_parse(struct hosts *out, struct view text, const char *folder,
			    const char *registry, struct err *err);
void hosts_freep(struct hosts *hosts);
