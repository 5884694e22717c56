#include "wire/forwarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* What is an address, is one again, and the same. */
static void
check_address(struct str s)
{
	char out[FORWARDED_TEXT], again[FORWARDED_TEXT];
	size_t n = forwarded_address(out, s);

	if (n == 0)
		return;
	check(n == strlen(out) && n < sizeof(out));
	check(strspn(out, "0123456789abcdef:.") == n);
	check(forwarded_address(again, str_n(out, n)) == n);
	check(memcmp(out, again, n) == 0);
}

/* It is the address behind the last comma. */
static void
check_list(struct str s)
{
	struct http_request r = {
	    .fields = {{STR("X-Forwarded-For"), s}}, .nfields = 1};
	char out[FORWARDED_TEXT], last[FORWARDED_TEXT];
	size_t n = forwarded_for(out, &r), at = s.n;

	while (at > 0 && s.p[at - 1] != ',')
		at--;
	check(n == forwarded_address(last, str_trim(str_from(s, at))));
	check(n == 0 || memcmp(out, last, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = size == 0 ? STR("") : str_n(data, size);

	check_address(s);
	check_list(s);
	return 0;
}
