#include "wire/metrics.h"

#include "base/num.h"
#include "wire/utf8.h"

/* How many bytes at the beginning of s are none of special. */
static size_t
plain_run(struct str s, struct str special)
{
	size_t n = 0;

	while (n < s.n && str_find(special, s.p[n]) == special.n)
		n++;
	return n;
}

/* NUL cannot be told, and ends the text for some readers. */
static void
add_escape(struct buf *b, char c)
{
	if (c == '\0') {
		buf_addz(b, "\xef\xbf\xbd");
		return;
	}
	buf_addc(b, '\\');
	buf_addc(b, c == '\n' ? 'n' : c);
}

static void
add_escaped(struct buf *b, struct str s, struct str special)
{
	while (s.n > 0) {
		size_t n = plain_run(s, special);
		utf8_add_lossy(b, str_n(s.p, n));
		s = str_from(s, n);
		if (s.n == 0)
			break;
		add_escape(b, s.p[0]);
		s = str_from(s, 1);
	}
}

void
metrics_family(
    struct buf *b, const char *name, enum metrics_type type, struct str help)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};

	buf_addf(b, "# HELP %s ", name);
	add_escaped(b, help, STR("\\\n\0"));
	buf_addf(b, "\n# TYPE %s %s\n", name, types[type]);
}

void
metrics_sample(struct buf *b, const char *name, const char *label,
    struct str value, struct str number)
{
	buf_addz(b, name);
	if (label != NULL) {
		buf_addf(b, "{%s=\"", label);
		add_escaped(b, value, STR("\\\"\n\0"));
		buf_addz(b, "\"}");
	}
	buf_addc(b, ' ');
	buf_adds(b, number);
	buf_addc(b, '\n');
}

static void
add_bucket(struct buf *b, const char *name, const struct hist *h, size_t step)
{
	char le[NUM_TEXT] = "+Inf";

	if (step < HIST_STEPS)
		num_format_milli(le, hist_steps_ms[step]);
	buf_addf(b, "%s_bucket{le=\"%s\"} ", name, le);
	buf_addu(b, hist_at_most(h, step));
	buf_addc(b, '\n');
}

void
metrics_hist(struct buf *b, const char *name, const struct hist *h)
{
	char sum[NUM_TEXT];

	for (size_t i = 0; i <= HIST_STEPS; i++)
		add_bucket(b, name, h, i);
	num_format_milli(sum, h->sum_ms);
	buf_addf(b, "%s_sum %s\n%s_count ", name, sum, name);
	buf_addu(b, hist_at_most(h, HIST_STEPS));
	buf_addc(b, '\n');
}
