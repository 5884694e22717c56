#include "wire/forwarded.h"

#include "base/num.h"
#include "wire/chars.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* port = 1*5DIGIT, or nothing where it may be left out */
static bool
is_port(struct str s)
{
	uint64_t v;

	return s.p == NULL ||
	    (s.n <= 5 && num_u64(s, &v) == 0 && v <= UINT16_MAX);
}

/* Cut off the port and the brackets; false if they are not right. */
static bool
cut_port(struct str *s)
{
	struct str port = {NULL, 0}, host;

	if (str_starts(*s, STR("["))) {
		host = str_cut(str_from(*s, 1), ']', &port);
		if (port.p == NULL || str_find(host, ':') == host.n)
			return false;
		if (port.n > 0 && port.p[0] != ':')
			return false;
		port = port.n > 0 ? str_from(port, 1) : str_c(NULL);
	} else {
		host = str_cut(*s, ':', &port);
		/* Of an IPv6 address it is a part. */
		if (port.p != NULL && str_find(port, ':') < port.n)
			return true;
	}
	*s = host;
	return is_port(port);
}

static size_t
format(char out[FORWARDED_TEXT], int family, const unsigned char *ip)
{
	if (family == AF_INET6 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		ip += sizeof(mapped);
	}
	if (inet_ntop(family, ip, out, FORWARDED_TEXT) == NULL)
		return 0;
	return strlen(out);
}

size_t
forwarded_address(char out[FORWARDED_TEXT], struct str s)
{
	unsigned char ip[sizeof(struct in6_addr)];
	char text[FORWARDED_TEXT] = "";
	int family;

	if (!cut_port(&s) || s.n == 0 || s.n >= sizeof(text) ||
	    chars_span(s, chars_is_visible) != s.n)
		return 0;
	memcpy(text, s.p, s.n);
	family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(family, text, ip) == 1 ? format(out, family, ip) : 0;
}

/* X-Forwarded-For = #address */
size_t
forwarded_for(char out[FORWARDED_TEXT], const struct http_request *r)
{
	struct str value = {NULL, 0}, last;

	for (size_t i = 0; i < r->nfields; i++)
		if (str_ieq(r->fields[i].name, STR("X-Forwarded-For")))
			value = r->fields[i].value;
	do {
		last = str_cut(value, ',', &value);
	} while (value.p != NULL);
	return last.p != NULL ? forwarded_address(out, str_trim(last)) : 0;
}
