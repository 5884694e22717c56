#include "wire/accept.h"

#include "wire/chars.h"

#include <stdbool.h>

/*
 * Accept       = [ element *( OWS "," OWS element ) ]
 * element      = type "/" subtype *( OWS ";" OWS [ parameter ] )
 * parameter    = name "=" ( token / quoted-string )
 * weight       = parameter with the name "q" and as its value
 *                ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
 */

/* As str_cut, but in a quoted string c means nothing. */
static struct str
cut(struct str s, char c, struct str *rest)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n && (quoted || s.p[i] != c); i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
	}
	*rest = i < s.n ? str_from(s, i + 1) : (struct str){0};
	return str_n(s.p, i);
}

/* In thousandths, or -1. */
static int
read_weight(struct str s)
{
	int weight = 0, digit = 1000;

	if (s.n == 0 || s.n > 5 || (s.n > 1 && s.p[1] != '.'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (!chars_is_digit(s.p[i]))
			return -1;
		weight += (s.p[i] - '0') * digit;
		digit /= 10;
	}
	return weight <= 1000 ? weight : -1;
}

static int
element_weight(struct str parameters)
{
	int weight = 1000;

	while (parameters.p != NULL && weight >= 0) {
		struct str value, one = cut(parameters, ';', &parameters);
		struct str name = str_cut(str_trim(one), '=', &value);
		if (str_ieq(name, STR("q")))
			weight = read_weight(value);
	}
	return weight;
}

unsigned
accept_weight(struct str field, struct str type)
{
	int most = 0;

	while (field.p != NULL) {
		struct str parameters, element = cut(field, ',', &field);
		struct str name = cut(element, ';', &parameters);
		int weight;
		if (!str_ieq(str_trim(name), type))
			continue;
		weight = element_weight(parameters);
		if (weight > most)
			most = weight;
	}
	return (unsigned)most;
}
