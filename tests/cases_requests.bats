# What chat-sse-serve answers to each kind of request: the same over two pipes,
# with a process for each connection, and with one process for all.

load helpers/common
load helpers/http
load helpers/modes

setup_file() {
  redis_start
  serve_both --cors https://a.example room 'a*' x/y
}

teardown_file() {
  end_spawned
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(--cors https://a.example room 'a*' x/y)
}

teardown() {
  end_spawned
}

events=/chat/room/events
get="GET $events"
host='Host: x\r\n'

# answered STATUS FORMAT [ARG...]
answered() {
  each_way answers "$@"
}

# field_line STATUS LINE: to a request with this line, a format, in its head.
field_line() {
  answered "$1" "$get HTTP/1.1\r\n$host$2\r\n\r\n"
}

# to_the_end FORMAT [ARG...]: as ask, but the server has to close first, and
# without a reset.
to_the_end() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  # shellcheck disable=SC2059
  printf "$@" >&9
  timeout 5 cat <&9
  exec 9>&-
}

# --- The request line ---------------------------------------------------------

@test "request: garbage that is not HTTP" {
  answered 400 'garbage\r\n\r\n'
  answered 400 '\001\002\003\004\r\n\r\n'
  answered 400 '\377\376\r\n'
  answered 400 '{"a":1}\r\n'
  answered 400 'SSH-2.0-OpenSSH_9.2\r\n'
}

says_tls() {
  ask '\026\003\001\002\000\001\000\001\374\003\003' >answer
  [ "$(status <answer)" = 400 ]
  [ "$(body_of <answer)" = 'TLS on a plain port' ]
}

@test "request: TLS ClientHello on a plain port" {
  each_way says_tls
}

@test "request: preface of HTTP/2" {
  answered 505 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
}

@test "request: empty lines before the request line" {
  answered 200 "\r\n$get HTTP/1.0\r\n\r\n"
  answered 200 "\r\n\r\n$get HTTP/1.0\r\n\r\n"
  answered 400 "\r\n\r\n\r\n$get HTTP/1.0\r\n\r\n"
}

@test "request: lines that end in LF only" {
  answered 400 "$get HTTP/1.0\n\n"
  answered 400 "$get HTTP/1.1\r\nHost: x\n\r\n"
  answered 400 "$get HTTP/1.1\r\n$host\n"
  answered 400 "\n$get HTTP/1.0\r\n\r\n"
}

@test "request: a bare CR" {
  answered 400 "$get\r HTTP/1.0\r\n\r\n"
  answered 400 "$get HTTP/1.0\r\rName: x\r\n\r\n"
  field_line 400 'Name: a\rb'
  field_line 400 'Name: a\r\r'
  field_line 400 '\rName: x'
}

@test "request: NUL and other control characters" {
  local c
  for c in 000 001 010 013 033 177; do
    field_line 400 "Name: a\\${c}b"
    answered 400 "GET /chat/room/events\\$c HTTP/1.0\r\n\r\n"
  done
  field_line 200 'Name: a\tb'
}

@test "request: space between the request line and the first field" {
  answered 400 "$get HTTP/1.1\r\n $host\r\n"
  answered 400 "$get HTTP/1.1\r\n \r\n$host\r\n"
  answered 400 "$get HTTP/1.1\r\n\t$host\r\n"
}

@test "request: parts that are missing, or too much space between them" {
  answered 400 'GET\r\n\r\n'
  answered 400 'GET \r\n\r\n'
  answered 400 'GET HTTP/1.0\r\n\r\n'
  answered 400 "$get\r\n\r\n"
  answered 400 "$get \r\n\r\n"
  answered 400 "GET  $events HTTP/1.0\r\n\r\n"
  answered 400 "$get  HTTP/1.0\r\n\r\n"
  answered 400 "GET\t$events HTTP/1.0\r\n\r\n"
  answered 400 "$get\tHTTP/1.0\r\n\r\n"
  answered 400 " $get HTTP/1.0\r\n\r\n"
}

