#include "oci/manifest.h"

#include <check.h>

#define A "\"digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""
#define B "\"digest\":\"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\""
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"
#define CONFIG "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"," A ",\"size\":7}"
#define LAYER "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\"," B ",\"size\":9}"

static const char oci_manifest[] = "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST
				   "\",\"config\":" CONFIG ",\"layers\":[" LAYER "," LAYER "]}";

static const char docker_manifest[] =
	"{\"schemaVersion\":2,"
	"\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\","
	"\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\"," A
	",\"size\":7},\"layers\":[{\"mediaType\":"
	"\"application/vnd.docker.image.rootfs.diff.tar.gzip\"," B ",\"size\":9}]}";

#define TYPED(type, rest) "{\"mediaType\":\"" type "\"," rest "}"
#define ENTRY(platform) TYPED(MANIFEST, A ",\"size\":7,\"platform\":{" platform "}")
#define OS(os, architecture) "\"os\":\"" os "\",\"architecture\":\"" architecture "\""
#define NOTE(key, value) B ",\"size\":9,\"annotations\":{\"" key "\":\"" value "\"}"

static const char *const index_parts[] = {
	"{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[",
	ENTRY(OS("linux", "amd64") ",\"variant\":\"v2\""),
	",",
	ENTRY(OS("unknown", "unknown")),
	",",
	ENTRY(OS("linux", "arm64") ",\"variant\":\"v8\""),
	",",
	TYPED(INDEX, B ",\"size\":9"),
	",",
	"{\"mediaType\":\"text/plain\"}",
	",",
	TYPED(MANIFEST, A ",\"size\":7,\"artifactType\":\"x/y\""),
	",",
	TYPED(MANIFEST, NOTE("vnd.docker.reference.type", "attestation-manifest")),
	",",
	ENTRY(OS("linux", "amd64")),
	",",
	TYPED(MANIFEST, NOTE("org.opencontainers.image.ref.name", "v1")),
	"]}",
};

static const struct {
	const char *text;
	enum err_kind kind;
} bad[] = {
	{ "", ERR_FORMAT },
	{ "<html>", ERR_FORMAT },
	{ "[]", ERR_FORMAT },
	{ "{}", ERR_FORMAT },
	{ "{\"schemaVersion\":2}", ERR_FORMAT },
	{ "{\"schemaVersion\":1,\"fsLayers\":[]}", ERR_UNSUPPORTED },
	{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"manifests\":{}}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST "\",\"manifests\":[]}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"layers\":[]}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" A "}]}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" A ",\"size\":-1}]}",
	  ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[7]}", ERR_FORMAT },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" A
	  ",\"size\":1,\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\"}]}",
	  ERR_UNSUPPORTED },
	{ "{\"schemaVersion\":2,\"config\":{" A
	  ",\"size\":1,\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"},\"layers\":[]}",
	  ERR_UNSUPPORTED },
	{ "{\"schemaVersion\":2,\"config\":{" A ",\"size\":9000000},\"layers\":[]}",
	  ERR_UNSUPPORTED },
	{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" A
	  ",\"size\":9000000000000000000}]}",
	  ERR_UNSUPPORTED },
	{ "{\"schemaVersion\":2,\"schemaVersion\":2,\"layers\":[]}", ERR_FORMAT },
};

enum { BAD_COUNT = sizeof(bad) / sizeof(bad[0]) };

static struct document mixed_index(void)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 16);
	struct document document = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(index_parts) / sizeof(index_parts[0]); i++)
		ck_assert(bytes_print(&text, &err, "%s", index_parts[i]));
	ck_assert_msg(document_parse(&document, bytes_view(&text), &err), "%s", err.msg);
	return document;
}

static struct document parsed(const char *text)
{
	struct document document = { 0 };
	struct err err = { 0 };

	ck_assert_msg(document_parse(&document, view_of(text), &err), "%s", err.msg);
	return document;
}

