/* An image as a registry or a layout describes it, and the way to its bytes: what builder/ asks
 * of oci/. Nothing here knows what a layer contains.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/report.h"
#include "base/stream.h"
#include "platform.h"
#include "reference.h"

struct layer {
	struct digest digest; /* of the blob, compressed */
	uint64_t size_bytes; /* of the blob */
	struct digest diff_id; /* of the tar inside */
	char **urls; /* where else a foreign layer may be had; NULL, or ends in NULL */
	struct bytes data; /* the blob itself, where the manifest holds it; else empty */
};

/* What the config says about the process; strings are owned by the image, NULL when not given. */
struct image_config {
	char *user, *working_dir, *stop_signal;
	char **entrypoint, **cmd, **env; /* each ends in NULL; NULL pointer: not given */
	char *created; /* RFC 3339 as it stands, or NULL */
	int64_t created_seconds; /* parsed; 0 when absent */
	struct bytes labels_json; /* the Labels object as printed JSON, "{}" when none */
};

struct image {
	struct platform platform; /* from the config: os, architecture, variant */
	struct digest manifest_digest, config_digest;
	uint64_t config_size_bytes;
	struct layer *layers; /* layers[layer_count], lowest first; owned */
	size_t layer_count;
	struct image_config config;
};
void image_freep(struct image *image);

struct image_source; /* where manifests and blobs come from: a registry repository or a layout */

/* Strings are borrowed until image_source_freep. */
struct source_options {
	bool plain_http; /* --plain-http: also off loopback */
	unsigned retries; /* --retry: attempts in a row that brought no byte; builder's default 5 */
	unsigned blob_connections; /* --blob-connections: at once for one large blob; 0 means 4 */
	const char *credentials; /* --creds USER:PASSWORD; NULL: look in the auth files */
	const char *auth_file; /* --authfile: the only one to look in; NULL: the usual ones */
	const char *hosts_dir; /* --hosts-dir: mirrors and certificates; NULL: the usual places */
	const char *policy_file; /* --policy: a containers policy.json; NULL: the usual places */
	const char *user_agent; /* e.g. "vmbake/0.1" */
	struct report *report; /* borrowed: REPORT_FETCH counts, notes on retries */
};

MUST_CHECK bool image_source_open(struct image_source **out, const struct reference *reference,
				  const struct source_options *options, struct err *err);
void image_source_freep(struct image_source **source);

/* Resolve the reference to one image for that platform: index → manifest → config, every digest
 * and size verified. A manifest that is not in an index is taken if its config's os and
 * architecture fit the platform.
 * Errors: ERR_NOT_FOUND    no such repository, tag, digest, or platform (what is there is listed)
 *         ERR_AUTH, ERR_NETWORK, ERR_INTEGRITY
 *         ERR_UNSUPPORTED  schema 1, a media type that is no container image
 *         ERR_FORMAT       malformed manifest or config; diff_ids that do not fit the layers */
MUST_CHECK bool image_resolve(struct image *out, struct image_source *source,
			      const struct platform *platform, struct err *err);

/* Open a layer's blob as a verified stream (see base/stream.h): its end is reached only if digest
 * and size are right.
 * blobs_dir_fd: the store's blobs/sha256. A registry's blob is received by a thread of its own into
 *   HEX.part there, read back by the stream as it grows, resumed where an earlier process stopped,
 *   and held by flock. A layout's blob is read in place and blobs_dir_fd is not touched.
 * layer: borrowed until blob_freep
 * The stream is borrowed until blob_freep. Freeing before the end stops the thread, keeps .part. */
struct blob;
MUST_CHECK bool blob_open(struct blob **out, struct image_source *source, const struct layer *layer,
			  int blobs_dir_fd, struct err *err);
struct stream *blob_stream(struct blob *blob);
/* The stream has failed. Is it because what came was not what the digest says, and is there
 * somebody else to ask? Then what came is thrown away and the stream begins anew; what was made of
 * it has to go as well.
 * failure: of whoever read the stream
 * err: on false that failure, or why beginning anew failed */
MUST_CHECK bool blob_start_over(struct blob *blob, const struct err *failure, struct err *err);
/* After the verified end: keep the blob under its digest in blobs_dir_fd, or remove it. */
MUST_CHECK bool blob_finish(struct blob *blob, bool keep, struct err *err);
void blob_freep(struct blob **blob);
