#include "wire/accept.h"

#include "tap.h"

static const struct {
	const char *field;
	unsigned want; /* for a/b */
} cases[] = {
    {"a/b", 1000},
    {"A/B", 1000},
    {"", 0},
    {"*/*", 0},
    {"a/*", 0},
    {"a/bc", 0},
    {"a", 0},
    {"c/d, a/b", 1000},
    {"c/d,a/b,e/f", 1000},
    {" , ,\ta/b , ", 1000},
    {"a/b;q=0.5", 500},
    {"a/b ; q=0.5", 500},
    {"a/b;Q=0.125", 125},
    {"a/b;charset=utf-8", 1000},
    {"a/b;charset=utf-8;q=0.3", 300},
    {"a/b;q=1.000", 1000},
    {"a/b;q=1.", 1000},
    {"a/b;q=0", 0},
    {"a/b;q=0.000", 0},
    {"a/b;q=0.001", 1},
    {"a/b;q=0.2, a/b;q=0.7, a/b;q=0.1", 700},
    {"c/d;q=0.1, a/b;q=0.9", 900},
    {"a/b;q=", 0},
    {"a/b;q", 0},
    {"a/b;q=2", 0},
    {"a/b;q=1.001", 0},
    {"a/b;q=.5", 0},
    {"a/b;q=0.0001", 0},
    {"a/b;q=-1", 0},
    {"a/b;q=0,5", 0},
    {"a/b;q=1x, a/b;q=0.4", 400},
    {"a/b;q=0.5;q=x", 0},
    {"c/d;x=\"a/b, a/b\"", 0},
    {"c/d;x=\"\\\", a/b\"", 0},
    {"c/d;x=\"\\\\\", a/b", 1000},
    {"a/b;x=\";q=0.1\"", 1000},
    {"a/b;x=\"", 1000},
    {"a/b;x=\"\\", 1000},
};

int
main(void)
{
	struct str long_field = STR("x;x=\"\\\"\",c/d;q=0.5, a/b;q=0.125;y");

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int(accept_weight(
			   flush_copy(str_c(cases[i].field)), STR("a/b")),
		    cases[i].want, cases[i].field);
	is_int(accept_weight((struct str){0}, STR("a/b")), 0, "no field");
	for (size_t n = 0; n <= long_field.n; n++)
		ok(accept_weight(
		       flush_copy(str_n(long_field.p, n)), STR("a/b")) <= 1000,
		    "%zu bytes", n);
	return done();
}
