#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 64, LINE_BYTES = 1024 };

typedef void each_fn(struct proc *p, pid_t pid);

/* /proc/PID/stat behind the name, which may hold anything; false when gone. */
static int
read_stat(pid_t pid, char line[LINE_BYTES], const char **rest)
{
	char path[PATH_BYTES];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	n = fread(line, 1, LINE_BYTES - 1, f);
	fclose(f);
	line[n] = '\0';
	*rest = strrchr(line, ')');
	return *rest != NULL;
}

static pid_t
parent(pid_t pid)
{
	char line[LINE_BYTES];
	const char *rest;
	long ppid = 0;

	if (read_stat(pid, line, &rest))
		sscanf(rest, ") %*c %ld", &ppid);
	return (pid_t)ppid;
}

/* fn for the process and its descendants. */
static void
each(struct proc *p, pid_t pid, each_fn *fn)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;

	fn(p, pid);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)*e->d_name))
			continue;
		if (parent(atoi(e->d_name)) == pid)
			each(p, atoi(e->d_name), fn);
	}
	if (d != NULL)
		closedir(d);
}

static void
add_cpu(struct proc *p, pid_t pid)
{
	char line[LINE_BYTES];
	const char *rest;
	unsigned long user = 0, sys = 0;
	long cuser = 0, csys = 0;

	if (!read_stat(pid, line, &rest))
		return;
	sscanf(rest,
	    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
	    &user, &sys, &cuser, &csys);
	p->cpu_s += ((double)user + (double)sys + (double)(cuser + csys)) /
	    (double)sysconf(_SC_CLK_TCK);
}

/* Adds up the named lines (`Name:  123 kB`) of a file in /proc/PID. */
static double
sum_kb(pid_t pid, const char *file, const char *a, const char *b)
{
	char path[PATH_BYTES], line[LINE_BYTES];
	double sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, a, strlen(a)) == 0 ||
		    strncmp(line, b, strlen(b)) == 0)
			sum += strtod(strchr(line, ':') + 1, NULL);
	}
	fclose(f);
	return sum;
}

static void
add_memory(struct proc *p, pid_t pid)
{
	p->private_kb +=
	    sum_kb(pid, "smaps_rollup", "Private_Clean:", "Private_Dirty:");
	p->rss_kb += sum_kb(pid, "status", "VmRSS:", "VmRSS:");
	p->peak_kb += sum_kb(pid, "status", "VmHWM:", "VmHWM:");
}

void
proc_cpu(struct proc *p, pid_t pid)
{
	p->cpu_s = 0;
	if (pid > 0)
		each(p, pid, add_cpu);
}

void
proc_memory(struct proc *p, pid_t pid)
{
	p->private_kb = p->rss_kb = p->peak_kb = 0;
	if (pid > 0)
		each(p, pid, add_memory);
}
