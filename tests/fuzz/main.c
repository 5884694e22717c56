#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Feeds each file named on the command line to a fuzz target, one TAP point a
 * file, so that a corpus can be replayed with any compiler.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes in a block of just their size, so that a sanitizer sees its end. */
static uint8_t *
read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL;
	long n;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
		rewind(f);
		*size = (size_t)n;
		p = malloc(*size);
		if (p != NULL && fread(p, 1, *size, f) != *size) {
			free(p);
			p = NULL;
		}
	}
	fclose(f);
	return p;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		size_t size = 0;
		uint8_t *data = read_file(argv[i], &size);

		/* Said first: the target aborts when something is wrong. */
		printf("# %s\n", argv[i]);
		fflush(stdout);
		if (data != NULL)
			LLVMFuzzerTestOneInput(data, size);
		else
			failed = 1;
		printf(
		    "%s %d - %s\n", data != NULL ? "ok" : "not ok", i, argv[i]);
		free(data);
	}
	return failed;
}
