#ifndef APP_SESSION_IMPL_H
#define APP_SESSION_IMPL_H

/* What the parts of app/session share, and nobody else. */

#include "app/session.h"

/* What one more read may add to a head that is still incomplete. */
enum { SESSION_READ_MAX = 64 << 10 };

/* As client_events.input. */
void session_input(void *arg, const char *p, size_t n);

/* ---- session_head.c ---- */

/* Bytes of the head; once it is whole, what it asks for is answered. */
void session_head_input(struct session *s, const char *p, size_t n);

/* There will be no more of it. */
void session_head_end(struct session *s, int status, const char *why);

/* What comes while the command is asked; 0 bytes: the end. */
void session_head_keep(struct session *s, const char *p, size_t n);

void session_drop_permit(struct session *s);

#endif
