#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/view.h"
#include "hosts.h"
#include "sink.h"
#include "url.h"

enum {
	BUFFER_BYTES = 512 << 10,
	CONNECT_TIMEOUT_MS = 30000,
	STALL_BYTES_PER_SECOND = 64,
	STALL_SECONDS = 30,
	SMALL_TIMEOUT_SECONDS = 300, /* a manifest or token that takes longer is a slow-loris */
};

struct http {
	CURL *curl;
	struct curl_slist *headers;
	CURLcode setup; /* the first option that could not be set */
	enum http_failure failure;
	char user_agent[64];
	char text[CURL_ERROR_SIZE];
	/* Of the exchange under way: */
	const struct http_request *request;
	struct http_response *response;
	struct err *err;
	size_t header_bytes;
	bool has_body;
	bool is_refused; /* by the sink or by us; *err says why */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool http_new(struct http **out, const char *user_agent, struct err *err)
{
	CLEANUP(http_freep) struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return err_memory(err, "a connection");
	pthread_once(&curl_once, start_curl);
	http->curl = curl_easy_init();
	if (!http->curl)
		return err_memory(err, "a connection");
	snprintf(http->user_agent, sizeof(http->user_agent), "%s", user_agent ? user_agent : "");
	*out = ptr_take(&http);
	return true;
}

void http_freep(struct http **http)
{
	if (!*http)
		return;
	curl_easy_cleanup((*http)->curl);
	curl_slist_free_all((*http)->headers);
	free(*http);
	*http = NULL;
}

void http_response_freep(struct http_response *response)
{
	bytes_freep(&response->challenges);
	bytes_freep(&response->redirect_url);
	*response = (struct http_response){ 0 };
}

enum http_failure http_failure_of(const struct http *http)
{
	return http->failure;
}

const char *http_system_authorities(void)
{
	const char *named = getenv("SSL_CERT_FILE");
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	return named && *named ? named : info->cainfo;
}

static void copy_value(char out[HTTP_VALUE_BYTES], struct view value)
{
	bool is_sane = value.len < HTTP_VALUE_BYTES;

	for (size_t i = 0; is_sane && i < value.len; i++)
		is_sane = isprint((unsigned char)value.ptr[i]);
	snprintf(out, HTTP_VALUE_BYTES, "%.*s", is_sane ? (int)value.len : 0, value.ptr);
}

/* "bytes first-last/total". Source: RFC 9110, 14.4 */
static void read_content_range(struct http_response *response, struct view value)
{
	struct view rest = value, unit = view_cut(&rest, ' '), first = view_cut(&rest, '-'),
		    last = view_cut(&rest, '/');

	response->has_range = view_equal_any_case(unit, "bytes") &&
			      view_number(first, 10, INT64_MAX, &response->range_first) &&
			      view_number(last, 10, INT64_MAX, &response->range_last) &&
			      view_number(rest, 10, INT64_MAX, &response->range_total) &&
			      response->range_first <= response->range_last &&
			      response->range_last < response->range_total;
}

MUST_CHECK static bool read_field(struct http_response *response, struct view name,
				  struct view value, struct err *err)
{
	if (view_equal_any_case(name, "content-type")) {
		copy_value(response->content_type, value);
	} else if (view_equal_any_case(name, "docker-content-digest")) {
		copy_value(response->content_digest, value);
	} else if (view_equal_any_case(name, "content-range")) {
		read_content_range(response, value);
	} else if (view_equal_any_case(name, "content-length")) {
		response->has_length = view_number(value, 10, INT64_MAX, &response->length_bytes);
	} else if (view_equal_any_case(name, "www-authenticate")) {
		bool is_first = response->challenges.len == 0;

		return bytes_print(&response->challenges, err, "%s%.*s", is_first ? "" : ", ",
				   VIEW_ARGS(value));
	}
	return true;
}

/* Each status line starts anew: an interim answer (1xx) may come before the one that counts. */
static void start_response(struct http_response *response)
{
	struct bytes challenges = response->challenges, redirect_url = response->redirect_url;

	bytes_clear(&challenges);
	bytes_clear(&redirect_url);
	*response =
		(struct http_response){ .challenges = challenges, .redirect_url = redirect_url };
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	struct view line = { data, size * count }, value = line, name;

	http->header_bytes += line.len;
	if (http->header_bytes > HTTP_HEADERS_BYTES_MAX) {
		http->is_refused = true;
		err_set(http->err, ERR_UNSUPPORTED, "headers over %d bytes",
			HTTP_HEADERS_BYTES_MAX);
		return 0;
	}
	if (view_starts(line, "HTTP/")) {
		start_response(http->response);
		return line.len;
	}
	name = view_cut(&value, ':');
	if (value.ptr &&
	    !read_field(http->response, view_trim(name), view_trim(value), http->err)) {
		http->is_refused = true;
		return 0;
	}
	return line.len;
}

static void read_status(struct http *http)
{
	long status = 0;

	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	http->response->status = status > 0 && status < 1000 ? (unsigned)status : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	struct sink *sink = http->request->sink;

	if (!http->has_body) {
		read_status(http);
		http->has_body = true;
		http->is_refused = !sink_start(sink, http->response, http->err);
	}
	if (!http->is_refused)
		http->is_refused = !sink_write(sink, data, size * count, http->err);
	return http->is_refused || sink_has_enough(sink) ? 0 : size * count;
}

static int on_progress(void *context, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
		       curl_off_t up)
{
	const struct http *http = context;

	(void)total_down, (void)down, (void)total_up, (void)up;
	return http->request->cancel && atomic_load(http->request->cancel);
}

static void set_number(struct http *http, CURLoption option, long value)
{
	if (http->setup == CURLE_OK)
		http->setup = curl_easy_setopt(http->curl, option, value);
}

static void set_text(struct http *http, CURLoption option, const char *value)
{
	if (http->setup == CURLE_OK)
		http->setup = curl_easy_setopt(http->curl, option, value);
}

static void set_callbacks(struct http *http)
{
	curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, http);
	curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->text);
	set_number(http, CURLOPT_NOPROGRESS, 0);
}

