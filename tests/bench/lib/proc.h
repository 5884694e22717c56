#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <sys/types.h>

/* What a process and all that it started have used, from /proc (proc(5)). */
struct proc {
	double cpu_s;      /* user and system, all threads, reaped children */
	double private_kb; /* Private_Clean and Private_Dirty */
	double rss_kb, peak_kb;
};

/* All 0 for pid 0, and for a process that is gone. */
void proc_cpu(struct proc *p, pid_t pid);    /* fills cpu_s */
void proc_memory(struct proc *p, pid_t pid); /* fills the others */

#endif
