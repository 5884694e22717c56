#include "wire/url.h"

#include "base/num.h"
#include "wire/uri.h"

#include <string.h>

enum { DEFAULT_PORT = 6379 };

/* Decode s into mem as a C string; NULL when it cannot be one. */
static const char *
decoded(struct buf *mem, struct str s)
{
	size_t at = mem->n;

	if (uri_decode(mem, s, false) != 0 || buf_addc(mem, '\0') != 0)
		return NULL;
	return mem->p + at;
}

static int
number(struct str s, uint64_t max, int *v)
{
	uint64_t n;

	if (num_u64(s, &n) != 0 || n > max)
		return -1;
	*v = (int)n;
	return 0;
}

/* The index of the last byte c in s, or s.n. */
static size_t
find_last(struct str s, char c)
{
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == c)
			return i;
	return s.n;
}

/* userinfo = [ user ] [ ":" password ] */
static const char *
read_user(struct url *u, struct str s, struct buf *mem)
{
	struct str password, user = str_cut(s, ':', &password);

	if (user.n > 0 && (u->user = decoded(mem, user)) == NULL)
		return "bad user name";
	if (password.p != NULL &&
	    (u->password = decoded(mem, password)) == NULL)
		return "bad password";
	return NULL;
}

/* host = "[" IPv6 "]" / name, then [ ":" port ] */
static const char *
read_host(struct url *u, struct str s, struct buf *mem)
{
	struct str host, port;

	if (s.n > 0 && s.p[0] == '[') {
		host = str_cut(str_from(s, 1), ']', &port);
		if (port.p == NULL || (port.n > 0 && port.p[0] != ':'))
			return "bad address in brackets";
		port = port.n > 0 ? str_from(port, 1) : str_c(NULL);
	} else {
		host = str_cut(s, ':', &port);
	}
	if (host.n == 0)
		host = STR("127.0.0.1");
	if ((u->host = decoded(mem, host)) == NULL)
		return "bad host name";
	if (port.p != NULL &&
	    (number(port, 65535, &u->port) != 0 || u->port == 0))
		return "bad port";
	return NULL;
}

/* "redis://" [ userinfo "@" ] host [ "/" db ] */
static const char *
read_tcp(struct url *u, struct str s, struct buf *mem)
{
	struct str db, authority = str_cut(s, '/', &db);
	size_t at = find_last(authority, '@');
	const char *why = NULL;

	if (at < authority.n) {
		why = read_user(u, str_n(authority.p, at), mem);
		authority = str_from(authority, at + 1);
	}
	if (why == NULL)
		why = read_host(u, authority, mem);
	if (why == NULL && db.n > 0 && number(db, 1 << 20, &u->db) != 0)
		why = "bad database number";
	return why;
}

/* "unix://" [ userinfo "@" ] path [ "?db=" db ] */
static const char *
read_unix(struct url *u, struct str s, struct buf *mem)
{
	struct str query, path = str_cut(s, '?', &query);
	size_t slash = str_find(path, '/');
	const char *why = NULL;

	if (slash > 0 && slash < path.n && path.p[slash - 1] == '@')
		why = read_user(u, str_n(path.p, slash - 1), mem);
	else if (slash != 0)
		why = "the path must begin with /";
	if (why != NULL)
		return why;
	if ((u->path = decoded(mem, str_from(path, slash))) == NULL)
		return "bad path";
	if (query.p == NULL)
		return NULL;
	if (!str_starts(query, STR("db=")) ||
	    number(str_from(query, 3), 1 << 20, &u->db) != 0)
		return "bad database number";
	return NULL;
}

int
url_parse(struct url *u, const char *text, struct buf *mem, struct buf *err)
{
	struct str s = str_c(text);
	const char *why;

	memset(u, 0, sizeof(*u));
	u->port = DEFAULT_PORT;
	/* What is decoded is never longer, so that mem need not move. */
	if (buf_room(mem, s.n + 32) == NULL)
		why = "too long";
	else if (str_starts(s, STR("redis://")))
		why = read_tcp(u, str_from(s, 8), mem);
	else if (str_starts(s, STR("unix://")))
		why = read_unix(u, str_from(s, 7), mem);
	else
		why = "it must begin with redis:// or unix://";
	if (why == NULL)
		return 0;
	buf_addf(err, "bad URL: %s", why);
	return -1;
}

void
url_blank(char *text)
{
	char *p = strstr(text, "://");
	char *at, *colon;

	if (p == NULL)
		return;
	p += 3;
	at = p + strcspn(p, "/");
	while (at > p && *at != '@')
		at--;
	colon = p + strcspn(p, ":");
	if (*at != '@' || colon >= at)
		return;
	memset(colon + 1, 'x', (size_t)(at - colon - 1));
}
