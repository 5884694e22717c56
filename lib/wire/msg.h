#ifndef WIRE_MSG_H
#define WIRE_MSG_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/id.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One message: an entry of a stream, or a line of the JSON envelope. The
 * fields of an entry are `data` (payload; its name can be chosen), `event`
 * (type), `mid` (message id), `key`; every other field is a header. Absent
 * members have p == NULL.
 */
enum msg_role { MSG_HEADER, MSG_DATA, MSG_EVENT, MSG_MID, MSG_KEY };

struct msg_field {
	struct str name, value;
	enum msg_role role;
};

struct msg {
	struct str channel;
	struct id id;
	bool has_id;
	struct str foreign_id; /* of an envelope: one that is not of Redis */
	int64_t ts_ms; /* of the id, or the time of receipt; -1 unknown */
	struct str data, event, mid, key;
	/* All fields in the order of the entry; the headers are among them. */
	const struct msg_field *fields;
	size_t nfields;
};

/* Names: 1-256 bytes of UTF-8 without control characters (C0, DEL, C1). */
enum { MSG_CHANNEL_MAX = 256 };
bool msg_channel_ok(struct str name);

/* A type as it may stand in a frame: UTF-8 without CR, LF or NUL. */
bool msg_event_ok(struct str type);

/*
 * Fill m's members from the n fields of an entry: the first field of each
 * reserved name takes its role (written to fields[].role), all others are
 * headers. data_name is the payload's field. channel, id and ts are the
 * caller's. Everything is borrowed.
 */
void msg_bind(
    struct msg *m, struct msg_field *fields, size_t n, struct str data_name);

/*
 * Append the envelope, one line without its LF:
 * {"channel","id","ts","event","mid","key","headers","data"}, absent members
 * left out, data null when there is no payload. A member that is not valid
 * UTF-8 stands as base64 under NAME_b64 (for headers: those, with name and
 * value in base64, under "headers_b64", behind "headers"). Headers of one name
 * are repeated.
 */
void msg_to_json(struct buf *b, const struct msg *m);

/* Memory behind a message that was read from text. */
struct msg_space {
	struct buf text;   /* unescaped bytes */
	struct buf fields; /* array of struct msg_field */
};

/* For lines of at most max bytes; longer ones are refused. */
void msg_space_init(struct msg_space *sp, size_t max);
void msg_space_free(struct msg_space *sp);

/*
 * Read an envelope. Unknown members are ignored, and so is a ts that is none;
 * null is absent; no member may be given twice, nor both plain and as base64. A
 * number or boolean for a string stands for its text; data may also be an
 * object or array, which becomes its compact JSON text. An id that is not one
 * of Redis is kept as it is, if it is a string or a number. The channel and the
 * event must be good ones (above).
 *
 * m->fields are made in the order data, event, mid, key, headers as written, so
 * that they can be stored as they are: a header that would then be read back
 * as something else is refused. data_name is as in msg_bind. m borrows from sp,
 * until its next use, and from data_name. 0, or -1 and a reason in *why (static
 * text); m is then undefined.
 */
int msg_from_json(struct msg *m, struct msg_space *sp, struct str line,
    struct str data_name, const char **why);

#endif
