#include "wire/form.h"

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
add_encoded(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addf(b, "%%%02x", (unsigned char)s.p[i]);
}

static void
check_text(struct str s)
{
	check(utf8_valid(s) && str_find(s, '\0') == s.n);
}

/* All fields, encoded anew; as many are read as could be. */
static struct str
encode(struct buf *out, struct str form)
{
	struct buf name, value;

	buf_init(&name, form.n);
	buf_init(&value, form.n);
	buf_clear(out);
	while (form_next(&form, &name, &value) > 0) {
		check_text(buf_str(&name));
		check_text(buf_str(&value));
		if (out->n > 0)
			buf_addc(out, '&');
		add_encoded(out, buf_str(&name));
		buf_addc(out, '=');
		add_encoded(out, buf_str(&value));
	}
	buf_free(&name);
	buf_free(&value);
	return buf_str(out);
}

/* What was read, encoded and read again is the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str once, twice;
	struct buf a, b;

	buf_init(&a, 3 * size + 2);
	buf_init(&b, 3 * size + 2);
	once = encode(&a, str_n(data, size));
	check(!a.failed);
	twice = encode(&b, once);
	check(str_eq(once, twice));
	buf_free(&a);
	buf_free(&b);
	return 0;
}
