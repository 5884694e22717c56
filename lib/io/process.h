#ifndef IO_PROCESS_H
#define IO_PROCESS_H

#include <stdint.h>

/* What this process uses, as the kernel counts; 0 for what cannot be read. */
struct process {
	uint64_t cpu_ms, resident_bytes;
	uint64_t fds, max_fds;
};

void process_read(struct process *p);

#endif
