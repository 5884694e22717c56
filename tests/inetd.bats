# chat-sse-serve under the programs that start one process for each connection.

load helpers/common

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  PORT=$(free_port)
}

teardown() {
  end_spawned
}

need() {
  command -v "$1" >/dev/null || skip "no $1"
}

# server COMMAND...: in the background, until it listens on $PORT.
server() {
  spawn server "$@"
  SERVER=$SPAWNED
  wait_until 10 port_listens "$PORT"
}

serving() {
  pgrep -g "$SERVER" -x chat-sse-serve
}

# Whoever started it: it answers, follows, publishes, and goes with its client.
serves() {
  local base=http://127.0.0.1:$PORT
  local -a curl=(curl -sSN --noproxy '*' "$@")
  r xadd chat:room '*' data history
  spawn curl "${curl[@]}" "$base/chat/room/events?last=1"
  wait_until 10 grep -qx 'data: history' curl.out
  r xadd chat:room '*' data live
  wait_until 5 grep -qx 'data: live' curl.out
  end "$SPAWNED"
  [ "${SERVE_MODE-}" = listen ] || wait_until 5 none serving
  "${curl[@]}" -f -m 5 -H 'Content-Type: text/plain' -d x \
    "$base/chat/room/messages" >/dev/null
  [ "$(r xlen chat:room)" = 3 ]
  [ "$("${curl[@]}" -m 5 "$base/health")" = ok ]
  [ "$("${curl[@]}" -m 5 -o /dev/null -w '%{http_code}' "$base/x")" = 404 ]
}

none() {
  ! "$@"
}

logged() {
  wait_until 5 grep -q "$1" server.err
}

# It hands on no environment but what is named.
activate() {
  local name
  local -a keep=()
  for name in $(compgen -e CHAT_) LC_ALL "${!ASAN_OPTIONS@}" "${!UBSAN_OPTIONS@}"; do
    keep+=(-E "$name")
  done
  server systemd-socket-activate -l "127.0.0.1:$PORT" "${keep[@]}" "$@"
}

@test "D14 systemd, Accept=yes and StandardInput=socket" {
  need systemd-socket-activate
  activate --accept --inetd chat-sse-serve -v --publish room
  serves
  logged '127\.0\.0\.1 room client-gone'
  logged '127\.0\.0\.1 - 404'
}

@test "D14 systemd, Accept=yes: the connection is fd 3" {
  need systemd-socket-activate
  activate --accept chat-sse-serve -v --publish room
  serves
  logged '127\.0\.0\.1 room client-gone'
}

# One process, which has become of what waited for a first client.
serves_all() {
  http /health
  SERVE_MODE=listen serves
  [ "$(pgrep -g "$SERVER" -c chat-sse)" = 1 ]
  logged '127\.0\.0\.1 room client-gone'
  end "$SERVER"
}

@test "D14 systemd, Accept=no: the listening socket is fd 3" {
  need systemd-socket-activate
  activate chat-sse-serve -v --publish room
  serves_all
}

@test "inetd, wait: the listening socket is standard input" {
  need systemd-socket-activate
  activate --inetd chat-sse-serve -v --publish room
  serves_all
}

@test "D14 several listening sockets" {
  need systemd-socket-activate
  other=$(free_port)
  activate -l "127.0.0.1:$other" chat-sse-serve room
  [ "$(http /health)" = ok ]
  PORT=$other
  [ "$(http /health)" = ok ]
}

@test "a listening socket is no connection for -i" {
  need systemd-socket-activate
  activate --inetd chat-sse-serve -i room
  http /health || true
  wait_until 5 gone "$SERVER"
  logged 'this socket listens'
}

@test "D14 LISTEN_FDS of another process are not ours" {
  run -0 env LISTEN_PID=1 LISTEN_FDS=1 chat-sse-serve -i room </dev/null
  [ -z "$output" ]
}

socat_server() {
  need socat
  server socat "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" \
    "EXEC:chat-sse-serve -i -v --publish room${1-}"
}

@test "socat, the connection itself" {
  socat_server ,nofork
  serves
  logged '127\.0\.0\.1 room client-gone'
}

@test "socat, a socketpair" {
  socat_server
  serves
  logged '127\.0\.0\.1 room client-gone'
}

@test "socat, two pipes" {
  socat_server ,pipes
  serves
  logged '127\.0\.0\.1 room client-gone'
}

@test "nothing but the answer goes to a client that is also standard error" {
  need socat
  server socat "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" \
    "EXEC:chat-sse-serve -i -vv --publish room,nofork,stderr"
  serves
  r set chat:other x
  printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' |
    nc -N 127.0.0.1 "$PORT" >answer
  run ! grep chat-sse-serve answer
}

@test "a unix socket" {
  need socat
  spawn server socat "UNIX-LISTEN:$PWD/sock,fork" \
    "EXEC:chat-sse-serve -i --publish room,nofork"
  SERVER=$SPAWNED
  wait_until 5 test -S sock
  serves --unix-socket sock
}

@test "ncat, two pipes" {
  need ncat
  server ncat -lk 127.0.0.1 "$PORT" -e "$(script -v --publish room)"
  serves
  logged '127\.0\.0\.1 room client-gone'
}

@test "tcpserver" {
  need tcpserver
  server tcpserver -RHl0 127.0.0.1 "$PORT" chat-sse-serve -v --publish room
  serves
  logged '127\.0\.0\.1 room client-gone'
}

@test "xinetd: standard error is the client" {
  need xinetd
  cat >conf <<END
service sse
{
  type = UNLISTED
  socket_type = stream
  protocol = tcp
  port = $PORT
  bind = 127.0.0.1
  wait = no
  user = $(id -un)
  server = $(script -v --publish room)
}
END
  server xinetd -dontfork -f "$PWD/conf"
  serves
}

@test "stunnel" {
  need stunnel4
  need openssl
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 \
    -keyout key.pem -out cert.pem 2>/dev/null
  cat cert.pem key.pem >both.pem
  printf '%s\n' foreground=yes pid= '[sse]' "accept=127.0.0.1:$PORT" \
    cert="$PWD/both.pem" "exec=$(script --publish room)" >conf
  server stunnel4 conf
  base=https://localhost:$PORT
  r xadd chat:room '*' data history
  spawn curl curl -sSN --cacert cert.pem "$base/chat/room/events?last=1"
  wait_until 10 grep -qx 'data: history' curl.out
  end "$SPAWNED"
}

# One file to run it, for those who take no arguments; prints its path.
script() {
  printf '#!/bin/sh\n%s\nexec "%s" -i %s\n' \
    "export CHAT_URL='$CHAT_URL' CHAT_CONFIG=none" \
    "$(command -v chat-sse-serve)" "$*" >serve
  chmod +x serve
  echo "$PWD/serve"
}
