# shellcheck shell=bash
# For `load helpers/common`: a private redis-server, a chat-sse-serve on a free
# port, waiting, and an end for everything that was started.
#
# What setup_file starts, teardown_file stops; likewise setup and teardown. All
# works in $BATS_TEST_TMPDIR, or $BATS_FILE_TMPDIR outside of a test.

bats_require_minimum_version 1.5.0

BUILD=${BUILD:-$BATS_TEST_DIRNAME/../build}
case $PATH: in
  "$BUILD":*) ;;
  *) PATH=$BUILD:$PATH ;;
esac
export BUILD PATH LC_ALL=C.UTF-8 TZ=UTC CHAT_CONFIG=none
unset http_proxy HTTP_PROXY NOTIFY_SOCKET JOURNAL_STREAM

# wait_until SECONDS COMMAND...: until it succeeds; the one place that sleeps.
wait_until() {
  local deadline=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    if (($(now_ms) > deadline)); then
      echo "waited in vain for: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

# never_within SECONDS COMMAND...: it does not succeed meanwhile.
never_within() {
  ! wait_until "$@" 2>/dev/null
}

now_ms() {
  local us=${EPOCHREALTIME/[^0-9]/}
  echo "${us%???}"
}

tmpdir() {
  echo "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}"
}

# --- Background processes ---------------------------------------------------

# spawn NAME COMMAND...: in the background, in a process group of its own whose
# id is $SPAWNED; output goes to NAME.out and NAME.err in the directory above,
# stdin is as here.
spawn() {
  local base
  base=$(tmpdir)/$1
  shift
  # bats waits for whoever keeps its fd 3 open.
  setsid "$@" <&0 >"$base.out" 2>"$base.err" 3>&- 4>&- &
  export SPAWNED=$!
  echo "$SPAWNED" >>"$(tmpdir)/spawned"
}

# alive GROUP: is anything but zombies left of it?
alive() {
  cat /proc/[0-9]*/stat 2>/dev/null |
    awk -v group="$1" '
      { sub(/^.*\) /, "") }
      $3 == group && $1 != "Z" { n++ }
      END { exit !n }'
}

gone() {
  ! alive "$1"
}

# end GROUP [SIGNAL]: TERM it and wait; 1 if it did not end by that.
end() {
  kill -s "${2:-TERM}" -- "-$1" 2>/dev/null || return 0
  wait_until 10 gone "$1" && return
  kill -s KILL -- "-$1" 2>/dev/null
  wait_until 10 gone "$1"
  return 1
}

# For teardown: end all that was started in this directory, last things first.
end_spawned() {
  local group status=0
  [ -e "$(tmpdir)/spawned" ] || return 0
  for group in $(tac "$(tmpdir)/spawned"); do
    end "$group" || status=1
  done
  rm "$(tmpdir)/spawned"
  return $status
}

# --- Redis --------------------------------------------------------------------

# redis_start [OPTION...]: a redis-server with these options, on a unix socket
# only; exports CHAT_URL, REDIS_SOCK and REDIS_DIR. Another one beside it:
# `REDIS_DIR=$BATS_FILE_TMPDIR/second; redis_start`.
redis_start() {
  export REDIS_DIR=${REDIS_DIR:-$(tmpdir)/redis}
  export REDIS_SOCK=$REDIS_DIR/redis.sock
  export CHAT_URL=unix://$REDIS_SOCK
  mkdir -p "$REDIS_DIR"
  printf '%s\0' "$@" >"$REDIS_DIR/options"
  redis_launch "$@"
}

redis_launch() {
  redis-server --port 0 --unixsocket "$REDIS_SOCK" --save '' \
    --dir "$REDIS_DIR" --pidfile "$REDIS_DIR/pid" --daemonize yes \
    --logfile "$REDIS_DIR/log" "$@" >"$REDIS_DIR/out" 2>&1 3>&- 4>&- || {
    cat "$REDIS_DIR/out" >&2
    return 1
  }
  wait_until 10 redis_answers
  cat "$REDIS_DIR/pid" >>"$(tmpdir)/spawned" # a daemon leads a process group
}

