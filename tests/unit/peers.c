#include "app/peers.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 20000 };

static struct str
address(char text[32], size_t i)
{
	int n = snprintf(text, 32, "2001:db8::%zx", i);

	return str_n(text, (size_t)n);
}

static void
few(void)
{
	struct peers ps = {NULL};
	struct peer *a = peers_enter(&ps, STR("192.0.2.1"));
	struct peer *b = peers_enter(&ps, STR("192.0.2.10"));

	ok(a != b, "two addresses");
	ok(peers_enter(&ps, STR("192.0.2.1")) == a, "one address");
	is_int((long long)peers_count(a), 2, "it came twice");
	is_int((long long)peers_count(b), 1, "the other once");
	peers_leave(&ps, a);
	is_int((long long)peers_count(a), 1, "it left once");
	peers_leave(&ps, a);
	a = peers_enter(&ps, STR("192.0.2.1"));
	is_int((long long)peers_count(a), 1, "it came again, as new");
	peers_leave(&ps, a);
	peers_leave(&ps, b);
	peers_leave(&ps, NULL);
	peers_free(&ps);
}

/* More than there are rows, so that they share them. */
static void
many(void)
{
	static struct peer *p[MANY];
	struct peers ps = {NULL};
	size_t wrong = 0;
	char text[32];

	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < MANY; i++)
			p[i] = peers_enter(&ps, address(text, i));
	for (size_t i = 0; i < MANY; i += 2)
		peers_leave(&ps, p[i]);
	for (size_t i = 0; i < MANY; i++)
		wrong += peers_count(p[i]) != (i % 2 == 0 ? 1 : 2);
	for (size_t i = 0; i < MANY; i++) {
		peers_leave(&ps, p[i]);
		if (i % 2 != 0)
			peers_leave(&ps, p[i]);
	}
	ok(wrong == 0, "many addresses are told apart");
	peers_free(&ps);
}

int
main(void)
{
	struct peers none = {NULL};

	peers_free(&none);
	few();
	many();
	return done();
}
