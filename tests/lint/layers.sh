#!/bin/sh
# The house rules that a compiler does not know:
#
#   tests/lint/layers.sh [BUILD]
#
# An include goes to the same or a lower layer and never in a circle; each
# foreign library is known in one place. With the objects of a BUILD also: base,
# wire and core call nothing but pure functions and keep no variable data.
set -u
export LC_ALL=C
status=0

# complain: the lines on stdin, if any, break the rule $1.
complain() {
  lines=$(cat)
  if [ -n "$lines" ]; then
    printf 'layers: %s:\n%s\n' "$1" "$lines" >&2
    status=1
  fi
}

# only HEADER PLACES: who includes HEADER and is not one of PLACES.
only() {
  grep -rnE "#include [<\"]$1[>\"]" lib cmd | grep -vE "^($2)" >"$tmp"
  complain "$1 only in $2" <"$tmp"
}

# Pairs: a file, a header it includes.
includes() {
  grep -roE '^#include "[^"]+"' --include='*.[ch]' lib cmd |
    sed -E 's/:#include "(.*)"/ lib\/\1/'
}

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT

includes | awk '
  BEGIN {
    n = split("base wire core io app", layers)
    for (i = 1; i <= n; i++)
      level["lib/" layers[i]] = i
    level["cmd"] = n + 1
  }
  function layer(file) { sub(/\/[^\/]*$/, "", file); return level[file] }
  !layer($2) { print $1 ": " $2 " is not within a layer" }
  layer($2) > layer($1) { print $1 ": " $2 " lies higher" }' >"$tmp"
complain 'cmd -> app -> io -> core -> wire -> base' <"$tmp"

# MODULE_part.c and MODULE_part.h belong to MODULE.
includes | sed -E 's/(_[a-z0-9_]*)?\.[ch]( |$)/\2/g' | awk '$1 != $2' |
  tsort 2>"$tmp" >/dev/null
complain 'modules include each other' <"$tmp"

only 'hiredis/.*' 'lib/io/(redis|reply)\.c'
only 'jsmn\.h' 'lib/wire/json\.c'
only 'getopt\.h' 'lib/base/opt\.c'
only 'ev\.h' 'lib/(io|app)/'

find cmd -name '*.c' | sed 's|.*/\(.*\)\.c$|"[^"]*\1|' |
  grep -rnf - --include='*.[ch]' lib >"$tmp"
complain 'nothing in lib knows a program' <"$tmp"

if [ $# = 0 ]; then
  exit $status
fi

# ---- Objects ----

pure() {
  find "$1/lib/base" "$1/lib/wire" "$1/lib/core" -name '*.o' | sort
}

# What those two may do besides is in their headers.
exempt='lib/base/(log|opt)\.o'

allowed='^(mem(chr|cmp|cpy|move|set|mem|rchr)|explicit_bzero
|str(n?len|chr|rchr|n?cmp|n?cpy|str|spn|cspn)|[cm]alloc|realloc(array)?|free
|v?snprintf|qsort|bsearch|gmtime_r|timegm|abort|inet_(pton|ntop)
|__(memcpy|memmove|memset|strcpy|snprintf|vsnprintf|explicit_bzero)_chk
|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_)$'
allowed=$(printf %s "$allowed" | tr -d '\n')

objects=$(pure "$1")
# shellcheck disable=SC2086 # a list of words
nm -g --defined-only $objects | awk 'NF == 3 { print $3 }' | sort -u >"$tmp"
for o in $objects; do
  nm -u "$o" | awk -v o="${o#"$1"/}" '{ print $2, o }'
done | sort | join -v 1 - "$tmp" |
  awk -v allowed="$allowed" -v exempt="$exempt" \
    '$1 !~ allowed && $2 !~ exempt { print $2 ": " $1 }' >"$tmp.calls"
complain 'base, wire and core call only pure functions' <"$tmp.calls"
rm -f "$tmp.calls"

# .data.rel.ro holds constant tables of pointers.
# shellcheck disable=SC2086
nm -A -f sysv --defined-only $objects | awk -F'|' -v exempt="$exempt" '
  $1 !~ exempt && $4 ~ /OBJECT|TLS/ && $7 ~ /^\.(t?data|t?bss)/ &&
    $7 !~ /^\.data\.rel\.ro/ { print $1 }' >"$tmp"
complain 'base, wire and core keep no variable data' <"$tmp"
exit $status
