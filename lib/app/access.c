#include "app/access.h"

#include "io/file.h"
#include "wire/auth.h"
#include "wire/chars.h"
#include "wire/forwarded.h"
#include "wire/uri.h"

#include <errno.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, FIELDS_MAX = 16 << 10 };

#define AT(member) offsetof(struct access_options, member)

const struct opt access_opts[] = {
    {0, "token-file", "FILE", OPT_STR, AT(token_file),
	"who may read and write what: lines TOKEN r|w|rw GLOB...", NULL, NULL,
	0},
    {0, "token-cookie", "NAME", OPT_STR, AT(token_cookie),
	"take the token from this cookie, too", NULL, NULL, 0},
    {0, "auth-cmd", "CMD", OPT_STR, AT(auth_cmd),
	"ask CMD about each request: exit 0 allows, 1 does not", NULL, NULL, 0},
    {0, "cors", "ORIGIN", OPT_LIST, AT(cors),
	"let pages of ORIGIN, or *, read the answers; repeatable", NULL, NULL,
	0},
    {0, "trust-forwarded", NULL, OPT_FLAG, AT(trust_forwarded),
	"a proxy says who asks: X-Forwarded-For", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static int
check_cookie(const struct access_options *o, struct buf *err)
{
	struct str cookie = str_c(o->token_cookie);

	if (cookie.p == NULL)
		return 0;
	if (cookie.n == 0 || chars_span(cookie, chars_is_token) != cookie.n) {
		buf_addz(err, "--token-cookie: not the name of a cookie");
		return -1;
	}
	if (o->token_file == NULL && o->auth_cmd == NULL) {
		buf_addz(err,
		    "--token-cookie goes with --token-file or "
		    "--auth-cmd only");
		return -1;
	}
	return 0;
}

static int
check_origins(const struct access_options *o, struct buf *err)
{
	for (size_t i = 0; i < o->cors.n; i++) {
		struct str origin = str_c(o->cors.v[i]);
		if (cors_is_origin(origin) || str_eq(origin, STR("*")))
			continue;
		buf_addf(err, "--cors %s: not SCHEME://HOST[:PORT], nor *",
		    o->cors.v[i]);
		return -1;
	}
	return 0;
}

int
access_options_check(const struct access_options *o, struct buf *err)
{
	if (o->auth_cmd != NULL && str_trim(str_c(o->auth_cmd)).n == 0) {
		buf_addz(err, "--auth-cmd: no command");
		return -1;
	}
	return check_cookie(o, err) != 0 ? -1 : check_origins(o, err);
}

void
access_options_free(struct access_options *o)
{
	opt_list_free(&o->cors);
}

/* ---- The file of tokens ---- */

static int
read_tokens(struct tokens *t, const char *path, struct buf *err)
{
	size_t start = err->n;
	struct buf text;
	int result = -1;

	buf_init(&text, FILE_MAX + FILE_PIECE);
	/* At once, so that growing leaves no copies of it behind. */
	if (buf_room(&text, FILE_MAX + FILE_PIECE) == NULL ||
	    file_read(&text, path) != 0) {
		buf_addf(err, "%s: %s", path, strerror(errno));
	} else {
		buf_addf(err, "%s:", path);
		result = tokens_parse(t, buf_str(&text), err);
	}
	if (result == 0)
		buf_cut(err, start);
	buf_wipe(&text);
	return result;
}

int
access_init(struct access *a, const struct access_options *o, struct buf *err)
{
	*a = (struct access){.cookie = str_c(o->token_cookie),
	    .closed = o->token_file != NULL,
	    .cors = {o->cors.v, o->cors.n},
	    .trust_forwarded = o->trust_forwarded};
	return a->closed ? read_tokens(&a->tokens, o->token_file, err) : 0;
}

void
access_free(struct access *a)
{
	tokens_free(&a->tokens);
}

/* ---- Pages of other origins ---- */

struct str
access_origin(const struct http_request *req)
{
	struct str origin = {NULL, 0};

	for (size_t i = 0; i < req->nfields; i++) {
		if (!str_ieq(req->fields[i].name, STR("Origin")))
			continue;
		if (origin.p != NULL)
			return str_c(NULL);
		origin = req->fields[i].value;
	}
	return origin;
}

void
access_greet(
    const struct access *a, struct client *c, const struct http_request *req)
{
	struct buf fields;

	buf_init(&fields, FIELDS_MAX);
	cors_add(&fields, &a->cors, access_origin(req));
	buf_give_back(c->fields);
	c->fields = buf_take(&fields);
}

bool
access_preflight(
    const struct access *a, struct client *c, const struct http_request *req)
{
	struct str method =
	    http_field(req, STR("Access-Control-Request-Method"));

	if (req->method != HTTP_OPTIONS || method.p == NULL ||
	    !cors_allows(&a->cors, access_origin(req)))
		return false;
	client_answer(c,
	    &(struct client_answer){.status = 204,
		.fields = (struct client_field[]){
		    {"Access-Control-Allow-Methods", str_c(cors_methods)},
		    {"Access-Control-Allow-Headers", str_c(cors_headers)},
		    {"Access-Control-Max-Age", str_c(cors_max_age)},
		    {NULL, {NULL, 0}}}});
	return true;
}

/*
 * A browser sends a cookie with what a page of any site posts. There it is
 * worth nothing, unless the page is one of ours.
 */
static bool
is_forged(const struct access *a, const struct http_request *req)
{
	struct str origin = http_field(req, STR("Origin"));
	struct str host = http_field(req, STR("Host"));
	size_t n = uri_origin_len(origin);

	if (origin.p == NULL || req->method != HTTP_POST)
		return false;
	origin = access_origin(req);
	if (cors_names(&a->cors, origin))
		return false;
	if (n == 0 || n != origin.n)
		return true;
	return !str_ieq(str_from(origin, str_find(origin, '/') + 2), host);
}

/* ---- Behind a proxy ---- */

void
access_peer(const struct http_request *req, struct str *peer)
{
	char address[FORWARDED_TEXT];
	size_t n = forwarded_for(address, req);
	struct buf b;

	if (n == 0)
		return;
	buf_init(&b, sizeof(address));
	buf_add(&b, address, n);
	buf_give_back(*peer);
	*peer = buf_take(&b);
}

/* ---- Requests ---- */

bool
access_is_open(const struct route *r)
{
	return r->kind == ROUTE_LIVE || r->kind == ROUTE_READY;
}

/* What is of no channel is for who may do so in any. */
static enum tokens_answer
check_all(const struct access *a, struct str token, enum tokens_right right,
    struct str channels)
{
	struct str name = {NULL, 0};
	enum tokens_answer answer;

	do {
		if (channels.p != NULL)
			name = str_cut(channels, '\0', &channels);
		answer = tokens_check(&a->tokens, token, right, name);
	} while (answer == TOKENS_GRANTED && channels.p != NULL);
	return answer;
}

static enum tokens_answer
check_token(const struct access *a, const struct http_request *req,
    const struct route *r)
{
	enum tokens_right right =
	    r->kind == ROUTE_MESSAGES ? TOKENS_WRITE : TOKENS_READ;
	enum tokens_answer answer = TOKENS_GRANTED;
	enum auth_source source;
	struct buf token;

	if (!a->closed && a->cookie.p == NULL)
		return TOKENS_GRANTED;
	buf_init(&token, AUTH_TOKEN_MAX);
	source = auth_find(req, a->cookie, &token);
	if (a->closed)
		answer = check_all(a, buf_str(&token), right, r->channels);
	buf_wipe(&token);
	if (answer == TOKENS_GRANTED && source == AUTH_COOKIE &&
	    is_forged(a, req))
		return TOKENS_DENIED;
	return answer;
}

bool
access_refuse(const struct access *a, struct client *c,
    const struct http_request *req, const struct route *r)
{
	if (access_is_open(r))
		return false;
	switch (check_token(a, req, r)) {
	case TOKENS_UNKNOWN:
		client_refuse_unknown(c);
		return true;
	case TOKENS_DENIED:
		client_refuse(c, 403, "this token is not for that");
		return true;
	case TOKENS_GRANTED:
		break;
	}
	return false;
}