@test "request: versions that are none" {
  local version
  for version in http/1.1 HTTP/1 HTTP/1. HTTP/01.1 HTTP/1.10 'HTTP/1.1 ' \
    HTTP/1,1 HTTP/x.1 HTTP-1.1 HTTP/1.1x; do
    answered 400 "$get $version\r\n$host\r\n"
  done
}

@test "request: HTTP/1.2 is HTTP/1.1" {
  answered 200 "$get HTTP/1.2\r\n$host\r\n"
  answered 400 "$get HTTP/1.2\r\n\r\n"
}

@test "request: another major version" {
  local version
  for version in HTTP/0.9 HTTP/2.0 HTTP/3.0 HTTP/9.9; do
    answered 505 "$get $version\r\n$host\r\n"
  done
}

@test "request: a target that is too long" {
  answered 414 'GET /%08192d HTTP/1.0\r\n\r\n' 0
  answered 414 "$get?x=%020000d HTTP/1.0\r\n\r\n" 0
  # 8192 bytes with the line's end.
  answered 200 "$get?x=%08156d HTTP/1.0\r\n\r\n" 0
}

@test "request: a head that is too large, too many lines" {
  local lines
  field_line 431 "Name: $(printf %016384d 0)"
  lines=$(printf 'Name: x\\r\\n%.0s' {1..99})
  answered 200 "$get HTTP/1.1\r\n$host$lines\r\n"
  answered 431 "$get HTTP/1.1\r\n$host${lines}Name: x\r\n\r\n"
}

@test "request: a method that is unknown" {
  answered 501 "BREW $events HTTP/1.0\r\n\r\n"
  answered 501 "%0100d $events HTTP/1.0\r\n\r\n" 0
  answered 501 "PROPFIND /nowhere HTTP/1.0\r\n\r\n"
}

@test "request: a method in the wrong case" {
  answered 501 "get $events HTTP/1.0\r\n\r\n"
  answered 501 "Get $events HTTP/1.0\r\n\r\n"
}

# allowed METHOD PATH METHODS
allowed() {
  ask "$1 $2 HTTP/1.0\r\n\r\n" >answer
  [ "$(status <answer)" = 405 ]
  [ "$(field Allow <answer)" = "$3" ]
}

@test "request: a method that is not allowed there" {
  local method
  for method in POST PUT DELETE PATCH TRACE; do
    each_way allowed $method $events 'GET, HEAD, OPTIONS'
    each_way allowed $method /health 'GET, HEAD, OPTIONS'
  done
  # There is no --publish.
  each_way allowed GET /chat/room/messages OPTIONS
  each_way allowed POST /chat/room/messages OPTIONS
  answered 501 'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n'
}

@test "request: the form of the target" {
  answered 200 "GET http://x$events HTTP/1.1\r\n$host\r\n"
  answered 200 "GET HTTP://y:80$events HTTP/1.1\r\n$host\r\n"
  answered 200 "GET https://x$events HTTP/1.0\r\n\r\n"
  answered 404 "GET http://x HTTP/1.1\r\n$host\r\n"
  answered 404 "GET http://x/nowhere HTTP/1.1\r\n$host\r\n"
  answered 400 "GET ftp://x$events HTTP/1.1\r\n$host\r\n"
  answered 400 "GET http://$events HTTP/1.1\r\n$host\r\n"
  answered 400 "GET http://u@x$events HTTP/1.1\r\n$host\r\n"
  answered 400 "GET x:80 HTTP/1.1\r\n$host\r\n"
  answered 400 "GET chat/room/events HTTP/1.1\r\n$host\r\n"
  answered 400 "GET * HTTP/1.1\r\n$host\r\n"
  answered 400 "HEAD * HTTP/1.1\r\n$host\r\n"
}

