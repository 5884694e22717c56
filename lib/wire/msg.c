#include "wire/msg.h"

#include "wire/utf8.h"

bool
msg_channel_ok(struct str name)
{
	return name.n >= 1 && name.n <= MSG_CHANNEL_MAX && utf8_is_line(name);
}

bool
msg_event_ok(struct str type)
{
	return utf8_valid(type) && str_find(type, '\r') == type.n &&
	    str_find(type, '\n') == type.n && str_find(type, '\0') == type.n;
}

static enum msg_role
reserved(struct str name, struct str data_name)
{
	if (str_eq(name, data_name))
		return MSG_DATA;
	if (str_eq(name, STR("event")))
		return MSG_EVENT;
	if (str_eq(name, STR("mid")))
		return MSG_MID;
	if (str_eq(name, STR("key")))
		return MSG_KEY;
	return MSG_HEADER;
}

static struct str *
slot(struct msg *m, enum msg_role role)
{
	switch (role) {
	case MSG_DATA:
		return &m->data;
	case MSG_EVENT:
		return &m->event;
	case MSG_MID:
		return &m->mid;
	case MSG_KEY:
		return &m->key;
	case MSG_HEADER:
		break;
	}
	return NULL;
}

void
msg_bind(
    struct msg *m, struct msg_field *fields, size_t n, struct str data_name)
{
	m->data = m->event = m->mid = m->key = (struct str){NULL, 0};
	m->fields = fields;
	m->nfields = n;
	for (size_t i = 0; i < n; i++) {
		struct msg_field *f = &fields[i];
		f->role = reserved(f->name, data_name);
		struct str *value = slot(m, f->role);
		if (value != NULL && value->p == NULL)
			*value = f->value;
		else
			f->role = MSG_HEADER;
	}
}
