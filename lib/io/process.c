#include "io/process.h"

#include "base/num.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t
timeval_us(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

static uint64_t
cpu_ms(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return 0;
	return (timeval_us(&u.ru_utime) + timeval_us(&u.ru_stime)) / 1000;
}

/* The second number of proc(5) statm, pages. */
static uint64_t
resident_bytes(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[256];
	struct str rest = {NULL, 0};
	uint64_t pages = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n > 0)
		str_cut(str_n(text, (size_t)n), ' ', &rest);
	if (num_u64(str_cut(rest, ' ', &rest), &pages) != 0)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Before Linux 6.2 they have to be listed, with `.`, `..` and the list. */
static uint64_t
open_fds(void)
{
	static const char path[] = "/proc/self/fd";
	struct stat st;
	uint64_t n = 0;
	DIR *dir;

	if (stat(path, &st) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n > 3 ? n - 3 : 0;
}

static uint64_t
max_fds(void)
{
	struct rlimit rl;

	return getrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_cur : 0;
}

void
process_read(struct process *p)
{
	p->cpu_ms = cpu_ms();
	p->resident_bytes = resident_bytes();
	p->fds = open_fds();
	p->max_fds = max_fds();
}
