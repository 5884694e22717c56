#!/bin/sh
# The man pages are clean mdoc, and those of ours that they refer to exist.
set -u
status=0

# mandoc looks for other pages where it finds them installed, or not.
pages=$(find man -name '*.[1-8]')
# shellcheck disable=SC2086 # a list of words
if mandoc -Tlint -Wstyle $pages | grep -v 'referenced manual not found'; then
  status=1
fi

# shellcheck disable=SC2086
missing=$(sed -n 's/^\.Xr \(chat[^ ]*\) \([1-8]\).*/\1.\2/p' $pages | sort -u |
  while read -r page; do
    [ -e "man/$page" ] || echo "man: $page is referred to and is not there"
  done)
if [ -n "$missing" ]; then
  echo "$missing"
  status=1
fi
exit $status
