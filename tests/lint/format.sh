#!/bin/sh
# C in the shape of .clang-format; no text file with tabs for spaces where
# .editorconfig wants none, blanks at line ends, or without its last newline.
set -u
status=0

files=$(find cmd lib tests -name '*.[ch]')
# shellcheck disable=SC2086 # a list of words
if [ -n "$files" ]; then
  clang-format --dry-run -Werror $files || status=1
fi

text=$(find Makefile README.md .ci .githooks cmd lib man completions \
  tests -type f ! -path '*/corpus/*' 2>/dev/null)
# shellcheck disable=SC2086
if grep -nI '[[:blank:]]$' $text; then
  echo 'format: blanks at the end of a line' >&2
  status=1
fi
for f in $text; do
  if [ -n "$(tail -c 1 "$f")" ]; then
    echo "$f: no newline at the end" >&2
    status=1
  fi
done
exit $status
