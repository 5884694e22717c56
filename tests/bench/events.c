/*
 * events <ANSWER: what a browser makes of an answer, with its head, to a
 * request for a stream. A line for each event: `ID TYPE DATA`, DATA in
 * hexadecimal, an absent ID as `-`.
 */
#include "../helpers/sse_parser.c"

#include <stdio.h>

static void
print(void *arg, struct str type, struct str data, struct str last_id)
{
	(void)arg;
	printf("%.*s %.*s ", last_id.n > 0 ? (int)last_id.n : 1,
	    last_id.n > 0 ? last_id.p : "-", (int)type.n, type.p);
	for (size_t i = 0; i < data.n; i++)
		printf("%02x", (unsigned char)data.p[i]);
	putchar('\n');
}

static int
skip_head(void)
{
	static const char end[] = "\r\n\r\n";
	size_t n = 0;
	int c;

	while (n < sizeof(end) - 1) {
		c = getchar();
		if (c == EOF)
			return -1;
		n = c == end[n] ? n + 1 : c == '\r';
	}
	return 0;
}

int
main(void)
{
	struct sse_parser sp;
	char p[65536];
	size_t n;

	if (skip_head() != 0) {
		fputs("events: this is not the head of an answer\n", stderr);
		return 1;
	}
	sse_parser_init(&sp, print, NULL);
	while ((n = fread(p, 1, sizeof(p), stdin)) > 0)
		sse_parser_feed(&sp, str_n(p, n));
	sse_parser_free(&sp);
	return fflush(stdout) == 0 ? 0 : 1;
}