static void add_line(struct http *http, const char *line)
{
	struct curl_slist *longer = curl_slist_append(http->headers, line);

	if (longer)
		http->headers = longer;
	else
		http->setup = CURLE_OUT_OF_MEMORY;
}

static void add_header(struct http *http, const char *name, const char *value)
{
	CLEANUP(bytes_freep) struct bytes line = bytes_capped(1 << 20);
	struct err ignored;

	if (!value)
		return;
	if (!bytes_print(&line, &ignored, "%s: %s", name, value))
		http->setup = CURLE_OUT_OF_MEMORY;
	else
		add_line(http, line.data);
}

/* Our headers are for the server: a proxy that is asked to CONNECT does not see them. */
static void set_headers(struct http *http, const struct http_request *request)
{
	char range[64];

	curl_slist_free_all(http->headers);
	http->headers = NULL;
	add_header(http, "Accept", request->accept);
	add_header(http, "Authorization", request->authorization);
	for (char **line = request->host ? request->host->headers : NULL; line && *line; line++)
		if (!request->authorization || strncasecmp(*line, "Authorization:", 14) != 0)
			add_line(http, *line);
	set_number(http, CURLOPT_HEADEROPT, CURLHEADER_SEPARATE);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
	if (!request->is_ranged)
		return;
	snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)request->first,
		 (unsigned long long)request->last);
	set_text(http, CURLOPT_RANGE, range);
}

