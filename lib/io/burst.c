#define _GNU_SOURCE /* syscall, MAP_POPULATE */

#include "io/burst.h"

#include <errno.h>
#include <stdlib.h>

/* Fewer are not worth the ring. */
enum { WORTH = 8 };

static void
write_one(struct burst_write *w)
{
	w->done = conn_write_some(w->conn, w->bytes);
	w->error = w->done < 0 ? errno : 0;
}

/* ---- The ring (Linux) ---- */

#if defined(__linux__) && defined(__GNUC__)

#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel and we each move one end of either queue. */
struct queue {
	unsigned *head, *tail, mask;
};

struct burst_ring {
	int fd;
	void *rings;
	size_t rings_bytes;
	struct queue sq, cq;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void
free_ring(struct burst_ring *r)
{
	if (r == NULL)
		return;
	if (r->rings != MAP_FAILED)
		munmap(r->rings, r->rings_bytes);
	if ((void *)r->sqes != MAP_FAILED)
		munmap(r->sqes, BURST_MAX * sizeof(*r->sqes));
	close(r->fd);
	free(r);
}

static void *
map(const struct burst_ring *r, size_t n, long long at)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
	    r->fd, (off_t)at);
}

static unsigned *
word(const struct burst_ring *r, unsigned at)
{
	return (unsigned *)(void *)((char *)r->rings + at);
}

/* Both queues lie in one mapping (IORING_FEAT_SINGLE_MMAP, Linux 5.4). */
static int
map_queues(struct burst_ring *r, const struct io_uring_params *p)
{
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(*r->cqes);

	r->rings_bytes = sq > cq ? sq : cq;
	r->rings = map(r, r->rings_bytes, IORING_OFF_SQ_RING);
	r->sqes = map(r, BURST_MAX * sizeof(*r->sqes), IORING_OFF_SQES);
	if (r->rings == MAP_FAILED || (void *)r->sqes == MAP_FAILED)
		return -1;
	r->sq.head = word(r, p->sq_off.head);
	r->sq.tail = word(r, p->sq_off.tail);
	r->sq.mask = *word(r, p->sq_off.ring_mask);
	r->cq.head = word(r, p->cq_off.head);
	r->cq.tail = word(r, p->cq_off.tail);
	r->cq.mask = *word(r, p->cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(void *)word(r, p->cq_off.cqes);
	for (unsigned i = 0; i < BURST_MAX; i++)
		word(r, p->sq_off.array)[i] = i;
	return 0;
}

static struct burst_ring *
make_ring(void)
{
	struct io_uring_params p = {0};
	int fd = (int)syscall(SYS_io_uring_setup, BURST_MAX, &p);
	struct burst_ring *r;

	if (fd < 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		close(fd);
		return NULL;
	}
	r->fd = fd;
	r->rings = MAP_FAILED;
	r->sqes = MAP_FAILED;
	if ((p.features & IORING_FEAT_SINGLE_MMAP) == 0 ||
	    p.sq_entries != BURST_MAX || map_queues(r, &p) != 0) {
		free_ring(r);
		return NULL;
	}
	return r;
}

/* With MSG_DONTWAIT a send is done when it has been submitted. */
static void
prepare(struct burst_ring *r, unsigned i, const struct burst_write *w)
{
	struct io_uring_sqe *sqe = &r->sqes[(*r->sq.tail + i) & r->sq.mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_SEND;
	sqe->fd = w->conn->wfd;
	sqe->addr = (uint64_t)(uintptr_t)w->bytes.p;
	sqe->len = w->bytes.n < UINT32_MAX ? (uint32_t)w->bytes.n : UINT32_MAX;
	sqe->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	sqe->user_data = i;
}

/*
 * All of n, also when a signal comes between. 0, or -1; n is then set to the
 * number of those that may have been sent.
 */
static int
submit(struct burst_ring *r, unsigned *count)
{
	unsigned n = *count, left = n;

	__atomic_store_n(r->sq.tail, *r->sq.tail + n, __ATOMIC_RELEASE);
	while (left > 0 ||
	    __atomic_load_n(r->cq.tail, __ATOMIC_ACQUIRE) - *r->cq.head < n) {
		long done = syscall(SYS_io_uring_enter, r->fd, left, n,
		    IORING_ENTER_GETEVENTS, NULL, 0);
		if (done < 0 && errno != EINTR) {
			*count = n - left;
			return -1;
		}
		left -= done > 0 ? (unsigned)done : 0;
	}
	return 0;
}

static void
collect(struct burst_ring *r, struct burst_write *writes, unsigned n)
{
	unsigned head = *r->cq.head;

	for (unsigned i = 0; i < n; i++) {
		const struct io_uring_cqe *cqe =
		    &r->cqes[(head + i) & r->cq.mask];
		struct burst_write *w = &writes[cqe->user_data];
		w->done = conn_wrote(w->conn, cqe->res);
		w->error = w->done < 0 ? errno : 0;
	}
	__atomic_store_n(r->cq.head, head + n, __ATOMIC_RELEASE);
}

/* What was sent is not known: their cursors tell them what to ask for. */
static void
give_up(struct burst *b, struct burst_write *writes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		writes[i].done = conn_wrote(writes[i].conn, -EIO);
		writes[i].error = EIO;
	}
	free_ring(b->ring);
	b->ring = NULL;
	b->no_ring = true;
}

/* The number of those at the beginning that were dealt with; 0: no ring. */
static size_t
write_ring(struct burst *b, struct burst_write *writes, size_t n)
{
	unsigned k = (unsigned)n;

	if (b->ring == NULL && !b->no_ring)
		b->ring = make_ring();
	b->no_ring = b->ring == NULL;
	if (b->no_ring)
		return 0;
	for (unsigned i = 0; i < k; i++)
		prepare(b->ring, i, &writes[i]);
	if (submit(b->ring, &k) == 0)
		collect(b->ring, writes, k);
	else
		give_up(b, writes, k);
	return k;
}

#else

static void
free_ring(struct burst_ring *r)
{
	(void)r;
}

static size_t
write_ring(struct burst *b, struct burst_write *writes, size_t n)
{
	(void)b;
	(void)writes;
	(void)n;
	return 0;
}

#endif

/* ---- ---- */

void
burst_free(struct burst *b)
{
	free_ring(b->ring);
	b->ring = NULL;
}

static bool
are_sockets(const struct burst_write *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!conn_may_send(w[i].conn))
			return false;
	return true;
}

static void
write_together(struct burst *b, struct burst_write *writes, size_t n)
{
	size_t i = 0;

	if (n >= WORTH && are_sockets(writes, n))
		i = write_ring(b, writes, n);
	for (; i < n; i++)
		write_one(&writes[i]);
}

void
burst_write(struct burst *b, struct burst_write *writes, size_t n)
{
	for (size_t k; n > 0; writes += k, n -= k) {
		k = n < BURST_MAX ? n : BURST_MAX;
		write_together(b, writes, k);
	}
}
