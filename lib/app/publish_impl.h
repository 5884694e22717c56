#ifndef APP_PUBLISH_IMPL_H
#define APP_PUBLISH_IMPL_H

#include "app/publish_queue.h"
#include "base/num.h"

/* Inside of app/publish: what its parts offer each other. */

/* ---- publish.c: the pump, the connection ---- */

/* Send what may be sent. Calls nobody. */
void publish_pump(struct publish *p);

/* Something has become known of a message: report it, go on. */
void publish_settle(struct publish *p);

/* ---- publish_command.c: commands of messages, and their replies ---- */

/* `room: OOM command not allowed ...`, kept in p->why. */
const char *publish_why(const struct publish_stream *s, struct str text);

/* Make a command in p->args: its words, and its end. 0 or -1. */
void publish_command(struct publish *p, struct str word, struct str key);
void publish_arg(struct publish *p, struct str s);
int publish_command_end(
    struct publish *p, redis_fn *fn, void *arg, int64_t more_ms);

/* XADD. 0, or -1 out of memory. */
int publish_command_add(struct publish *p, struct publish_msg *pm);

/* Learn the floor of a stream; nothing when that is under way. 0 or -1. */
int publish_command_floor(struct publish *p, struct publish_stream *s);

/* ---- publish_keep.c: how much of a stream is kept ---- */

/* The words of XADD that limit the stream. text is kept for the caller. */
void publish_keep_args(struct publish *p, char text[NUM_TEXT]);

/* After a batch, what XADD itself cannot do: for the streams noted. */
void publish_keep_note(struct publish_stream *s);
void publish_keep_trim(struct publish *p);
void publish_keep_forget(struct publish *p);

/* ---- publish_readback.c ---- */

/*
 * After a reconnect, find out which of the messages LOST were stored. The old
 * connection is ended first, lest Redis execute later what it still holds of
 * it. done is called when no message is LOST any more; it is not when the
 * connection is lost meanwhile.
 */
void publish_readback(struct publish *p, void (*done)(struct publish *p));

#endif
