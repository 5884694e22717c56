#ifndef APP_PRINTER_H
#define APP_PRINTER_H

#include "app/output.h"
#include "app/tool.h"
#include "io/conn.h"

/*
 * Messages on standard output, collected while the program is at work and
 * written before it waits. A reader that went away ends the program.
 */
struct printer {
	struct tool *tool;
	struct output output;
	struct buf page; /* of this turn */
	struct conn out;
	struct ev_prepare flush;
	void (*written)(void *arg);
	void *arg;
	bool blocked; /* a tail waits: print no more, if possible */
};

/*
 * written is called when all that was printed is out. What is passed is
 * borrowed. Exits on a usage error in conf.
 */
void printer_init(struct printer *p, struct tool *t,
    const struct output_conf *conf, void (*written)(void *arg), void *arg);

/* Harmless when zeroed. */
void printer_free(struct printer *p);

void printer_add(struct printer *p, const struct msg *m);

/* Is anything not out yet? */
bool printer_busy(const struct printer *p);

#endif
