#include "wire/cors.h"

#include "tap.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define A "https://a.example"
#define B "https://b.example:8443"
#define VARY "Vary: Origin\r\n"
#define EXPOSE                                                   \
	"Access-Control-Expose-Headers: Chat-Cursor, Location, " \
	"Retry-After\r\n"
#define NAMED(o)                                 \
	"Access-Control-Allow-Origin: " o "\r\n" \
	"Access-Control-Allow-Credentials: true\r\n" EXPOSE
#define ALL "Access-Control-Allow-Origin: *\r\n" EXPOSE

static const struct str absent = {NULL, 0};

static void
test_origin(void)
{
	static const char *const good[] = {A, B, "http://h", "http://[::1]:80",
	    "capacitor://localhost", "chrome-extension://abc", "a+b.c-1://h"};
	const struct str bad[] = {STR(""), absent, STR("null"), STR("*"),
	    STR("https://a/"), STR("https://a?b"), STR("https://"),
	    STR("https:/a"), STR("https:a"), STR("a"), STR("://a"),
	    STR("1a://a"), STR("https://a b"), STR("https://a,b"),
	    STR("https://u@a"), STR("https://a:b"), STR("https://a\r\nb: c"),
	    STR("https://a\0"), STR("https://*.a/"),
	    STR("https://a https://b")};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(cors_is_origin(flush_copy(str_c(good[i]))), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!cors_is_origin(
		       bad[i].p != NULL ? flush_copy(bad[i]) : absent),
		    "no origin, %zu", i);
}

static void
adds(struct cors c, struct str origin, const char *want, const char *name)
{
	struct buf b;

	buf_init(&b, 1000);
	cors_add(&b, &c, origin);
	is_str(buf_str(&b), str_c(want), name);
	buf_free(&b);
}

static void
test_add(void)
{
	struct cors none = {NULL, 0}, all = {LIST("*"), 1};
	struct cors two = {LIST(A, B), 2}, both = {LIST("*", A), 2};
	struct cors ports = {LIST("http://h"), 1};

	adds(none, STR(A), "", "none by default");
	adds(none, absent, "", "nor without an origin");
	adds(two, STR(A), VARY NAMED(A), "one that is named");
	adds(two, STR(B), VARY NAMED(B), "another one");
	adds(two, STR("https://c.example"), VARY, "one that is not");
	adds(two, STR("http://a.example"), VARY, "another scheme");
	adds(two, STR("https://a.example:443"), VARY, "a port");
	adds(two, STR("https://a.example.c"), VARY, "more behind it");
	adds(two, STR("null"), VARY, "null");
	adds(two, STR("*"), VARY, "a star");
	adds(two, STR(""), VARY, "an empty one");
	adds(two, absent, VARY, "no origin");
	adds(ports, STR("http://h:80"), VARY, "ports are compared as text");
	adds(all, STR(A), ALL, "all: no credentials");
	adds(all, STR("null"), ALL, "all: also null");
	adds(all, STR("*"), ALL, "all: also a star, without credentials");
	adds(all, absent, "", "all: nothing without an origin");
	adds(both, STR(A), VARY NAMED(A), "the one that is named of all");
	adds(both, STR(B), VARY ALL, "one of the others");
}

static void
test_allows(void)
{
	struct cors two = {LIST(A, B), 2}, all = {LIST("*"), 1};

	ok(cors_allows(&two, STR(B)) && cors_names(&two, STR(B)), "named");
	ok(!cors_allows(&two, STR("null")), "not null");
	ok(cors_allows(&all, STR(A)) && !cors_names(&all, STR(A)), "all");
	ok(!cors_names(&all, STR("*")), "a star is nobody's name");
	ok(!cors_allows(&all, absent), "no origin");
}

int
main(void)
{
	test_origin();
	test_add();
	test_allows();
	return done();
}
