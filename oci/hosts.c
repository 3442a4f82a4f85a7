#include "hosts.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "duration.h"
#include "http.h"
#include "toml.h"
#include "url.h"

enum { FILE_BYTES_MAX = 1 << 20, AUTHORITIES_BYTES_MAX = 8 << 20 };

static void host_free(struct host *host)
{
	free(host->base_url);
	bytes_freep(&host->authorities);
	free(host->certificate);
	free(host->key);
	for (char **header = host->headers; header && *header; header++)
		free(*header);
	free(host->headers);
}

void hosts_freep(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		host_free(&hosts->list[i]);
	free(hosts->list);
	*hosts = (struct hosts){ 0 };
}

static const char *authority_of_registry(const char *registry)
{
	return strcmp(registry, "docker.io") == 0 ? "registry-1.docker.io" : registry;
}

/* A path in a hosts.toml: relative to the folder it is in. */
MUST_CHECK static bool copy_path(char **out, const char *folder, const char *path, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes joined = bytes_capped(PATH_MAX);

	if (!bytes_print(&joined, err, "%s%s%s", path[0] == '/' ? "" : folder,
			 path[0] == '/' ? "" : "/", path))
		return false;
	free(*out);
	*out = bytes_take(&joined);
	return true;
}

/* Trust these as well as the system's. */
MUST_CHECK static bool add_authority(struct host *host, const char *path, struct err *err)
{
	const char *usual = http_system_authorities();

	if (host->authorities.len == 0) {
		host->authorities = bytes_capped(AUTHORITIES_BYTES_MAX);
		if (usual && access(usual, R_OK) == 0 &&
		    !file_slurp(&host->authorities, AT_FDCWD, usual, err))
			return false;
	}
	return bytes_append(&host->authorities, "\n", 1, err) &&
	       file_slurp(&host->authorities, AT_FDCWD, path, err);
}

/* A member of whatever type; NULL when it is not there. */
static const struct json_t *any_value(const struct json_t *json, const char *wanted)
{
	const struct json_t *value = NULL;
	const char *key = NULL;
	void *position = NULL;

	while (json_next_member(json, &position, &key, &value))
		if (strcmp(key, wanted) == 0)
			return value;
	return NULL;
}

MUST_CHECK static bool read_authority(struct host *host, const char *folder,
				      const struct json_t *item, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	const char *text = json_text(item);

	if (!text)
		return err_set(err, ERR_FORMAT, "\"ca\" is neither a path nor a list of them");
	return copy_path(&path, folder, text, err) && add_authority(host, path, err);
}

/* "a.pem" or ["a.pem", "b.pem"] */
MUST_CHECK static bool read_authorities(struct host *host, const char *folder,
					const struct json_t *json, struct err *err)
{
	const struct json_t *value = any_value(json, "ca");

	if (!value)
		return true;
	if (json_text(value))
		return read_authority(host, folder, value, err);
	if (json_count(value) == 0)
		return err_set(err, ERR_FORMAT, "\"ca\" is neither a path nor a list of them");
	for (size_t i = 0; i < json_count(value); i++)
		if (!read_authority(host, folder, json_item(value, i), err))
			return false;
	return true;
}

/* "both.pem", ["both.pem"], or [["cert.pem", "key.pem"]]; the first pair is the one that is shown.
 */
MUST_CHECK static bool read_client(struct host *host, const char *folder, const struct json_t *json,
				   struct err *err)
{
	const struct json_t *value = any_value(json, "client");
	const struct json_t *first = value && !json_text(value) ? json_item(value, 0) : value;

	if (!value)
		return true;
	if (json_text(first))
		return copy_path(&host->certificate, folder, json_text(first), err);
	const char *certificate = json_text(json_item(first, 0)),
		   *key = json_text(json_item(first, 1));

	if (json_count(first) != 2 || !certificate || !key)
		return err_set(err, ERR_FORMAT,
			       "\"client\" is neither a file nor a list of files "
			       "or of pairs");
	return copy_path(&host->certificate, folder, certificate, err) &&
	       (!*key || copy_path(&host->key, folder, key, err));
}

