#include "target.h"

#include <stdio.h>
#include <string.h>

size_t
target_format(char out[TARGET_BYTES], const char *pattern, size_t channel)
{
	const char *mark = strchr(pattern, '%');
	int n;

	if (mark == NULL)
		n = snprintf(out, TARGET_BYTES, "%s", pattern);
	else
		n = snprintf(out, TARGET_BYTES, "%.*s%zu%s",
		    (int)(mark - pattern), pattern, channel, mark + 1);
	return n < TARGET_BYTES ? (size_t)n : TARGET_BYTES - 1;
}
