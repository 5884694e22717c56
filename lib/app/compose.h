#ifndef APP_COMPOSE_H
#define APP_COMPOSE_H

#include "base/buf.h"
#include "base/opt.h"
#include "wire/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages out of input records: a payload, a key and a payload, or an
 * envelope. What the options say of a message wins over the envelope.
 */
struct compose_conf {
	bool json; /* records are envelopes */
	const char *key_delimiter, *key, *event;
	struct opt_list headers;
	uint64_t max_size; /* bytes of a payload */
};

extern const struct opt compose_opts[];

/* Defaults for the structure behind compose_opts. */
void compose_conf_init(struct compose_conf *c);
void compose_conf_free(struct compose_conf *c);

struct compose {
	const struct compose_conf *conf;
	struct str channel, event, key; /* of every message; may be absent */
	struct str data_name;
	struct buf key_delimiter;
	struct msg_space space;
	struct buf headers, fields; /* struct msg_field */
};

/*
 * channel is absent where the envelopes name it. All is borrowed. 0, or -1 and
 * a reason in err: a usage error.
 */
int compose_init(struct compose *c, const struct compose_conf *conf,
    struct str channel, struct str data_name, struct buf *err);
void compose_free(struct compose *c);

/* The most bytes of a record that can be a message. */
size_t compose_record_max(const struct compose_conf *conf);

/*
 * The message that is in record; it borrows from both, until the next use. 0,
 * or -1 and a reason in *why (static text).
 */
int compose_message(
    struct compose *c, struct msg *m, struct str record, const char **why);

#endif
