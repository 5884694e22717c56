#include "wire/base64.h"

#include "tap.h"

#include <string.h>

static void
both(struct str plain, struct str text)
{
	struct buf b;

	buf_init(&b, 1000);
	base64_encode(&b, flush_copy(plain));
	is_str(buf_str(&b), text, "encodes");
	buf_clear(&b);
	ok(base64_decode(&b, flush_copy(text)) == 0, "decodes");
	is_str(buf_str(&b), plain, "to what it was");
	buf_free(&b);
}

static void
refuses(struct str s)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_addz(&b, "before");
	ok(base64_decode(&b, flush_copy(s)) == -1, "%.*s is refused", (int)s.n,
	    s.p);
	is_str(buf_str(&b), STR("before"), "and leaves what was there");
	buf_free(&b);
}

static void
test_vectors(void)
{
	/* RFC 4648, section 10. */
	both(STR(""), STR(""));
	both(STR("f"), STR("Zg=="));
	both(STR("fo"), STR("Zm8="));
	both(STR("foo"), STR("Zm9v"));
	both(STR("foob"), STR("Zm9vYg=="));
	both(STR("fooba"), STR("Zm9vYmE="));
	both(STR("foobar"), STR("Zm9vYmFy"));
	both(STR("\0\0\0"), STR("AAAA"));
	both(STR("\0"), STR("AA=="));
	both(STR("\xff\xff\xff"), STR("////"));
	both(STR("\xfb\xef\xbe"), STR("++++"));
	both(STR("\xff"), STR("/w=="));
}

static void
test_malformed(void)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=",
	    "==", "====", "=Zg=", "Z===", "A===", "Z=g=", "Zg==Zm9v",
	    "Zm9v====", "Zm9v=", "Zm9v\n", "Zm 9v", " Zm9v", "Zm-_", "Zm9\x80",
	    "Zm9\xff", "Zh==", "Zm9=", "//==", "//9="};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(str_c(bad[i]));
	refuses(STR("Zm9\0"));
}

/* Every byte in every position, at every length. */
static void
test_round_trip(void)
{
	char plain[256];
	struct buf text, back;
	bool good = true;

	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (char)(i * 7);
	buf_init(&text, 1000);
	buf_init(&back, 1000);
	for (size_t n = 0; n <= sizeof plain; n++) {
		buf_clear(&text);
		buf_clear(&back);
		base64_encode(&text, str_n(plain, n));
		good = good && text.n == (n + 2) / 3 * 4 &&
		    base64_decode(&back, buf_str(&text)) == 0 && back.n == n &&
		    memcmp(buf_str(&back).p, plain, n) == 0;
	}
	ok(good, "all bytes and lengths come back");
	buf_free(&text);
	buf_free(&back);
}

static void
test_bounds(void)
{
	struct buf b;

	buf_init(&b, 4);
	ok(base64_decode(&b, STR("Zm9vYg==")) == 0, "exactly the maximum fits");
	buf_free(&b);
	buf_init(&b, 3);
	ok(base64_decode(&b, STR("Zm9vYg==")) == -1 && b.failed && b.n == 0,
	    "a byte more does not");
	buf_clear(&b);
	base64_encode(&b, STR("f"));
	ok(b.failed && b.n == 0, "nor does text beyond the maximum");
	buf_free(&b);
}

int
main(void)
{
	test_vectors();
	test_malformed();
	test_round_trip();
	test_bounds();
	return done();
}