@test "request: bytes that no target may have" {
  answered 400 "$get#x HTTP/1.0\r\n\r\n"
  answered 400 "$get?a=#x HTTP/1.0\r\n\r\n"
  answered 400 "$get?a=b c HTTP/1.0\r\n\r\n"
  answered 400 'GET /chat/a\303\244/events HTTP/1.0\r\n\r\n'
  answered 400 "$get?x=\\377 HTTP/1.0\r\n\r\n"
}

@test "request: bad percent escapes" {
  local bad
  for bad in % %G0 %4 %%41 %-1 %u0041; do
    answered 400 "GET /chat/a${bad//%/%%}/events HTTP/1.0\r\n\r\n"
    answered 400 "$get?x=${bad//%/%%} HTTP/1.0\r\n\r\n"
  done
}

# --- The path -----------------------------------------------------------------

@test "C08 request: names that cannot be those of a channel" {
  local name
  # NUL, controls, DEL, ill-formed and overlong UTF-8, a surrogate.
  for name in '' %00 a%00 %01 a%0a a%0d%0ab %1f %7f %ff a%c3 %c0%80 %c0%af \
    %ed%a0%80 %f4%90%80%80; do
    answered 400 "GET /chat/${name//%/%%}/events HTTP/1.0\r\n\r\n"
  done
}

# is_channel RAW NAME: the path with that is about this channel.
is_channel() {
  get "/chat/$1/events" >answer
  [ "$(status <answer)" = 200 ]
  grep -qxF "data: {\"channels\":[\"$2\"],\"cursor\":\"0-0\"}" answer
}

@test "request: names are decoded once, and not otherwise changed" {
  each_way is_channel a%2520 'a%20'
  each_way is_channel a%20b 'a b'
  each_way is_channel a+b a+b
  each_way is_channel a%2Bb a+b
  each_way is_channel '%61%62' ab
  each_way is_channel a%C3%A4 aä
  each_way is_channel x%2Fy x/y
  each_way is_channel 'a\b' 'a\\b'
  each_way is_channel a%5Cb 'a\\b'
  each_way is_channel 'a"<>|^`{}' 'a\"<>|^`{}'
  each_way is_channel a:1 a:1
  each_way is_channel a..%2F.. a../..
}

# The + of a query is a space.
spaces() {
  get "/events?channel=a+b&channel=a%2Bb&x=+" >answer
  grep -qF '"channels":["a b","a+b"]' answer
}

@test "request: a plus in a query is a space" {
  each_way spaces
}

@test "request: paths are not normalised" {
  local path
  for path in //chat/room/events /chat//room/events /chat/./room/events \
    /chat/x/../room/events "$events/" /chat/room/events/. '/chat\room\events' \
    /chat/x/y/events /CHAT/room/events /chat/room/Events /chat/room \
    /chat/room/ /chat /chat/room%2Fevents /chat%2Froom/events /%63hat/room/events; do
    answered 404 'GET %s HTTP/1.0\r\n\r\n' "$path"
  done
  answered 400 'GET /chat//events HTTP/1.0\r\n\r\n'
  answered 404 'GET /chat/ROOM/events HTTP/1.0\r\n\r\n'
  answered 404 'GET /chat/../events HTTP/1.0\r\n\r\n'
}

# --- Fields -------------------------------------------------------------------

@test "request: space before the colon" {
  field_line 400 'Name : x'
  field_line 400 'Name\t: x'
  answered 400 "$get HTTP/1.1\r\nHost : x\r\n\r\n"
}

@test "request: a folded line" {
  field_line 400 'Name: x\r\n y'
  field_line 400 'Name: x\r\n\ty'
  field_line 400 'Name:\r\n x'
}

@test "request: names of fields that are none" {
  field_line 400 ': x'
  field_line 400 'Name'
  field_line 400 'Na me: x'
  field_line 400 'Name(): x'
  field_line 400 'N\303\244me: x'
  field_line 400 'Na\000me: x'
  # Values may be of any bytes but controls.
  field_line 200 'Name: \303\244\377'
  field_line 200 'Name:'
  field_line 200 'n.!#$&^_|~0: x'
}