static void set_limits(struct http *http, const struct http_request *request)
{
	bool has_timeout = request->trust && request->trust->dial_timeout_ms > 0;

	set_number(http, CURLOPT_NOSIGNAL, 1);
	set_number(http, CURLOPT_CONNECTTIMEOUT_MS,
		   has_timeout ? (long)request->trust->dial_timeout_ms : CONNECT_TIMEOUT_MS);
	set_number(http, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_SECOND);
	set_number(http, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	set_number(http, CURLOPT_TIMEOUT, request->is_bulk ? 0 : SMALL_TIMEOUT_SECONDS);
	set_number(http, CURLOPT_FOLLOWLOCATION, 0);
	set_number(http, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
	set_text(http, CURLOPT_PROTOCOLS_STR, "http,https");
}

/* A token server is asked with the host's authorities, but is not shown its client certificate. */
static void set_trust(struct http *http, const struct http_request *request)
{
	const struct host *trust = request->trust;
	const char *usual = http_system_authorities();
	struct curl_blob authorities = { .flags = CURL_BLOB_NOCOPY };

	if (trust && trust->skip_verify) {
		set_number(http, CURLOPT_SSL_VERIFYPEER, 0);
		set_number(http, CURLOPT_SSL_VERIFYHOST, 0);
	}
	if (trust && trust->authorities.len > 0) {
		authorities.data = trust->authorities.data;
		authorities.len = trust->authorities.len;
		curl_easy_setopt(http->curl, CURLOPT_CAINFO_BLOB, &authorities);
	} else if (usual) {
		set_text(http, CURLOPT_CAINFO, usual);
	}
	if (request->host && request->host->certificate) {
		set_text(http, CURLOPT_SSLCERT, request->host->certificate);
		if (request->host->key)
			set_text(http, CURLOPT_SSLKEY, request->host->key);
	}
}

static void set_request(struct http *http, const struct http_request *request)
{
	bool is_local = host_is_loopback(url_authority(view_of(request->url)));

	set_text(http, CURLOPT_URL, request->url);
	set_text(http, CURLOPT_USERAGENT, http->user_agent);
	set_number(http, CURLOPT_HTTP_VERSION,
		   request->is_bulk ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
	if (request->is_bulk)
		set_number(http, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	if (is_local)
		set_text(http, CURLOPT_PROXY, ""); /* this machine is never behind a proxy */
	if (request->form)
		set_text(http, CURLOPT_COPYPOSTFIELDS, request->form);
}

/* OpenSSL's code for a first record that is none: SSL_R_WRONG_VERSION_NUMBER. It is what "HTTP/1.1
 * 400 …" in answer to a ClientHello gives; a peer that speaks TLS, of any version, sends an alert
 * and gets another code. */
static bool is_not_tls(const struct http *http, CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR && strstr(http->text, "0A00010B");
}

static enum http_failure failure_of(const struct http *http, CURLcode code)
{
	long os_errno = 0;

	curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &os_errno);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return os_errno == ECONNREFUSED ? HTTP_REFUSED : HTTP_BROKEN;
	case CURLE_SSL_CONNECT_ERROR:
		return is_not_tls(http, code) ? HTTP_NOT_TLS : HTTP_BROKEN;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CIPHER:
		return HTTP_UNTRUSTED;
	case CURLE_ABORTED_BY_CALLBACK:
		return HTTP_CANCELLED;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return HTTP_LOCAL;
	default:
		return HTTP_BROKEN;
	}
}

/* curl's sentence, made to stand in the middle of ours. */
MUST_CHECK static bool explain(struct http *http, CURLcode code, struct err *err)
{
	struct view host = url_authority(view_of(http->request->url));
	const char *text = http->text[0] ? http->text : curl_easy_strerror(code);
	long os_errno = 0;

	/* curl 7.88 has no other word for a single header over its limit of 100 KiB. */
	if (code == CURLE_OUT_OF_MEMORY && http->header_bytes > 0 && !http->has_body)
		return err_set(err, ERR_UNSUPPORTED,
			       "%.*s sends a header of over 100 KiB, or memory is short",
			       VIEW_ARGS(host));
	if (code == CURLE_OUT_OF_MEMORY)
		return err_memory(err, "an HTTP request");
	curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &os_errno);
	if (code == CURLE_COULDNT_CONNECT && os_errno > 0)
		return err_set(err, ERR_NETWORK, "connect to %.*s: %s", VIEW_ARGS(host),
			       strerror((int)os_errno));
	if (code == CURLE_OPERATION_TIMEDOUT && http->header_bytes > 0)
		return err_set(err, ERR_NETWORK, "%.*s stalls", VIEW_ARGS(host));
	bool is_acronym = isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]);

	return err_set(err, ERR_NETWORK, "%.*s: %c%s", VIEW_ARGS(host),
		       is_acronym ? text[0] : tolower((unsigned char)text[0]), text + 1);
}

MUST_CHECK static bool take_redirect(struct http *http, struct err *err)
{
	char *url = NULL;

	read_status(http);
	curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &url);
	if (!url)
		return true;
	struct view scheme_checked = url_authority(view_of(url));

	if (scheme_checked.len == 0)
		return err_set(err, ERR_NETWORK, "a redirect to what is neither http nor https");
	return bytes_append(&http->response->redirect_url, url, strlen(url), err);
}

MUST_CHECK static bool finish(struct http *http, CURLcode code, struct err *err)
{
	curl_off_t retry_after = 0;

	http->failure = HTTP_LOCAL;
	if (http->is_refused || !sink_flush(http->request->sink, err))
		return false;
	if (code != CURLE_OK && !sink_has_enough(http->request->sink)) {
		http->failure = failure_of(http, code);
		return explain(http, code, err);
	}
	curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after);
	http->response->retry_after_seconds = retry_after > 0 ? (uint64_t)retry_after : 0;
	if (!take_redirect(http, err))
		return false;
	if (!http->has_body && !sink_start(http->request->sink, http->response, err))
		return false;
	http->failure = HTTP_DONE;
	return true;
}

bool http_perform(struct http *http, const struct http_request *request,
		  struct http_response *response, struct err *err)
{
	response->challenges.cap_max = 64 << 10;
	response->redirect_url.cap_max = 64 << 10;
	start_response(response);
	http->request = request;
	http->response = response;
	http->err = err;
	http->header_bytes = 0;
	http->has_body = http->is_refused = false;
	http->text[0] = '\0';
	http->setup = CURLE_OK;
	curl_easy_reset(http->curl); /* forgets options, keeps connections */
	set_callbacks(http);
	set_limits(http, request);
	set_headers(http, request);
	set_request(http, request);
	set_trust(http, request);
	CURLcode code = http->setup == CURLE_OK ? curl_easy_perform(http->curl) : http->setup;

	return finish(http, code, err);
}
