#include "app/access.h"

#include "io/file.h"
#include "wire/auth.h"
#include "wire/chars.h"

#include <errno.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

#define AT(member) offsetof(struct access_options, member)

const struct opt access_opts[] = {
    {0, "token-file", "FILE", OPT_STR, AT(token_file),
	"who may read and write what: lines TOKEN r|w|rw GLOB...", NULL, NULL,
	0},
    {0, "token-cookie", "NAME", OPT_STR, AT(token_cookie),
	"take the token from this cookie, too", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

int
access_options_check(const struct access_options *o, struct buf *err)
{
	struct str cookie = str_c(o->token_cookie);

	if (cookie.p == NULL)
		return 0;
	if (cookie.n == 0 || chars_span(cookie, chars_is_token) != cookie.n) {
		buf_addz(err, "--token-cookie: not the name of a cookie");
		return -1;
	}
	if (o->token_file == NULL) {
		buf_addz(err, "--token-cookie goes with --token-file only");
		return -1;
	}
	return 0;
}

void
access_options_free(struct access_options *o)
{
	(void)o;
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
	*a = (struct access){
	    .cookie = str_c(o->token_cookie), .closed = o->token_file != NULL};
	return a->closed ? read_tokens(&a->tokens, o->token_file, err) : 0;
}

void
access_free(struct access *a)
{
	tokens_free(&a->tokens);
}

/* ---- Requests ---- */

static bool
is_open(enum route_kind kind)
{
	return kind == ROUTE_LIVE || kind == ROUTE_READY;
}

/* What is of no channel is to be read, by who may read any. */
static enum tokens_answer
check_token(const struct access *a, const struct http_request *req,
    const struct route *r)
{
	enum tokens_right right =
	    r->kind == ROUTE_MESSAGES ? TOKENS_WRITE : TOKENS_READ;
	enum tokens_answer answer;
	struct buf token;

	buf_init(&token, AUTH_TOKEN_MAX);
	auth_find(req, a->cookie, &token);
	answer = tokens_check(&a->tokens, buf_str(&token), right, r->channel);
	buf_wipe(&token);
	return answer;
}

bool
access_refuse(const struct access *a, struct client *c,
    const struct http_request *req, const struct route *r)
{
	if (!a->closed || is_open(r->kind))
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
