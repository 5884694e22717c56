#include "core/filter.h"

#include "tap.h"

#include <stdio.h>

static struct buf set;

static void
begin(size_t max)
{
	buf_free(&set);
	buf_init(&set, max);
}

static void
test_set(void)
{
	begin(100);
	ok(!filter_has(buf_str(&set), STR("a")), "an empty set has nothing");
	is_int(filter_add(&set, STR("news")), 0, "a first type");
	is_int(filter_add(&set, STR("alert")), 0, "one before it");
	is_int(filter_add(&set, STR("newsletter")), 0, "one that it begins");
	is_int(filter_add(&set, STR("new")), 0, "one that begins it");
	is_int(filter_add(&set, STR("news")), 0, "one that is there");
	is_str(buf_str(&set), STR("alert\0new\0news\0newsletter\0"),
	    "they stand in order and once");
	ok(filter_has(buf_str(&set), STR("alert")), "the first is there");
	ok(filter_has(buf_str(&set), STR("news")), "and one in between");
	ok(filter_has(buf_str(&set), STR("newsletter")), "and the last");
	ok(!filter_has(buf_str(&set), STR("ne")), "a part is not");
	ok(!filter_has(buf_str(&set), STR("News")), "case counts");
	ok(!filter_has(buf_str(&set), STR("")), "nor is an empty type");
	ok(!filter_has(buf_str(&set), STR("new\0news")), "nor two at once");
	ok(!filter_has(buf_str(&set), STR("zz")), "nor one behind all");
}

static void
test_equal(void)
{
	struct buf other = {0};

	begin(100);
	buf_init(&other, 100);
	filter_add(&set, STR("b"));
	filter_add(&set, STR("a"));
	filter_add(&other, STR("a"));
	filter_add(&other, STR("b"));
	filter_add(&other, STR("a"));
	is_str(buf_str(&set), buf_str(&other), "equal sets are equal bytes");
	buf_free(&other);
}

static void
test_bad(void)
{
	static const struct {
		const char *name;
		struct str type;
	} cases[] = {
	    {"empty", {"", 0}},
	    {"a NUL", {"a\0b", 3}},
	    {"a line feed", {"a\n", 2}},
	    {"a carriage return", {"\ra", 2}},
	    {"no UTF-8", {"\xff", 1}},
	};

	begin(100);
	filter_add(&set, STR("x"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int(filter_add(&set, flush_copy(cases[i].type)), -1,
		    cases[i].name);
	is_str(buf_str(&set), STR("x\0"), "leave the set as it was");
}

static void
test_limits(void)
{
	char name[16];
	int bad = 0;

	begin(4);
	is_int(filter_add(&set, STR("abc")), 0, "as much as there is room for");
	is_int(filter_add(&set, STR("d")), -1, "and no more");
	begin(10000);
	for (int i = 0; i < FILTER_TYPES_MAX; i++) {
		snprintf(name, sizeof name, "%d", i * 7 % FILTER_TYPES_MAX);
		bad |= filter_add(&set, str_c(name));
	}
	is_int(bad, 0, "so many types");
	is_int(filter_add(&set, STR("x")), -1, "one too many");
	is_int(filter_add(&set, STR("7")), 0, "but not one that is there");
}

int
main(void)
{
	test_set();
	test_equal();
	test_bad();
	test_limits();
	buf_free(&set);
	return done();
}