@test "request: Host" {
  answered 400 "$get HTTP/1.1\r\n\r\n"
  answered 400 "$get HTTP/1.1\r\n$host$host\r\n"
  answered 400 "$get HTTP/1.1\r\n${host}Host: y\r\n\r\n"
  answered 400 "$get HTTP/1.0\r\n$host$host\r\n"
  answered 200 "$get HTTP/1.0\r\n\r\n"
  answered 400 "$get HTTP/1.1\r\nHost:\r\n\r\n"
  local value
  for value in x x:80 '[::1]:80' 127.0.0.1 x: EXAMPLE.org 'a_b'; do
    answered 200 "$get HTTP/1.1\r\nHost: $value\r\n\r\n"
  done
  for value in x/y u@x 'x, y' 'x y' x:80x '[::1' 'x?y' 'x#y' 'x:1:2'; do
    answered 400 "$get HTTP/1.1\r\nHost: $value\r\n\r\n"
  done
}

@test "request: an expectation that is unknown" {
  field_line 417 'Expect: more'
  answered 200 "$get HTTP/1.0\r\nExpect: more\r\n\r\n"
}

# plain_stream FIELD: the line changes nothing.
plain_stream() {
  get "$events?last=1" "$@" >answer
  [ "$(head -n 1 answer)" = $'HTTP/1.1 200 OK\r' ]
  [ "$(field Content-Type <answer)" = text/event-stream ]
  [ "$(messages <answer)" = hello ]
}

@test "request: Upgrade, ranges, conditions, Accept and encodings are ignored" {
  r xadd chat:room 1-0 data hello
  each_way plain_stream 'Connection: Upgrade' 'Upgrade: websocket' \
    'Sec-WebSocket-Key: x' 'Sec-WebSocket-Version: 13'
  each_way plain_stream 'Connection: Upgrade, HTTP2-Settings' 'Upgrade: h2c' \
    'HTTP2-Settings: x'
  each_way plain_stream 'Range: bytes=0-3' 'If-Range: x'
  each_way plain_stream 'If-None-Match: *' 'If-Match: "x"' \
    'If-Modified-Since: Sun, 06 Nov 2095 08:49:37 GMT'
  each_way plain_stream 'Accept: text/html'
  each_way plain_stream 'Accept: text/event-stream;q=0'
  each_way plain_stream 'Accept:'
  each_way plain_stream 'Accept-Encoding: gzip, br, identity;q=0'
  each_way plain_stream 'Connection: keep-alive' 'Keep-Alive: timeout=5'
  each_way plain_stream 'TE: trailers, chunked'
}

# --- Answers ------------------------------------------------------------------

whole_answer() {
  local text
  to_the_end "$@" >answer
  [ "$(status <answer)" -ge 400 ]
  [ "$(field Content-Type <answer)" = 'text/plain; charset=utf-8' ]
  [ "$(field Content-Length <answer)" = "$(body_of <answer | wc -c)" ]
  [ "$(field Connection <answer)" = close ]
  [ "$(date -d "$(field Date <answer)" +%s)" -ge $(($(date +%s) - 10)) ]
  text=$(body_of <answer)
  [ -n "$text" ] && [ "${#text}" -lt 80 ]
}

@test "request: every refusal says when and why, and closes" {
  both whole_answer 'garbage\r\n\r\n'
  both whole_answer 'GET /nowhere HTTP/1.0\r\n\r\n'
  both whole_answer "$get?last=x HTTP/1.0\r\n\r\n"
  both whole_answer "PUT $events HTTP/1.1\r\n$host\r\n"
  both whole_answer "BREW $events HTTP/1.1\r\n$host\r\n"
  both whole_answer 'PRI * HTTP/2.0\r\n\r\n'
  both whole_answer 'GET /%09000d HTTP/1.0\r\n\r\n' 0
  both whole_answer "$get HTTP/1.0\r\nName: %016384d\r\n\r\n" 0
  both whole_answer "$get HTTP/1.1\r\n${host}Expect: x\r\n\r\n"
}

