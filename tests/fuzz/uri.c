#include "wire/uri.h"

#include "wire/utf8.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static void
check_decode(struct str s, bool plus)
{
	struct buf b;
	struct str text;

	buf_init(&b, s.n);
	if (uri_decode(&b, s, plus) == 0) {
		text = buf_str(&b);
		check(uri_escapes_ok(s) && text.n <= s.n);
		check(utf8_valid(text) && str_find(text, '\0') == text.n);
	} else {
		check(b.n == 0 && !b.failed);
	}
	buf_free(&b);
}

/* The parts stand in order and are the whole of s but for '&' and '='. */
static void
check_params(struct str s)
{
	struct str rest = s, name, value;
	const char *at = s.p;

	while (uri_param(&rest, &name, &value)) {
		for (; at < name.p; at++)
			check(*at == '&');
		check(str_find(name, '&') == name.n);
		check(str_find(name, '=') == name.n);
		at = name.p + name.n;
		if (value.p != NULL) {
			check(value.p == at + 1 && *at == '=');
			check(str_find(value, '&') == value.n);
			at = value.p + value.n;
		}
		check(at <= s.p + s.n);
	}
	for (; at < s.p + s.n; at++)
		check(*at == '&');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = size == 0 ? STR("") : str_n(data, size);
	size_t n = uri_origin_len(s);

	check_decode(s, false);
	check_decode(s, true);
	check_params(s);
	check(n <= s.n && (n == 0 || n > 7));
	check(!uri_is_authority(s) || str_find(s, '/') == s.n);
	return 0;
}