START_TEST(oci_manifest_gives_config_and_layers_in_order)
{
	CLEANUP(document_freep) struct document document = parsed(oci_manifest);

	ck_assert(!document.is_index);
	ck_assert_uint_eq(document.manifest.config_size_bytes, 7);
	ck_assert_uint_eq(document.manifest.config_digest.sha256[0], 0xaa);
	ck_assert_uint_eq(document.manifest.layer_count, 2);
	ck_assert_uint_eq(document.manifest.layers[1].size_bytes, 9);
	ck_assert_uint_eq(document.manifest.layers[1].digest.sha256[0], 0xbb);
}
END_TEST

START_TEST(docker_manifest_is_read_alike)
{
	CLEANUP(document_freep) struct document document = parsed(docker_manifest);

	ck_assert_uint_eq(document.manifest.layer_count, 1);
}
END_TEST

START_TEST(what_is_no_image_is_left_out_of_an_index)
{
	CLEANUP(document_freep) struct document document = mixed_index();

	ck_assert(document.is_index);
	ck_assert_uint_eq(document.index.count, 5);
	ck_assert(document.index.entries[2].is_index);
	ck_assert_str_eq(document.index.entries[4].name, "v1");
}
END_TEST

START_TEST(exact_platform_comes_first_then_nested_then_unsaid)
{
	CLEANUP(document_freep) struct document document = mixed_index();
	const struct platform amd64 = { "linux", "amd64", "" };
	size_t order[9], count = index_candidates(&document.index, &amd64, order);

	ck_assert_uint_eq(count, 4);
	ck_assert_uint_eq(order[0], 3); /* amd64 */
	ck_assert_uint_eq(order[1], 0); /* amd64/v2 */
	ck_assert_uint_eq(order[2], 2); /* the nested index */
	ck_assert_uint_eq(order[3], 4); /* says nothing */
}
END_TEST

START_TEST(platforms_are_listed_and_cut_where_room_ends)
{
	CLEANUP(document_freep) struct document document = mixed_index();
	char all[100], some[32];

	index_list_platforms(&document.index, all, sizeof(all));
	ck_assert_str_eq(all, "linux/amd64/v2, linux/arm64/v8, linux/amd64");
	index_list_platforms(&document.index, some, sizeof(some));
	ck_assert_str_eq(some, "linux/amd64/v2, …");
}
END_TEST

START_TEST(each_malformed_document_has_its_error)
{
	struct document document = { 0 };
	struct err err = { 0 };

	ck_assert_msg(!document_parse(&document, view_of(bad[_i].text), &err), "%s", bad[_i].text);
	ck_assert_msg(err.kind == bad[_i].kind, "%s: %s", bad[_i].text, err.msg);
}
END_TEST

START_TEST(more_than_512_layers_are_refused)
{
	CLEANUP(bytes_freep) struct bytes text = bytes_capped(1 << 20);
	struct document document = { 0 };
	struct err err = { 0 };

	ck_assert(bytes_print(&text, &err, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[",
			      CONFIG));
	for (int i = 0; i < 513; i++)
		ck_assert(bytes_print(&text, &err, "%s%s", i ? "," : "", LAYER));
	ck_assert(bytes_print(&text, &err, "]}"));
	ck_assert(!document_parse(&document, bytes_view(&text), &err));
	ck_assert_int_eq(err.kind, ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *parse = tcase_create("parse");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(parse, oci_manifest_gives_config_and_layers_in_order);
	tcase_add_test(parse, docker_manifest_is_read_alike);
	tcase_add_test(parse, what_is_no_image_is_left_out_of_an_index);
	tcase_add_test(parse, exact_platform_comes_first_then_nested_then_unsaid);
	tcase_add_test(parse, platforms_are_listed_and_cut_where_room_ends);
	tcase_add_loop_test(parse, each_malformed_document_has_its_error, 0, BAD_COUNT);
	tcase_add_test(parse, more_than_512_layers_are_refused);
	suite_add_tcase(suite, parse);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
