#include "wire/http_answer.h"

#include "base/num.h"
#include "wire/chars.h"

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
	    {100, "Continue"},
	    {200, "OK"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {207, "Multi-Status"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {406, "Not Acceptable"},
	    {408, "Request Timeout"},
	    {411, "Length Required"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {417, "Expectation Failed"},
	    {421, "Misdirected Request"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == status)
			return known[i].reason;
	return "";
}

void
http_begin(struct buf *b, int status, int64_t now_s)
{
	char date[NUM_TEXT];

	num_format_http(date, now_s);
	buf_addf(b, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
	buf_addf(b, "Date: %s\r\nConnection: close\r\n", date);
}

void
http_add(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "%s: ", name);
	for (size_t i = 0; i < value.n; i++)
		if (chars_is_text(value.p[i]))
			buf_addc(b, value.p[i]);
	buf_addz(b, "\r\n");
}

void
http_end(struct buf *b)
{
	buf_addz(b, "\r\n");
}