# It has no body, nor any field that speaks of one.
no_content() {
  to_the_end "$@" >answer
  [ "$(status <answer)" = 204 ]
  [ -z "$(body_of <answer)" ]
  [ -z "$(field Content-Length <answer)" ]
  [ -z "$(field Transfer-Encoding <answer)" ]
  [ -n "$(field Date <answer)" ]
  [ "$(field Connection <answer)" = close ]
}

@test "request: OPTIONS of the server and of a stream" {
  local origin='Origin: https://a.example\r\n'
  both no_content "OPTIONS * HTTP/1.1\r\n$host\r\n"
  both no_content "OPTIONS $events HTTP/1.1\r\n$host\r\n"
  both no_content "OPTIONS $events HTTP/1.1\r\n$host${origin}$(
    )Access-Control-Request-Method: GET\r\n\r\n"
  answered 404 'OPTIONS /nowhere HTTP/1.0\r\n\r\n'
}

heads() {
  local path
  for path in $events "$events?last=2"; do
    to_the_end 'HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n' "$path" >answer
    get "$path" | head_of | grep -v ^Date >of-get
    head_of <answer | grep -v ^Date | diff - of-get
    [ -z "$(body_of <answer)" ]
    [ -n "$(field Chat-Cursor <answer)" ]
  done
  to_the_end 'HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n' >answer
  [ "$(status <answer)" = 404 ]
  [ -z "$(body_of <answer)" ]
}

@test "request: HEAD has the fields of GET, and starts no stream" {
  r xadd chat:room 1-0 data hello
  both heads
}

# answers_once FORMAT [ARG...]: only to the first of several requests.
answers_once() {
  ask "$@" >answer
  [ "$(grep -ac ^HTTP/ answer)" = 1 ]
  [ "$(field Connection <answer)" = close ]
}

@test "request: what follows on the connection is not answered" {
  local next="$get HTTP/1.1\r\n$host\r\n" method
  each_way answers_once "$next$next"
  each_way answers_once "$next${next}GET /health HTTP/1.1\r\n$host\r\n"
  for method in HEAD OPTIONS PUT BREW; do
    each_way answers_once "$method $events HTTP/1.1\r\n$host\r\n$next"
  done
  each_way answers_once "GET /nowhere HTTP/1.1\r\n$host\r\n$next"
  each_way answers_once "garbage\r\n\r\n$next"
}

# The client goes on sending, and none of its 200 answers gets lost.
lingers() {
  local i
  for i in {1..100}; do
    to_the_end "$1%0100000d" 0 >answer
    [ "$(status <answer)" = "$2" ]
    [ "$(field Content-Length <answer)" = "$(body_of <answer | wc -c)" ]
  done
}

@test "request: a refusal is seen by who goes on sending" {
  both lingers 'garbage\r\n\r\n' 400
}

old_client() {
  get $events >answer
  [ "$(head -n 1 answer)" = $'HTTP/1.1 200 OK\r' ]
  [ -z "$(field Transfer-Encoding <answer)" ]
  [ -z "$(field Content-Length <answer)" ]
  [ "$(field Connection <answer)" = close ]
}

@test "W21 request: HTTP/1.0 gets a stream that ends with the connection" {
  each_way old_client
}

without_redis() {
  ask "$get?strict=1 HTTP/1.0\r\n\r\n" >answer
  [ "$(status <answer)" = 503 ]
  [ "$(field Retry-After <answer)" -gt 0 ]
  answers 503 "HEAD $events HTTP/1.0\r\n\r\n"
  answers 200 "$get HTTP/1.0\r\n\r\n"
  answers 400 "$get?last=x HTTP/1.0\r\n\r\n"
}

