#ifndef WIRE_FORMAT_H
#define WIRE_FORMAT_H

#include "base/buf.h"
#include "wire/msg.h"

/*
 * What is printed of a message: -F. Directives: %s payload, %S its length, %R
 * its length as 4 bytes big-endian, %x hex, %b base64, %J JSON string, %k %K
 * key and its length, %h headers n=v,n=v, %{F} field F, %t channel, %o id, %T
 * ms, %U s.ms, %I ISO time, %e event, %m mid, %j envelope, %i number in this
 * run, %%. Escapes \n \r \t \0 \a \e \\ \xNN. An absent member prints nothing;
 * the length of an absent payload or key is -1 (%R: 0xffffffff).
 */
struct format {
	struct buf ops; /* compiled */
};

/*
 * Compile text, or a preset by its name: raw = `%s`, id = `%o`,
 * log = `%I %t %o %s`, json = `%j`. 0, or -1 and a reason in err.
 */
int format_compile(struct format *f, const char *text, struct buf *err);
void format_free(struct format *f);

/* Append message m, the nr-th of this run (from 1). */
void format_add(
    struct buf *b, const struct format *f, const struct msg *m, uint64_t nr);

/*
 * Append s with control characters (C0 but LF and TAB, DEL, C1) and ill-formed
 * bytes as \xNN, safe for a terminal.
 */
void format_escape(struct buf *b, struct str s);

/* Read an -D or -K argument: backslash escapes as above. 0 or -1. */
int format_unescape(struct buf *b, const char *text);

#endif