MUST_CHECK static bool read_capabilities(struct host *host, const struct json_t *json,
					 struct err *err)
{
	const struct json_t *list = NULL;

	if (!json_want_array(json, "capabilities", &list, err))
		return false;
	host->can_pull = host->can_resolve = host->can_refer = json_count(list) == 0;
	for (size_t i = 0; i < json_count(list); i++) {
		const char *name = json_text(json_item(list, i));

		if (name && strcasecmp(name, "pull") == 0)
			host->can_pull = true;
		else if (name && strcasecmp(name, "resolve") == 0)
			host->can_resolve = true;
		else if (name && strcasecmp(name, "referrers") == 0)
			host->can_refer = true;
		else if (!name || strcasecmp(name, "push") != 0)
			return err_set(err, ERR_FORMAT, "capability '%.100s' is unknown",
				       name ? name : "");
	}
	return true;
}

/* A byte below space would end the header and start another. */
static bool is_header(const char *name, const char *value)
{
	if (!name || !value || !*name)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f || *name == ':')
			return false;
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	return true;
}

MUST_CHECK static bool add_header(struct host *host, size_t *count, const char *name,
				  const char *value, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(64 << 10);

	if (!is_header(name, value))
		return err_set(err, ERR_FORMAT, "\"header\" holds what is no header");
	char **longer = reallocarray(host->headers, *count + 2, sizeof(*longer));

	if (!longer)
		return err_memory(err, "headers");
	host->headers = longer;
	longer[*count] = NULL;
	if (!bytes_print(&line, err, "%s: %s", name, value))
		return false;
	longer[(*count)++] = bytes_take(&line);
	longer[*count] = NULL;
	return true;
}

/* x-name = "value" or ["value", "value"] */
MUST_CHECK static bool read_headers(struct host *host, const struct json_t *json, struct err *err)
{
	const struct json_t *headers = NULL, *value = NULL;
	const char *name = NULL;
	void *position = NULL;
	size_t count = 0;

	if (!json_want_object(json, "header", &headers, err))
		return false;
	while (json_next_member(headers, &position, &name, &value)) {
		bool is_list = !json_text(value);

		if (is_list && json_count(value) == 0)
			return err_set(err, ERR_FORMAT, "header '%.100s' has no text", name);
		for (size_t i = 0; i < (is_list ? json_count(value) : 1); i++)
			if (!add_header(host, &count, name,
					json_text(is_list ? json_item(value, i) : value), err))
				return false;
	}
	return true;
}

MUST_CHECK static bool read_dial_timeout(struct host *host, const struct json_t *json,
					 struct err *err)
{
	const char *text = NULL;

	if (!json_want_string(json, "dial_timeout", &text, err))
		return false;
	return !text || !*text || duration_parse(&host->dial_timeout_ms, view_of(text), err) ||
	       err_wrap(err, "\"dial_timeout\"");
}

/* Source: containerd remotes/docker/config/hosts.go, parseHostConfig: "/v2" is added to a path
 * that does not end in it, unless override_path. */
MUST_CHECK static bool set_base_url(struct host *host, const char *server, bool overrides_path,
				    struct err *err)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(4096);
	bool has_scheme = strstr(server, "://") != NULL;

	if (!bytes_print(&url, err, "%s%s", has_scheme ? "" : "https://", server))
		return false;
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.data[--url.len] = '\0';
	struct view view = bytes_view(&url), authority = url_authority(view);

	if (authority.len == 0 || strpbrk(url.data, " ?#@\t\r\n"))
		return err_set(err, ERR_FORMAT, "'%.200s' is no host", server);
	if (!overrides_path && !view_ends(view, "/v2") && !bytes_print(&url, err, "/v2"))
		return false;
	host->base_url = bytes_take(&url);
	return true;
}

