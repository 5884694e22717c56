#include "wire/metrics.h"

#include "tap.h"
#include "wire/utf8.h"

#include <string.h>

enum { TEXT_MAX = 1 << 20 };

/* What a reader makes of the value of the one label of a line. */
static bool
read_value(struct buf *out, struct str line)
{
	size_t i = str_find(line, '"') + 1;

	for (; i < line.n && line.p[i] != '"'; i++) {
		char c = line.p[i];
		if (c == '\n')
			return false;
		if (c != '\\') {
			buf_addc(out, c);
			continue;
		}
		c = line.p[++i];
		if (c != 'n' && c != '\\' && c != '"')
			return false;
		buf_addc(out, c == 'n' ? '\n' : c);
	}
	return str_eq(str_from(line, i), STR("\"} 1\n"));
}

/* It comes back, but for what is not text. */
static void
survives(struct str value)
{
	struct buf line, want, got;
	struct str rest = value;

	buf_init(&line, TEXT_MAX);
	buf_init(&want, TEXT_MAX);
	buf_init(&got, TEXT_MAX);
	while (rest.p != NULL) {
		utf8_add_lossy(&want, str_cut(rest, '\0', &rest));
		if (rest.p != NULL)
			buf_addz(&want, "\xef\xbf\xbd");
	}
	metrics_sample(&line, "m", "l", value, STR("1"));
	ok(read_value(&got, buf_str(&line)) &&
		str_eq(buf_str(&got), buf_str(&want)) &&
		utf8_valid(buf_str(&line)) &&
		str_find(buf_str(&line), '\n') == line.n - 1,
	    "a value of %zu bytes survives", value.n);
	buf_free(&line);
	buf_free(&want);
	buf_free(&got);
}

static void
values(void)
{
	static const struct str hostile[] = {
	    {"", 0},
	    {"plain", 5},
	    {"\"", 1},
	    {"\\", 1},
	    {"\\\"\\n\n\\", 6},
	    {"a\"} 1\nb{c=\"d", 12},
	    {"a\r\nb\tc", 6},
	    {"a\0b\0", 4},
	    {"gr\xc3\xbc\xc3\x9f", 6},
	    {"cut \xc3", 5},
	    {"\xc3\"", 2},
	    {"\xed\xa0\x80\\", 4},
	    {"\xf0\x9f\x98\n", 4},
	};
	char all[256];

	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		for (size_t n = 0; n <= hostile[i].n; n++)
			survives(flush_copy(str_n(hostile[i].p, n)));
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	survives(flush_copy(str_n(all, sizeof(all))));
}

static void
lines(void)
{
	struct buf b;

	buf_init(&b, TEXT_MAX);
	metrics_family(&b, "a_total", METRICS_COUNTER, STR("One \"x\"."));
	metrics_sample(&b, "a_total", NULL, str_c(NULL), STR("7"));
	is_str(buf_str(&b),
	    STR("# HELP a_total One \"x\".\n# TYPE a_total counter\n"
		"a_total 7\n"),
	    "a counter");
	buf_clear(&b);
	metrics_family(&b, "b", METRICS_GAUGE, STR("a\\b\nc\0d"));
	metrics_sample(&b, "b", "x", STR("y"), STR("0.5"));
	is_str(buf_str(&b),
	    STR("# HELP b a\\\\b\\nc\xef\xbf\xbd"
		"d\n# TYPE b gauge\nb{x=\"y\"} 0.5\n"),
	    "a gauge with a label and a help that needs escapes");
	buf_free(&b);
}

static void
histogram(void)
{
	struct hist h;
	struct buf b;

	memset(&h, 0, sizeof(h));
	buf_init(&b, TEXT_MAX);
	hist_add(&h, 0);
	hist_add(&h, 40);
	hist_add(&h, 99999);
	metrics_hist(&b, "t_seconds", &h);
	is_str(buf_str(&b),
	    STR("t_seconds_bucket{le=\"0.001\"} 1\n"
		"t_seconds_bucket{le=\"0.002\"} 1\n"
		"t_seconds_bucket{le=\"0.005\"} 1\n"
		"t_seconds_bucket{le=\"0.01\"} 1\n"
		"t_seconds_bucket{le=\"0.02\"} 1\n"
		"t_seconds_bucket{le=\"0.05\"} 2\n"
		"t_seconds_bucket{le=\"0.1\"} 2\n"
		"t_seconds_bucket{le=\"0.2\"} 2\n"
		"t_seconds_bucket{le=\"0.5\"} 2\n"
		"t_seconds_bucket{le=\"1\"} 2\n"
		"t_seconds_bucket{le=\"2\"} 2\n"
		"t_seconds_bucket{le=\"5\"} 2\n"
		"t_seconds_bucket{le=\"10\"} 2\n"
		"t_seconds_bucket{le=\"+Inf\"} 3\n"
		"t_seconds_sum 100.039\n"
		"t_seconds_count 3\n"),
	    "a histogram");
	buf_free(&b);
}

int
main(void)
{
	lines();
	values();
	histogram();
	return done();
}
