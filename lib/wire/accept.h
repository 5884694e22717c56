#ifndef WIRE_ACCEPT_H
#define WIRE_ACCEPT_H

#include "base/str.h"

/*
 * The weight that an Accept field (RFC 9110 12.5.1) gives to a media type
 * (`type/subtype`) which it names, in thousandths: 0 to 1000. 0 when it does
 * not name it: ranges with `*` do not count. Elements that are malformed are
 * passed over; of several for the type the greatest counts.
 */
unsigned accept_weight(struct str field, struct str type);

#endif