/* Source: containerd remotes/docker/config/hosts.go, ConfigureHosts, "explicitTLS" */
MUST_CHECK static bool try_tls_first(struct host *host, const struct json_t *json, struct err *err)
{
	CLEANUP(bytes_freep) struct bytes url = bytes_capped(4096);
	struct view plain = view_of(host->base_url);
	bool has_settings = json_has(json, "ca") || json_has(json, "client") ||
			    json_has(json, "skip_verify");

	if (!has_settings || url_is_https(plain) || view_ends(url_authority(plain), ":80"))
		return true;
	if (!bytes_print(&url, err, "https%s", host->base_url + strlen("http")))
		return false;
	free(host->base_url);
	host->base_url = bytes_take(&url);
	host->may_be_plain = true;
	return true;
}

MUST_CHECK static bool read_host(struct host *host, const char *server, const char *folder,
				 const struct json_t *json, const char *registry, struct err *err)
{
	bool overrides_path = false;

	if (!json_want_bool(json, "override_path", &overrides_path, err) ||
	    !json_want_bool(json, "skip_verify", &host->skip_verify, err) ||
	    !set_base_url(host, server, overrides_path, err) ||
	    !read_capabilities(host, json, err) || !read_authorities(host, folder, json, err) ||
	    !read_client(host, folder, json, err) || !read_headers(host, json, err) ||
	    !read_dial_timeout(host, json, err) || !try_tls_first(host, json, err))
		return err_wrap(err, "%s", server);
	host->is_scheme_given = true;
	host->is_registry =
		view_equal(url_authority(view_of(host->base_url)), authority_of_registry(registry));
	return true;
}

/* The registry as it is without any file. */
MUST_CHECK static bool set_registry_host(struct host *host, const char *registry, struct err *err)
{
	free(host->base_url);
	host->base_url = NULL;
	host->can_pull = host->can_resolve = host->can_refer = host->is_registry = true;
	return set_base_url(host, authority_of_registry(registry), false, err);
}

bool hosts_parse(struct hosts *out, struct view text, const char *folder, const char *registry,
		 struct err *err)
{
	CLEANUP(hosts_freep) struct hosts hosts = { 0 };
	CLEANUP(json_freep) struct json_t *json = NULL;
	const struct json_t *table = NULL, *entry = NULL;
	const char *server = NULL, *name = NULL;
	void *position = NULL;

	hosts.list = calloc(HOST_COUNT_MAX, sizeof(*hosts.list));
	if (!hosts.list)
		return err_memory(err, "hosts");
	if (!toml_parse(&json, text, err) || !json_want_object(json, "host", &table, err) ||
	    !json_want_string(json, "server", &server, err))
		return false;
	while (json_next_member(table, &position, &name, &entry)) {
		if (hosts.count + 1 == HOST_COUNT_MAX)
			return err_set(err, ERR_UNSUPPORTED, "over %d hosts", HOST_COUNT_MAX - 1);
		if (!read_host(&hosts.list[hosts.count++], name, folder, entry, registry, err))
			return false;
	}
	struct host *last = &hosts.list[hosts.count++];

	bool is_given = server && *server;

	if (!read_host(last, is_given ? server : authority_of_registry(registry), folder, json,
		       registry, err) ||
	    (!is_given && !set_registry_host(last, registry, err)))
		return false;
	last->is_scheme_given = is_given && strstr(server, "://");
	*out = hosts;
	hosts = (struct hosts){ 0 };
	return true;
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The first by name is the one that is shown. Its key may stand in the same file.
 * path: NAME.cert, taken or freed */
MUST_CHECK static bool add_certificate(struct host *host, char *path, struct err *err)
{
	CLEANUP(freep) char *certificate = path;
	CLEANUP(freep) char *key = view_copy(view_of(path));

	if (!key)
		return err_memory(err, "a certificate");
	if (host->certificate && strcmp(host->certificate, certificate) < 0)
		return true;
	memcpy(key + strlen(key) - strlen(".cert"), ".key", sizeof(".key"));
	free(host->certificate);
	free(host->key);
	host->certificate = ptr_take(&certificate);
	host->key = access(key, F_OK) == 0 ? ptr_take(&key) : NULL;
	return true;
}

/* docker's form: every *.crt is an authority, NAME.cert and NAME.key are shown. */
MUST_CHECK static bool read_certificates(struct host *host, const char *folder, struct err *err)
{
	CLEANUP(dir_closep) DIR *dir = opendir(folder);
	CLEANUP(freep) char *path = NULL;

	if (!dir)
		return err_os(err, "list %s", folder);
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct view name = view_of(entry->d_name);
		bool is_authority = view_ends(name, ".crt");

		if (!is_authority && !view_ends(name, ".cert"))
			continue;
		if (!copy_path(&path, folder, entry->d_name, err))
			return false;
		if (is_authority ? !add_authority(host, path, err)
				 : !add_certificate(host, ptr_take(&path), err))
			return false;
	}
	return true;
}