# NOAUTH and NOPERM are answers, LOADING is not.
redis_answers() {
  [[ $(r ping 2>&1) =~ ^(PONG|NO) ]]
}

# The same options, the same directory (with its append-only file) once more.
redis_restart() {
  local -a options
  redis_stop
  mapfile -d '' options <"$REDIS_DIR/options"
  [ -n "${options[*]}" ] || options=()
  redis_launch "${options[@]}"
}

redis_signal() {
  local pid status=0
  { read -r pid <"$REDIS_DIR/pid"; } 2>/dev/null || return 0
  end "$pid" "$1" || status=1
  rm -f "$REDIS_DIR/pid" "$REDIS_SOCK"
  return $status
}

redis_stop() {
  redis_signal TERM
}

# As in a power cut; redis_restart brings it back.
redis_kill() {
  redis_signal KILL
}

# r COMMAND...: redis-cli to it.
r() {
  redis-cli -s "$REDIS_SOCK" "$@"
}

# --- HTTP -----------------------------------------------------------------------

# Sockets of the port in any state; the two addresses are columns 2 and 3.
port_used() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v p="$(printf %04X "$1")" '$2 ~ ":" p "$" { n++ } END { exit !n }'
}

port_listens() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v p="$(printf %04X "$1")" \
      '$2 ~ ":" p "$" && $4 == "0A" { n++ } END { exit !n }'
}

# Prints a port that nobody uses, below the ephemeral ones.
free_port() {
  local port
  while :; do
    port=$((10240 + RANDOM % 22528))
    port_used $port || break
  done
  echo $port
}

# serve_start [ARG...]: chat-sse-serve with these arguments on 127.0.0.1:$PORT.
# SERVE_MODE=accept: a process for each connection (the default); listen: one
# that listens itself. Its messages go to the file $SERVE_LOG.
serve_start() {
  local _
  export SERVE_LOG PORT SERVE_GROUP
  SERVE_LOG=$(tmpdir)/serve.err
  for _ in 1 2 3; do
    PORT=$(free_port)
    "serve_${SERVE_MODE:-accept}" "$@"
    SERVE_GROUP=$SPAWNED
    if wait_until 10 serve_settled && alive "$SERVE_GROUP"; then
      return
    fi
  done
  cat "$SERVE_LOG" >&2
  return 1
}

# It listens, or has given up.
serve_settled() {
  port_listens "$PORT" || ! alive "$SERVE_GROUP"
}

serve_listen() {
  spawn serve chat-sse-serve -l "127.0.0.1:$PORT" "$@"
}

serve_accept() {
  local name
  local -a keep=()
  if ! command -v systemd-socket-activate >/dev/null; then
    serve_socat "$@"
    return
  fi
  # It hands on no environment but what is named.
  for name in $(compgen -e CHAT_) BUILD LC_ALL TZ "${!ASAN_OPTIONS@}" \
    "${!UBSAN_OPTIONS@}" "${!TSAN_OPTIONS@}"; do
    keep+=(-E "$name")
  done
  spawn serve systemd-socket-activate -l "127.0.0.1:$PORT" --inetd --accept \
    "${keep[@]}" chat-sse-serve -i "$@"
}

# Arguments without blanks, quotes and commas only.
serve_socat() {
  spawn serve socat "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" \
    "EXEC:chat-sse-serve -i $*,nofork"
}

serve_stop() {
  [ -z "${SERVE_GROUP-}" ] || end "$SERVE_GROUP"
}

# http [CURL-OPTION...] PATH: fetch it from there.
http() {
  curl -sS --globoff --noproxy '*' --max-time 10 "${@:1:$#-1}" \
    "http://127.0.0.1:$PORT${!#}"
}
