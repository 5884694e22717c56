#!/bin/bash
# Sourced by the scripts that tests/systemd.bats runs in a booted system, where
# the programs and units are installed below /usr/local.
set -eE
trap 'echo "failed: line $LINENO: $BASH_COMMAND"; journalctl -b --no-pager |
  tail -n 25' ERR

url=http://127.0.0.1:8080
unset http_proxy

# until_true COMMAND...: within 10 seconds.
until_true() {
  local i
  for ((i = 0; i < 200; i++)); do
    ! "$@" &>/dev/null || return 0
    sleep 0.05
  done
  "$@"
}

# refute COMMAND...: it fails (errexit does not see a `!`).
refute() {
  if "$@"; then
    return 1
  fi
}

# configure LINE...: what is served.
configure() {
  mkdir -p /etc/chat
  printf '%s\n' "$@" >/etc/chat/sse-serve.env
}

# drop_in UNIT <text
drop_in() {
  mkdir -p "/etc/systemd/system/$1.d"
  cat >"/etc/systemd/system/$1.d/test.conf"
  systemctl daemon-reload
}

# redis_run OPTION...
redis_run() {
  systemd-run -q --description=Redis redis-server --save '' "$@"
}

# redis_start [OPTION...]: on its usual port.
redis_start() {
  redis_run "$@"
  until_true redis_answers
}

redis_answers() {
  redis-cli ping | grep -E 'PONG|NOAUTH'
}

# follow NAME [CURL-OPTION...] PATH: into the file NAME, in the background.
follow() {
  curl -sN "${@:2:$#-2}" "$url${!#}" >"$1" &
}

# has FILE TEXT: as a whole line.
has() {
  grep -qxF "$2" "$1"
}

connections() {
  systemctl list-units --plain --no-legend --all 'chat-sse-serve@*' | wc -l
}

no_connections() {
  [ "$(connections)" = 0 ]
}

# journal TEXT: is there a line with it of any of the connections?
journal() {
  journalctl --sync
  journalctl -b -o cat -t chat-sse-serve | grep -F -- "$1"
}
