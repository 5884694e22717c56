# chat-sse-serve behind nginx and HAProxy, as the man page says that they are to
# be configured: over TCP and a unix socket, HTTP/1.1 and HTTP/2, with TLS.

load helpers/common

PAGE=$BATS_TEST_DIRNAME/../man/chat-sse-serve.1

setup_file() {
  local program

  for program in openssl curl mandoc; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
  redis_start
  cd "$BATS_FILE_TMPDIR"
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 \
    -keyout chat.key -out chat.pem 2>/dev/null
  cat chat.pem chat.key >chat-and-key.pem
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  SERVE_MODE=listen
}

teardown() {
  if [ -z "${BATS_TEST_COMPLETED-}" ]; then
    tail -n 40 ./*.out ./*.err ./*.conf || :
  fi
  end_spawned
}

need() {
  command -v "$1" >/dev/null || skip "no $1"
}

# --- As the man page has it ---------------------------------------------------

# example PROXY: what stands below its title.
example() {
  mandoc -Tutf8 -O width=200 "$PAGE" | sed 's/.\x08//g' |
    sed -n "/^   $1\$/,/^   [^ ]\|^[^ ]/p" | sed -n 's/^ \{11\}//p'
}

# example_unix PROXY: the line that is another one for a unix socket.
example_unix() {
  mandoc -Tutf8 -O width=200 "$PAGE" | sed 's/.\x08//g' |
    sed -n "/^   $1\$/,/^   [^ ]\|^[^ ]/p" |
    sed -n 's/.*For a unix socket it is \(.*\)\.$/\1/p'
}

# configure PROXY tcp|unix: its example, with the files, ports and, so that a
# heartbeat matters, times of this test.
configure() {
  local line
  example "$1" >example
  if [ "$2" = unix ]; then
    line=$(example_unix "$1")
    [ -n "$line" ]
    sed -i "s|${line%"${line##* }"}[^;]*|$line|" example
  fi
  grep -q "$([ "$2" = tcp ] && echo :8080 || echo /run/chat/sse.sock)" example
  sed -i "s|127\.0\.0\.1:8080|127.0.0.1:$PORT|
    s|/run/chat/sse\.sock|$PWD/sse.sock|
    s|/etc/ssl|$BATS_FILE_TMPDIR|
    s|\(listen \)443|\1127.0.0.1:$FRONT|; s|:443|127.0.0.1:$FRONT|
    s|60s|1s|" example
  [ "$(grep -c "$FRONT" example)" = 1 ]
  grep -q '1s' example
}

start_nginx() {
  configure nginx "$1"
  cat >nginx.conf - example <<END
worker_processes 1;
pid $PWD/nginx.pid;
error_log stderr;
$([ "$(id -u)" != 0 ] || echo "user $(id -un) $(id -gn);")
events { }
http {
  access_log off;
  client_body_temp_path $PWD/body;
  proxy_temp_path $PWD/proxy;
  fastcgi_temp_path $PWD/fastcgi;
  uwsgi_temp_path $PWD/uwsgi;
  scgi_temp_path $PWD/scgi;
END
  echo '}' >>nginx.conf
  spawn proxy nginx -p "$PWD" -c "$PWD/nginx.conf" -g 'daemon off;'
}

start_haproxy() {
  configure HAProxy "$1"
  cp example haproxy.conf
  spawn proxy haproxy -db -f "$PWD/haproxy.conf"
}

# --- What holds behind each ---------------------------------------------------

# Beside its port the server listens on a unix socket.
start() {
  need "$1"
  serve_start -l "$PWD/sse.sock" -v --stats --publish --heartbeat 200ms \
    --trust-forwarded room lobby
  FRONT=$(free_port)
  "start_$1" "$2"
  wait_until 10 port_listens "$FRONT"
}

# curl_front [OPTION...] PATH
curl_front() {
  curl -sSN --noproxy '*' --cacert "$BATS_FILE_TMPDIR/chat.pem" \
    "${@:1:$#-1}" "https://localhost:$FRONT${!#}"
}

# follow NAME [OPTION...] PATH: in the background.
follow() {
  spawn "$1" curl -sSNi --noproxy '*' --cacert "$BATS_FILE_TMPDIR/chat.pem" \
    "${@:2:$#-2}" "https://localhost:$FRONT${!#}"
}

has() {
  grep -qxF "$2" "$1.out"
}

texts() {
  sed -n '/^event:/{N;d}; s/^data: //p' "$1.out" | xargs
}

beats() {
  [ "$(grep -cx : "$1.out")" -ge "$2" ]
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

# The stream is there before any message is, and each message when it is sent:
# the ids are N-1 and so on.
not_buffered() {
  local i
  follow "$1" "${@:3}" /chat/room/events
  CLIENT=$SPAWNED
  wait_until 5 has "$1" 'event: chat-open'
  for i in 1 2 3; do
    r xadd chat:room "$2-$i" data "$1-$i" >/dev/null
    wait_until 5 has "$1" "data: $1-$i"
  done
}

# Longer than the proxy waits in silence.
stays_by_heartbeat() {
  wait_until 10 beats "$1" 12
  r xadd chat:room "$2-4" data late >/dev/null
  wait_until 5 has "$1" 'data: late'
  ! grep -q '^curl:' "$1.err"
}

# What is behind the last one, by the header as by the query.
resumes() {
  follow "$1-header" "${@:3}" -H "Last-Event-ID: $2-2" /chat/room/events
  wait_until 5 has "$1-header" 'data: late'
  [ "$(texts "$1-header")" = "$1-3 late" ]
  follow "$1-query" "${@:3}" "/chat/room/events?last_event_id=$2-3"
  wait_until 5 has "$1-query" 'data: late'
  [ "$(texts "$1-query")" = late ]
}

# A client that leaves has left the server, too.
leaves() {
  end "$CLIENT"
  wait_until 10 logged " $1 room client-gone"
}

publishes() {
  [ "$(curl_front "$@" -o /dev/null -w '%{http_code}' -d data=hello \
    /chat/lobby/messages)" = 202 ]
  [ "$(curl_front "$@" -m 5 /health)" = ok ]
}

# follows N VERSION: over this version of HTTP to the client, who is not where
# the proxy is.
follows() {
  local name=v$2 http=--http$2
  not_buffered "$name" "$1" "$http" --interface "127.1.0.$1"
  [ "$(head -n 1 "$name.out" | cut -d ' ' -f 1)" = "HTTP/$2" ]
  stays_by_heartbeat "$name" "$1"
  resumes "$name" "$1" "$http"
  leaves "127.1.0.$1"
  publishes "$http"
}

# What a client says about its address does not count, and what the server says
# about itself stays inside.
keeps_to_itself() {
  curl_front -m 5 --interface 127.1.0.3 -H 'X-Forwarded-For: 192.0.2.7' /health
  wait_until 5 logged ' 127.1.0.3 - 200'
  [ "$(curl_front -o /dev/null -w '%{http_code}' /metrics)" = 404 ]
  [ "$(curl_front -o /dev/null -w '%{http_code}' /stats)" = 404 ]
  [ "$(http /stats | jq .clients)" -ge 0 ]
}

behind() {
  start "$@"
  follows 1 1.1
  follows 2 2
  keeps_to_itself
}

@test "nginx, over TCP" {
  behind nginx tcp
}

@test "nginx, over a unix socket" {
  behind nginx unix
}

@test "HAProxy, over TCP" {
  behind haproxy tcp
}

@test "HAProxy, over a unix socket" {
  behind haproxy unix
}
