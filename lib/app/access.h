#ifndef APP_ACCESS_H
#define APP_ACCESS_H

#include "app/client.h"
#include "app/route.h"
#include "base/opt.h"
#include "core/tokens.h"
#include "wire/cors.h"
#include "wire/http.h"

/*
 * Who may ask for what. With tokens, every request needs one, but those for the
 * health of the server; without a good one nobody learns what else there is,
 * and no channel that is not his.
 */

struct access_options {
	const char *token_file, *token_cookie;
	struct opt_list cors;
	bool trust_forwarded;
	const char *auth_cmd;
};

extern const struct opt access_opts[];

/* 0, or -1 and a reason in err, which is a usage error. */
int access_options_check(const struct access_options *o, struct buf *err);

void access_options_free(struct access_options *o);

struct access {
	struct str cookie;    /* borrowed: its name; absent: none */
	bool closed;          /* a token is needed */
	struct tokens tokens; /* owned */
	struct cors cors;     /* borrowed */
	bool trust_forwarded; /* what a proxy says about who asks */
};

/*
 * Make it of options that were checked; the strings are borrowed. 0, or -1 and
 * a reason in err: the file of tokens cannot be read. To be freed in any case.
 */
int access_init(
    struct access *a, const struct access_options *o, struct buf *err);

/* Harmless when zeroed. */
void access_free(struct access *a);

/* Absent: there is none, or there are several, which no browser sends. */
struct str access_origin(const struct http_request *req);

/*
 * Put the address that the proxy names, if it does, in the place of the one
 * there, which is owned.
 */
void access_peer(const struct http_request *req, struct str *peer);

/* May everybody ask for that? */
bool access_is_open(const struct route *r);

/* Let pages read whatever answers c, if they may. */
void access_greet(
    const struct access *a, struct client *c, const struct http_request *req);

/*
 * Answer a browser that asks, before a request, whether a page may make it:
 * true. That is not about the route, nor does the browser send a token.
 */
bool access_preflight(
    const struct access *a, struct client *c, const struct http_request *req);

/*
 * Refuse through c a request that may not pass: true. r is its route, as far as
 * route_find has come: also one that is not served.
 */
bool access_refuse(const struct access *a, struct client *c,
    const struct http_request *req, const struct route *r);

#endif
