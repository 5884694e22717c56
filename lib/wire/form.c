#include "wire/form.h"

#include "wire/uri.h"

/*
 * form  = *"&" [ field *( 1*"&" field ) *"&" ]
 * field = *( char / "+" / "%" 2HEXDIG ) [ "=" *( the same ) ]
 */
int
form_next(struct str *rest, struct buf *name, struct buf *value)
{
	struct str raw_name, raw_value;

	if (!uri_param(rest, &raw_name, &raw_value))
		return 0;
	buf_clear(name);
	buf_clear(value);
	if (uri_decode(name, raw_name, true) != 0 ||
	    uri_decode(value, raw_value, true) != 0)
		return -1;
	return 1;
}
