#include "wire/form.h"

#include "tap.h"

enum { MAX = 64 };

/* The fields as `name=value;name=value`, with `!` for what is malformed. */
static void
reads(struct str form, const char *want)
{
	struct buf name, value, got;
	struct str rest = form.p != NULL ? flush_copy(form) : form;
	int result;

	buf_init(&name, MAX);
	buf_init(&value, MAX);
	buf_init(&got, 1024);
	while ((result = form_next(&rest, &name, &value)) > 0) {
		buf_adds(&got, buf_str(&name));
		buf_addc(&got, '=');
		buf_adds(&got, buf_str(&value));
		buf_addc(&got, ';');
	}
	if (result < 0)
		buf_addc(&got, '!');
	is_str(buf_str(&got), str_c(want), want);
	buf_free(&name);
	buf_free(&value);
	buf_free(&got);
}

static void
fields(void)
{
	reads(STR("data=x"), "data=x;");
	reads(STR("a=1&b=2&a=3"), "a=1;b=2;a=3;");
	reads(STR("a=1;b=2"), "a=1;b=2;");
	reads(STR("a=b=c"), "a=b=c;");
	reads(STR("&&a=1&&b=2&"), "a=1;b=2;");
	reads(STR("a"), "a=;");
	reads(STR("a="), "a=;");
	reads(STR("=b"), "=b;");
	reads(STR("="), "=;");
	reads(STR("&"), "");
	reads(STR(""), "");
	reads((struct str){NULL, 0}, "");
}

static void
decoding(void)
{
	reads(STR("a+b=c+d"), "a b=c d;");
	reads(STR("d%61ta=%26%3d%2b"), "data=&=+;");
	reads(STR("a=%C3%A9"), "a=\303\251;");
	reads(STR("a=\303\251"), "a=\303\251;");
	reads(STR("a=%0d%0A"), "a=\r\n;");
	reads(STR("a=1&b=%"), "a=1;!");
	reads(STR("a=%4"), "!");
	reads(STR("a=%4g"), "!");
	reads(STR("a%zz=1"), "!");
	reads(STR("a=%00"), "!");
	reads(STR("a=x\0"), "!");
	reads(STR("a=%ff"), "!");
	reads(STR("a=%ed%a0%80"), "!");
	reads(STR("\300\200=1"), "!");
}

static void
too_long(void)
{
	char text[MAX + 3] = "a=";

	for (size_t i = 2; i < sizeof(text); i++)
		text[i] = 'x';
	ok(true, "a value of %d bytes, then of one more", MAX);
	text[sizeof(text) - 1] = '\0';
	reads(str_n(text, sizeof(text) - 1),
	    "a="
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    ";");
	text[sizeof(text) - 1] = 'x';
	reads(str_n(text, sizeof(text)), "!");
}

/* Every prefix is read without a byte too many. */
static void
prefixes(void)
{
	struct str form = STR("da%74a=a+b%26c&event=%C3%A9&mid=&x&&y=1");
	struct buf name, value;
	size_t bad = 0;

	buf_init(&name, MAX);
	buf_init(&value, MAX);
	for (size_t n = 0; n <= form.n; n++) {
		struct str rest = flush_copy(str_n(form.p, n));
		int result;
		while ((result = form_next(&rest, &name, &value)) > 0)
			;
		bad += result < 0;
	}
	is_int((long long)bad, 9, "those that end within an escape, or UTF-8");
	buf_free(&name);
	buf_free(&value);
}

int
main(void)
{
	fields();
	decoding();
	too_long();
	prefixes();
	return done();
}