@test "request: strict=1 and HEAD when Redis is away" {
  CHAT_URL=unix:///nowhere in_both_modes without_redis
}

# --- In time, in pieces, and more than was asked for --------------------------

drip() {
  printf a >&9 && read -r -t 0 -u 9
}

too_late() {
  to_the_end 'GET /chat/room/events HTTP/1.0\r\n' >answer
  [ "$(status <answer)" = 408 ]
  [ "$(field Connection <answer)" = close ]
  [ -z "$(to_the_end '')" ]
  # More bytes do not prolong it.
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET /' >&9
  wait_until 5 drip
  [ "$(status <&9)" = 408 ]
  exec 9>&-
}

@test "request: a head that takes too long" {
  ARGS=(--request-timeout 300ms room)
  over_sockets too_late
}

# The request is cut in two behind each byte.
pieces() {
  local request=$'GET /chat/room/events?last=1 HTTP/1.1\r\nHost: x\r\n\r\n' i
  for ((i = 1; i <= ${#request}; i++)); do
    exec 9<>"/dev/tcp/127.0.0.1/$PORT"
    printf %s "${request:0:i}" >&9
    printf %s "${request:i}x" >&9
    [ "$(timeout 5 grep -m 1 '^data: hello' <&9)" = 'data: hello' ]
    exec 9>&-
  done
  # Byte by byte.
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  for ((i = 0; i < ${#request}; i++)); do
    printf %s "${request:i:1}" >&9
  done
  timeout 5 grep -qx 'data: hello' <&9
  exec 9>&-
}

@test "request: a head may come in any pieces, with a byte too many" {
  r xadd chat:room 1-0 data hello
  both pieces
}

# A megabyte beside the request ends the stream; a little does not.
says_more() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.0\r\n\r\n%01000d' $events 0 >&9
  grep -q chat-open <&9
  r xadd chat:room '*' data still-there
  timeout 5 grep -qx 'data: still-there' <&9
  head -c 1000000 /dev/zero >&9 || true
  timeout 5 cat <&9 >rest || true # a reset
  run ! timeout 5 grep . <&9
  exec 9>&-
}

@test "request: what a client sends besides is dropped up to a limit" {
  ARGS=(-v room)
  over_sockets says_more
}

# faulty ERROR: each third call for the network fails so.
faulty() {
  local i
  printf '#!/bin/sh\nexec strace -f -o "%s" %s %s "%s" "$@"\n' "$PWD/trace" \
    '-e trace=accept4,recvfrom,sendto' \
    "-e inject=accept4,recvfrom,sendto:error=$1:when=2+3" \
    "$BUILD/chat-sse-serve" >faults/chat-sse-serve
  chmod +x faults/chat-sse-serve
  ASAN_OPTIONS=detect_leaks=0 PATH=$PWD/faults:$PATH SERVE_MODE=listen \
    serve_start room
  spawn client curl -sSNi --noproxy '*' "http://127.0.0.1:$PORT$events?last=9"
  wait_until 5 grep -qx 'data: 9' client.out
  for i in {10..99}; do
    r xadd chat:room "$i-0" data "$i" >/dev/null
  done
  wait_until 5 grep -qx 'data: 99' client.out
  [ "$(messages <client.out)" = "$(seq 99)" ]
  end "$SPAWNED"
  serve_stop
  grep -q "accept4.*$1.*INJECTED" trace
  grep -q "recvfrom.*$1.*INJECTED" trace
  grep -q "sendto.*$1.*INJECTED" trace
}

@test "request: calls that fail for the moment are made again" {
  command -v strace >/dev/null || skip 'no strace'
  local i error
  mkdir faults
  for error in EINTR EAGAIN; do
    r flushall
    for i in {1..9}; do
      r xadd chat:room "$i-0" data "$i"
    done
    faulty $error
  done
}
