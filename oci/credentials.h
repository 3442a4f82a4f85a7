/* Where podman's and docker's users have their credentials, found for one repository. */
#pragma once

#include "base/err.h"
#include "base/view.h"

/* All owned and secret; empty when there is none. An identity token stands alone. */
struct credentials {
	char *user, *password;
	char *identity_token;
};
void credentials_freep(struct credentials *credentials);
bool credentials_exist(const struct credentials *credentials);

/* Look in this order: given, which is USER:PASSWORD; exactly one of auth_file and
 * REGISTRY_AUTH_FILE; else the first that knows the registry of
 * ${XDG_RUNTIME_DIR}/containers/auth.json (/run/containers/UID/auth.json without it),
 * ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json, ${DOCKER_CONFIG:-~/.docker}/config.json and
 * ~/.dockercfg. None: success, and nothing is found.
 * given, auth_file: NULL when there is none
 * registry:   as in a reference, "docker.io"
 * Errors: ERR_NOT_FOUND  a file the user named is not there
 *         ERR_FORMAT     a file is malformed
 *         ERR_AUTH       a credential helper fails
 * Source: containers-auth.json(5); docker's config.json */
MUST_CHECK bool credentials_find(struct credentials *out, const char *given, const char *auth_file,
				 const char *registry, const char *repository, struct err *err);

/* What one file says; docker's old ~/.dockercfg is the "auths" of the others alone. */
MUST_CHECK bool credentials_read(struct credentials *out, struct view text, bool is_dockercfg,
				 const char *registry, const char *repository, struct err *err);
