/* Random stacks, flattened by merge and by the model, must come out alike.
 *
 * usage: merge_model_test [FIRST [COUNT]]    seeds; a failing one is printed with its case
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "layers/merge.h"
#include "tests/kit/layers/case_index.h"
#include "tests/kit/layers/flat.h"
#include "tests/kit/layers/model.h"
#include "tests/kit/layers/random_case.h"

#ifdef __SANITIZE_ADDRESS__
enum { STACKS = 4000 }; /* five times slower */
#else
enum { STACKS = 20000 };
#endif
enum { STACKS_A_TEST = 1000 };

static uint64_t first_seed;

struct stack {
	struct bytes text; /* owned, as is all here */
	struct case_file file;
	struct bytes bytes[CASE_LAYERS_MAX];
	struct index indexes[CASE_LAYERS_MAX];
	struct tree *tree;
	struct model model;
};

static void stack_freep(struct stack *stack)
{
	tree_freep(&stack->tree);
	model_freep(&stack->model);
	for (size_t i = 0; i < stack->file.layer_count; i++)
		bytes_freep(&stack->bytes[i]);
	case_freep(&stack->file);
	bytes_freep(&stack->text);
}

static bool merge_all(struct stack *stack, struct err *err)
{
	for (size_t i = 0; i < stack->file.layer_count; i++) {
		stack->bytes[i] = bytes_capped(1 << 20);
		case_index(&stack->bytes[i], &stack->indexes[i], &stack->file.layers[i]);
		if (!merge_layer(stack->tree, &stack->indexes[i], (uint32_t)i, err))
			return false;
	}
	return true;
}

static bool model_all(struct stack *stack)
{
	model_begin(&stack->model);
	for (size_t i = 0; i < stack->file.layer_count; i++) {
		if (!model_apply(&stack->model, &stack->file.layers[i]))
			return false;
	}
	return true;
}

/* What tree.h promises of its links, counted anew. */
static bool is_sound(const struct tree *tree)
{
	uint32_t live = 0, listed = 1, counted = 0; /* the root is in no list */

	for (uint32_t name = TREE_ROOT; name <= tree_name_max(tree); name++)
		live += tree_name(tree, name)->inode != TREE_NONE;
	for (uint32_t number = TREE_ROOT; number <= tree_inode_max(tree); number++) {
		const struct tree_inode *inode = tree_inode(tree, number);
		uint32_t previous = TREE_NONE;

		counted += inode->name_count;
		if (inode->name_count == 0 && inode->first_child != TREE_NONE)
			return false;
		for (uint32_t at = inode->first_child; at != TREE_NONE;
		     at = tree_name(tree, at)->next) {
			const struct tree_name *child = tree_name(tree, at);

			if (child->parent != number || child->previous != previous ||
			    tree_find(tree, number, (struct view){ child->ptr, child->len }) != at)
				return false;
			previous = at;
			listed++;
		}
	}
	return live == listed && live == counted;
}

static void compare(const struct stack *stack, struct bytes *difference)
{
	struct flat got, wanted;

	flat_from_tree(&got, stack->tree);
	model_flat(&wanted, &stack->model);
	flat_compare(difference, &got, &wanted);
	flat_freep(&got);
	flat_freep(&wanted);
}

static void check_seed(uint64_t seed)
{
	CLEANUP(stack_freep) struct stack stack = { .text = bytes_capped(1 << 20) };
	CLEANUP(bytes_freep) struct bytes difference = bytes_capped(1 << 16);
	struct err err = { 0 };

	random_case(&stack.text, seed, RANDOM_ALL);
	case_parse(&stack.file, bytes_view(&stack.text), "random");
	ck_assert(tree_new(&stack.tree, &err));
	bool is_merged = merge_all(&stack, &err);
	bool is_modelled = model_all(&stack);

	ck_assert_msg(is_merged == is_modelled, "seed %llu: model %s, merge '%s'\n%s",
		      (unsigned long long)seed, is_modelled ? "did it" : "refused", err.msg,
		      stack.text.data);
	if (!is_merged) {
		ck_assert_int_eq(err.kind, stack.model.failure);
		return;
	}
	ck_assert_msg(is_sound(stack.tree), "seed %llu: unsound\n%s", (unsigned long long)seed,
		      stack.text.data);
	compare(&stack, &difference);
	ck_assert_msg(difference.len == 0, "seed %llu: %s\n%s", (unsigned long long)seed,
		      difference.data, stack.text.data);
}

START_TEST(merge_and_model_agree)
{
	uint64_t start = first_seed + (uint64_t)_i * STACKS_A_TEST;

	for (uint64_t seed = start; seed < start + STACKS_A_TEST; seed++)
		check_seed(seed);
}
END_TEST

int main(int argc, char **argv)
{
	uint64_t first = 0, count = STACKS;

	if ((argc > 1 && !view_number(view_of(argv[1]), 10, UINT32_MAX, &first)) ||
	    (argc > 2 && !view_number(view_of(argv[2]), 10, UINT32_MAX, &count)))
		return EXIT_FAILURE;
	first_seed = first;
	Suite *suite = suite_create("merge_model");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, merge_and_model_agree, 0, (int)(count / STACKS_A_TEST));
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
