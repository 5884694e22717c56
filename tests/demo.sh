#!/bin/sh
# tests/demo.sh [BUILD]: a chat page on loopback over a private redis-server,
# until interrupted. All that it starts is stopped again, and its directory
# removed.
set -eu

build=${1:-build}
dir=$(mktemp -d "${TMPDIR:-/tmp}/chat-demo.XXXXXX")
groups=

# start NAME COMMAND...: in the background, as a process group of its own.
# A super-server's children are in it, and a ^C on the terminal is not for them.
start() {
  log=$dir/$1.log
  shift
  setsid "$@" </dev/null >"$log" 2>&1 &
  groups="$! $groups"
}

# alive GROUP: is anything but zombies left of it?
alive() {
  cat /proc/[0-9]*/stat 2>/dev/null |
    awk -v group="$1" '
      { sub(/^.*\) /, "") }
      $3 == group && $1 != "Z" { n++ }
      END { exit !n }'
}

# stop GROUP: ask it to end; after 7 seconds make it.
stop() {
  kill -s TERM -- "-$1" 2>/dev/null || return 0
  tries=70
  while alive "$1"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || kill -s KILL -- "-$1" 2>/dev/null || :
    sleep 0.1
  done
}

# The newest first: those that use Redis before Redis.
cleanup() {
  trap '' HUP INT TERM
  for group in $groups; do
    stop "$group"
  done
  rm -rf "$dir"
}

die() {
  echo "demo: $1" >&2
  cat "$dir"/*.log >&2
  exit 1
}

# until_true COMMAND...: within 10 seconds, as long as the newest group lives.
until_true() {
  tries=100
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ $tries = 0 ] || ! alive "${groups%% *}"; then
      return 1
    fi
    sleep 0.1
  done
}

is_taken() {
  socat -u OPEN:/dev/null "TCP:127.0.0.1:$1" 2>/dev/null
}

serves_page() {
  printf 'GET / HTTP/1.0\r\n\r\n' | socat -t 5 - "TCP:127.0.0.1:$1" |
    grep -q '^HTTP/1.1 200 '
}

# Sets port to the first that is free.
serve() {
  port=8080
  while [ $port -lt 8180 ]; do
    if ! is_taken $port; then
      start serve socat \
        "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" \
        "EXEC:$build/chat-sse-serve -i --publish --page cmd/chat-sse-serve.html *,nofork"
      until_true serves_page $port && return
      alive "${groups%% *}" && die 'the page is not served'
    fi
    port=$((port + 1))
  done
  die 'no free port from 8080 to 8179'
}

trap cleanup EXIT
trap 'exit 0' HUP INT TERM

# shellcheck disable=SC2046 # one word for each
unset REDISCLI_AUTH $(env | sed -n 's/^\(CHAT_[A-Z_]*\)=.*/\1/p')
export CHAT_CONFIG=none CHAT_URL="unix://$dir/redis.sock"
start redis redis-server --port 0 --unixsocket "$dir/redis.sock" \
  --unixsocketperm 700 --save '' --dir "$dir"
until_true redis-cli -s "$dir/redis.sock" ping || die 'no redis-server'
serve

"$build/chat-pub" room 'Welcome.' \
  'Whoever opens this page sees what is written here, at once.'

cat <<END

  Chat:  http://127.0.0.1:$port/

In another terminal:

  export CHAT_URL=$CHAT_URL PATH="$(cd "$build" && pwd):\$PATH"
  chat-tail room                       follow the room
  chat-pub room 'hello from a shell'   say something
  chat-replay -j room | jq .           all of it, as JSON
  curl -N http://127.0.0.1:$port/chat/room/events

Stop with ^C.
END

wait "${groups%% *}" || :
die 'the server has ended'