MUST_CHECK static bool read_folder(struct hosts *out, const char *folder, const char *registry,
				   struct err *err)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(FILE_BYTES_MAX);
	CLEANUP(freep) char *path = NULL;

	if (!copy_path(&path, folder, "hosts.toml", err))
		return false;
	if (access(path, F_OK) == 0 && !file_slurp(&text, AT_FDCWD, path, err))
		return false;
	if (text.len > 0) { /* an empty file says nothing, as to containerd */
		if (!hosts_parse(out, bytes_view(&text), folder, registry, err))
			return err_wrap(err, "%s", path);
		return true;
	}
	CLEANUP(hosts_freep) struct hosts hosts = { .count = 1 };

	hosts.list = calloc(1, sizeof(*hosts.list));
	if (!hosts.list) {
		hosts.count = 0;
		return err_memory(err, "hosts");
	}
	if (!set_registry_host(&hosts.list[0], registry, err) ||
	    !read_certificates(&hosts.list[0], folder, err))
		return false;
	*out = hosts;
	hosts = (struct hosts){ 0 };
	return true;
}

/* "host:5000" is also written "host_5000_", for file systems that have no colons. */
static void write_without_colon(char *out, size_t out_size, const char *registry)
{
	ptrdiff_t colon = view_find_last(view_of(registry), ':');
	bool has_port = colon >= 0 && !view_ends(view_of(registry), "]");

	if (has_port)
		snprintf(out, out_size, "%.*s_%s_", (int)colon, registry, registry + colon + 1);
	else
		snprintf(out, out_size, "%s", registry);
}

/* The registry's folder below dir: out is empty where there is none. */
static void find_folder(char out[PATH_MAX], const char *dir, const char *registry)
{
	char plain[300];
	const char *names[] = { plain, registry, "_default" };
	struct stat stat_of;

	write_without_colon(plain, sizeof(plain), registry);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int len = snprintf(out, PATH_MAX, "%s/%s", dir, names[i]);

		if (len > 0 && len < PATH_MAX && stat(out, &stat_of) == 0 &&
		    S_ISDIR(stat_of.st_mode))
			return;
	}
	out[0] = '\0';
}

bool hosts_find(struct hosts *out, const char *registry, const char *dir, struct err *err)
{
	static const char *const usual[] = { "/etc/containerd/certs.d", "/etc/vmbake/certs.d",
					     "/etc/docker/certs.d", "/etc/containers/certs.d" };
	CLEANUP(hosts_freep) struct hosts hosts = { .count = 0 };
	char folder[PATH_MAX] = "";

	if (dir)
		find_folder(folder, dir, registry);
	for (size_t i = 0; !dir && i < sizeof(usual) / sizeof(usual[0]) && !folder[0]; i++)
		find_folder(folder, usual[i], registry);
	if (folder[0])
		return read_folder(out, folder, registry, err);
	hosts.list = calloc(1, sizeof(*hosts.list));
	if (!hosts.list)
		return err_memory(err, "hosts");
	hosts.count = 1;
	if (!set_registry_host(&hosts.list[0], registry, err))
		return false;
	*out = hosts;
	hosts = (struct hosts){ 0 };
	return true;
}
