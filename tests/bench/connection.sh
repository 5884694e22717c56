#!/bin/sh
# What one connection costs in a process of its own: the time from accept to
# the first byte, private memory and Redis connections when idle; linked
# dynamically and statically.
set -eu
: "${BUILD:=build}"
rounds=${ROUNDS:-40}

dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid")"; rm -rf "$dir"' EXIT
redis-server --port 0 --unixsocket "$dir/sock" --save '' --dir "$dir" \
  --pidfile "$dir/pid" --daemonize yes >/dev/null
CHAT_URL=unix://$dir/sock
CHAT_CONFIG=none
export CHAT_URL CHAT_CONFIG
until redis-cli -s "$dir/sock" ping >/dev/null 2>&1; do :; done
"$BUILD/chat-pub" room one two three

make -s STATIC=1 BUILD="$BUILD/static" >/dev/null
for how in . static; do
  echo "chat-sse-serve -i, $([ $how = . ] && echo dynamic || echo static):"
  "$BUILD/tests/bench/inetd" "$rounds" "$BUILD/$how/chat-sse-serve" -i room
done
