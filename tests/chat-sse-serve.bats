# chat-sse-serve: one HTTP client and the channels it is given.

# ARGS is for helpers/http.
# shellcheck disable=SC2034

load helpers/common
load helpers/http
load helpers/modes

setup_file() {
  redis_start
  serve_start room
}

teardown_file() {
  serve_stop
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(room)
}

teardown() {
  end_spawned
}

# fill CHANNEL N: entries 1-0 to N-0 with the texts m1 to mN.
fill() {
  local i
  for ((i = 1; i <= $2; i++)); do
    echo "xadd chat:$1 $i-0 data m$i"
  done | r >/dev/null
}

# listen PATH [CURL-OPTION...]: a client of the server, its answer in curl.out.
listen() {
  spawn curl curl -sSNi --noproxy '*' "${@:2}" "http://127.0.0.1:$PORT$1"
  wait_until 10 grep -q chat-open curl.out
}

# by_hand ARG...: chat-sse-serve in the background, to which fd 8 writes.
by_hand() {
  mkfifo in
  exec 8<>in
  spawn serve1 chat-sse-serve -v -i "$@" <in 8>&-
}

say() {
  # shellcheck disable=SC2059
  printf "$@" >&8
}

hang_up() {
  exec 8>&-
}

got() {
  grep -q "$1" serve1.out
}

ended() {
  wait_until "${1:-10}" gone "$SPAWNED"
}

logged() {
  grep -q "$1" "${2:-serve1.err}"
}

# --- Requests -----------------------------------------------------------------

@test "requests have their status over two pipes" {
  requests
}

@test "requests have their status over a socket" {
  OVER=socket requests
}

@test "an error is a short text with all that closes it" {
  get /nowhere >answer
  [ "$(field Content-Type <answer)" = 'text/plain; charset=utf-8' ]
  [ "$(field Content-Length <answer)" = "$(body_of <answer | wc -c)" ]
  [ "$(field Connection <answer)" = close ]
  [ "$(field Cache-Control <answer)" = no-store ]
  [ "$(date -d "$(field Date <answer)" +%s)" -ge $(($(date +%s) - 10)) ]
  [ "$(body_of <answer)" = 'not found' ]
}

@test "a method that is not allowed is told those that are" {
  allow() {
    ask "$1 HTTP/1.0\r\n\r\n" | field Allow
  }
  [ "$(allow 'PUT /chat/room/events')" = 'GET, HEAD, OPTIONS' ]
  [ "$(allow 'PUT /health')" = 'GET, HEAD, OPTIONS' ]
  [ "$(allow 'PUT /chat/room/messages')" = OPTIONS ]
  ARGS=(--publish room)
  [ "$(allow 'PUT /chat/room/messages')" = 'POST, OPTIONS' ]
}

@test "OPTIONS is answered with the methods, and starts no stream" {
  local path
  for path in '*' /chat/room/events /chat/room/messages /health; do
    ask "OPTIONS $path HTTP/1.0\r\n\r\n" >answer
    [ "$(status <answer)" = 204 ]
    [ -n "$(field Allow <answer)" ]
    [ -z "$(body_of <answer)" ]
    [ -z "$(field Content-Length <answer)" ]
  done
  answers 404 'OPTIONS /chat/other/events HTTP/1.0\r\n\r\n'
}

@test "HEAD has the fields of GET, and no body" {
  local path
  fill room 5
  for path in /chat/room/events '/chat/room/events?last=2' /health /nowhere; do
    get "$path" | head_of | grep -v ^Date >of-get
    ask "HEAD $path HTTP/1.0\r\n\r\n" >answer
    head_of <answer | grep -v ^Date | diff - of-get
    [ -z "$(body_of <answer)" ]
  done
  [ "$(ask 'HEAD /chat/room/events HTTP/1.0\r\n\r\n' | field Chat-Cursor)" = 5-0 ]
}

@test "a head may come in any pieces" {
  local request=$'GET /chat/room/events?last=1 HTTP/1.1\r\nHost: x\r\n\r\n' i
  fill room 2
  printf %s "$request" | in_packets 1 | chat-sse-serve -i room >answer
  [ "$(messages <answer)" = m2 ]
  for ((i = 1; i < ${#request}; i++)); do
    {
      printf %s "${request:0:i}" | in_packets $i
      printf %s "${request:i}" | in_packets $((${#request} - i))
    } | chat-sse-serve -i room >answer
    [ "$(messages <answer)" = m2 ]
  done
}

@test "a second request on the connection is not answered" {
  local head='GET /health HTTP/1.1\r\nHost: x\r\n\r\n'
  [ "$(ask "$head$head" | grep -c ^HTTP)" = 1 ]
  [ "$(ask "GET /chat/room/events HTTP/1.0\r\n\r\n$head" | grep -c ^HTTP)" = 1 ]
  [ "$(OVER=socket ask "$head$head" | grep -c ^HTTP)" = 1 ]
}

@test "D13 a request that is cut short is refused, and none is not" {
  answers 400 'GET /health HTTP/1.1\r\nHost: x\r\n'
  OVER=socket answers 400 'GET /health HTTP'
  run -0 chat-sse-serve -i room </dev/null
  [ -z "$output" ]
  [ -z "$(OVER=socket ask '')" ]
}

@test "a head has its time: 408, or silence if nothing came" {
  by_hand --request-timeout 300ms room
  say 'GET /chat/room/events HTTP/1.0\r\n'
  ended
  [ "$(status <serve1.out)" = 408 ]
  spawn serve1 chat-sse-serve -i --request-timeout 300ms room <in 8>&-
  ended
  [ ! -s serve1.out ]
}

@test "more bytes do not prolong the time for a head" {
  by_hand --request-timeout 500ms room
  drip() {
    say 'a'
    gone "$SPAWNED"
  }
  say 'GET /'
  wait_until 5 drip
  [ "$(status <serve1.out)" = 408 ]
}

# --- Streams ------------------------------------------------------------------

@test "the first frame says where the stream begins, and when to come again" {
  local i
  fill room 3
  get /chat/room/events | body_of >body
  [ "$(tail -n +2 body)" = 'id: 3-0
event: chat-open
data: {"channels":["room"],"cursor":"3-0"}' ]
  for i in {1..8}; do
    get /chat/room/events | sed -n 's/^retry: //p'
  done >retries
  [ "$(awk '$1 >= 1500 && $1 <= 2500' retries | wc -l)" = 8 ]
  [ "$(sort -u retries | wc -l)" -gt 1 ]
}

@test "the head and the first frame leave in one write" {
  command -v strace >/dev/null || skip 'no strace'
  fill room 1
  printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' |
    ASAN_OPTIONS=detect_leaks=0 strace -e trace=write -o trace \
      chat-sse-serve -i room >answer
  [ "$(grep -c '^write(1,' trace)" = 1 ]
}

@test "messages are frames with an id, a type and all of their lines" {
  r xadd chat:room 1-0 event greeting data 'hello' other x
  r xadd chat:room 2-0 data $'a\nb\rc\r\nd\n'
  r xadd chat:room 3-0 data ''
  r xadd chat:room 4-0 event $'x\ndata: y' data $'z\n\nid: 9-9'
  get '/chat/room/events?last=4' | body_of | sed '1,/^$/d' >frames
  printf '%s\n' 'id: 1-0' 'event: greeting' 'data: hello' '' \
    'id: 2-0' 'data: a' 'data: b' 'data: c' 'data: d' 'data: ' '' \
    'id: 3-0' 'data: ' '' \
    'id: 4-0' 'event: xdata: y' 'data: z' 'data: ' 'data: id: 9-9' '' >expected
  diff expected frames
}

@test "an entry without a payload is a message without a text" {
  r xadd chat:room 1-0 other x
  r xadd chat:room 2-0 data y
  [ "$(get '/chat/room/events?last=9' | messages)" = $'\ny' ]
}

@test "where to start: the options" {
  fill room 5
  starts() {
    local want=$1
    shift
    ARGS=("$@" room)
    [ "$(get /chat/room/events | messages | xargs)" = "$want" ]
  }
  starts ''
  starts 'm4 m5' -n 2
  starts 'm1 m2 m3 m4 m5' -n all
  starts 'm1 m2 m3 m4 m5' -o beginning
  starts 'm3 m4 m5' -o 3-0
  starts 'm4 m5' -a 3-0
  starts 'm1 m2 m3 m4 m5' -S 1970-01-01
}

@test "what has been trimmed is told as a gap" {
  fill room 9
  r xtrim chat:room maxlen 3
  get /chat/room/events 'Last-Event-ID: 2-0' >answer
  [ "$(grep -B 1 -A 1 '^event: chat-gap' answer | head -n 1)" != 'id: 2-0' ]
  grep -A 1 '^event: chat-gap' answer | tail -n 1 | cut -c 7- >gap
  [ "$(jq -r .channel,.reason,.after,.first <gap | xargs)" = 'room trimmed 2-0 7-0' ]
  [ "$(messages <answer | xargs)" = 'm7 m8 m9' ]
  r del chat:room
  get /chat/room/events 'Last-Event-ID: 2-0' | grep -q '"reason":"reset"'
}

half_closed() {
  get '/chat/room/events?last=2000' | messages | cmp - <(seq -f m%.0f 2000)
}

@test "D04 a half-closed connection gets the history and ends" {
  fill room 2000
  in_both_modes half_closed
}

@test "D13 a file may be the client" {
  fill room 3
  printf 'GET /chat/room/events?last=2 HTTP/1.0\r\n\r\n' >request
  chat-sse-serve -i room <request >answer
  [ "$(messages <answer | xargs)" = 'm2 m3' ]
}

@test "what is published comes live, over a socket" {
  fill room 1
  listen /chat/room/events
  r xadd chat:room '*' data live
  wait_until 5 grep -qx 'data: live' curl.out
  r xadd chat:room '*' data again
  wait_until 5 grep -qx 'data: again' curl.out
  [ "$(messages <curl.out | xargs)" = 'live again' ]
}

@test "what is published comes live, over pipes" {
  by_hand room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  r xadd chat:room '*' data live
  wait_until 5 got '^data: live$'
  hang_up
  ended 2
  logged ' room client-gone [0-9]*B 1 events 0 gaps '
}

@test "channels are served by name and by pattern, and are kept apart" {
  ARGS=(room 'dept.*' 'a?c' 'x/y' 'caf\*')
  r xadd chat:dept.sales 1-0 data sales
  r xadd chat:x/y 1-0 data slash
  r xadd chat:aéc 1-0 data accent
  r xadd chat:room+ 1-0 data plus
  [ "$(get '/chat/dept.sales/events?last=1' | messages)" = sales ]
  [ "$(get '/chat/dept%2Esales/events?last=1' | messages)" = sales ]
  [ "$(get '/chat/x%2Fy/events?last=1' | messages)" = slash ]
  answers 404 'GET /chat/x/y/events HTTP/1.0\r\n\r\n'
  answers 404 'GET /chat/dept/events HTTP/1.0\r\n\r\n'
  answers 404 'GET /chat/ROOM/events HTTP/1.0\r\n\r\n'
  answers 200 'GET /chat/caf*/events HTTP/1.0\r\n\r\n'
  answers 404 'GET /chat/cafe/events HTTP/1.0\r\n\r\n'
  ARGS=('*')
  [ "$(get '/chat/a%C3%A9c/events?last=1' | messages)" = accent ]
  [ "$(get '/chat/room+/events?last=1' | messages)" = plus ]
}

@test "W18 a heartbeat when idle, and only then" {
  by_hand --heartbeat 300ms room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  beats() {
    [ "$(grep -cx : serve1.out)" -ge "$1" ]
  }
  busy() {
    r xadd chat:room '*' data x
    [ "$(grep -cx 'data: x' serve1.out)" -ge 15 ]
  }
  wait_until 10 busy
  [ "$(grep -cx : serve1.out)" -le 1 ]
  wait_until 5 beats 3
  hang_up
  ended
}

@test "no heartbeat with 0" {
  by_hand --heartbeat 0 room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  never_within 1 got '^:$'
  hang_up
  ended
}

# --- Clients that go or do not read ---------------------------------------------

closes() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' >&9
  grep -q chat-open <&9
  exec 9>&-
  # It may have gone before the history had ended.
  wait_until 2 logged '127.0.0.1 room \(client-gone\|end\) ' serve.err
}

@test "D01 a client that closes is noticed at once" {
  ARGS=(-v room)
  over_sockets closes
}

resets() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' >&9
  # Bytes that came and were not read turn the close into a reset.
  head -c 1 <&9
  exec 9>&-
  wait_until 2 logged '127.0.0.1 room client-gone ' serve.err
}

@test "D02 a client that resets is noticed at once" {
  fill room 10
  ARGS=(-v -n 10 room)
  over_sockets resets
}

@test "D01 a reader of the pipe that goes away is noticed at once" {
  mkfifo in out
  exec 8<>in
  spawn serve1 sh -c 'exec chat-sse-serve -v -i room >out' <in 8>&-
  exec 9<out
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  grep -q chat-open <&9
  exec 9<&-
  ended 2
  logged ' room client-gone '
  hang_up
}

# More than the buffers of a connection hold.
flood() {
  local i line
  line=$(printf %065536d 0)
  for ((i = 0; i < 200; i++)); do
    printf 'xadd chat:room * data %s\n' "$line"
  done | r >/dev/null
}

stalls() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' >&9
  wait_until 10 logged '127.0.0.1 room stalled ' serve.err
  exec 9>&-
  curl -sN --limit-rate 6M -m 20 --noproxy '*' \
    "http://127.0.0.1:$PORT/chat/room/events" |
    grep -c -m 200 '^data: 0' >n
  [ "$(cat n)" = 200 ]
}

@test "D03 a client that takes nothing is dropped, one that is slow is not" {
  flood
  ARGS=(-v --stall 2s --heartbeat 200ms -n all room)
  over_sockets stalls
}

@test "D03 a stalled pipe is given up" {
  flood
  mkfifo out
  exec 9<>out
  spawn serve1 sh -c 'printf "GET /chat/room/events?last=99 HTTP/1.0\r\n\r\n" |
    chat-sse-serve -v -i --stall 500ms room >out' 9>&-
  ended 5
  logged ' room stalled '
}

@test "what a client sends besides is dropped up to a limit" {
  by_hand room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  say '%01000d' 0
  r xadd chat:room '*' data still-there
  wait_until 5 got still-there
  head -c 100000 /dev/zero >&8
  ended
  logged ' room too-much-input '
}

# --- Redis --------------------------------------------------------------------

# A second server, which these tests start and stop.
use_other_redis() {
  export REDIS_DIR=$BATS_TEST_TMPDIR/redis REDIS_SOCK CHAT_URL
  REDIS_SOCK=$REDIS_DIR/redis.sock
  CHAT_URL=unix://$REDIS_SOCK
}

ended_so_far() {
  gone "$SPAWNED"
}

@test "without Redis a stream is held, and begins when it comes" {
  use_other_redis
  by_hand --heartbeat 200ms room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got '^: waiting'
  [ "$(status <serve1.out)" = 200 ]
  [ -z "$(field Chat-Cursor <serve1.out)" ]
  got '^retry: [12][0-9][0-9][0-9]$'
  wait_until 5 got '^:$'
  never_within 2 ended_so_far
  redis_start 8>&-
  wait_until 10 got chat-open
  r xadd chat:room '*' data hello
  wait_until 5 got 'data: hello'
  hang_up
  ended
  redis_stop
}

@test "without Redis a stream is not held for ever" {
  use_other_redis
  by_hand --outage-hold 300ms room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  ended 5
  [ "$(status <serve1.out)" = 200 ]
  logged ' room outage '
}

@test "without Redis a half-closed connection ends soon" {
  use_other_redis
  get /chat/room/events 2>log >answer
  grep -q '^: waiting' answer
  grep -q redis.sock log
}

@test "without Redis strict=1 and HEAD are told so" {
  use_other_redis
  get '/chat/room/events?strict=1' >answer
  [ "$(status <answer)" = 503 ]
  [ "$(field Retry-After <answer)" -gt 0 ]
  answers 503 'HEAD /chat/room/events HTTP/1.0\r\n\r\n'
}

@test "a restart of Redis loses nothing and doubles nothing" {
  use_other_redis
  redis_start --appendonly yes --appendfsync always
  by_hand --heartbeat 200ms room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  r xadd chat:room '*' data one
  wait_until 5 got 'data: one'
  redis_kill
  beats=$(grep -cx : serve1.out || true)
  more_beats() {
    [ "$(grep -cx : serve1.out)" -gt $((beats + 1)) ]
  }
  wait_until 5 more_beats
  redis_restart 8>&-
  r xadd chat:room '*' data two
  wait_until 10 got 'data: two'
  [ "$(messages <serve1.out | xargs)" = 'one two' ]
  run ! got chat-gap
  hang_up
  ended
  redis_stop
}

@test "a key that is no stream is refused, with a line in the log" {
  r set chat:room x
  get /chat/room/events 2>log >answer
  [ "$(status <answer)" = 500 ]
  [ "$(grep -c WRONGTYPE log)" = 1 ]
}

@test "a key that becomes something else ends the stream" {
  by_hand room
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  r set chat:room x
  r client kill type normal
  ended 10
  logged WRONGTYPE
  logged ' room trouble '
}

@test "what Redis forbids is refused, with a line in the log" {
  r acl setuser guest on nopass '~other:*' +@all
  CHAT_URL=unix://guest:x@$REDIS_SOCK get /chat/room/events 2>log >answer
  r acl deluser guest
  [ "$(status <answer)" = 500 ]
  [ "$(grep -c NOPERM log)" = 1 ]
  CHAT_URL=unix://guest:x@$REDIS_SOCK get /chat/room/events 2>log >answer
  [ "$(status <answer)" = 500 ]
  grep -q WRONGPASS log
}

# --- Health and the page ----------------------------------------------------------

@test "health says that we are alive, and ready while Redis answers" {
  local path
  for path in /health /health/live /ready /health/ready; do
    [ "$(get $path | status)" = 200 ]
    [ "$(OVER=socket get $path | status)" = 200 ]
  done
  CHAT_URL=unix:///nowhere
  [ "$(get /health | status)" = 200 ]
  [ "$(get /health/live | status)" = 200 ]
  [ "$(get /ready | status)" = 503 ]
  [ -n "$(get /health/ready | field Retry-After)" ]
}

@test "a Redis that hangs is not ready" {
  use_other_redis
  redis_start
  kill -STOP "$(cat "$REDIS_DIR/pid")"
  ARGS=(-t 300ms room)
  get /ready >answer
  kill -CONT "$(cat "$REDIS_DIR/pid")"
  [ "$(status <answer)" = 503 ]
  redis_stop
}

@test "the page" {
  printf '<!doctype html>\n<title>é</title>\n' >page.html
  ARGS=(--page page.html room)
  get / >answer
  [ "$(status <answer)" = 200 ]
  [ "$(field Content-Type <answer)" = 'text/html; charset=utf-8' ]
  [ "$(field Cache-Control <answer)" = no-cache ]
  [ "$(field X-Content-Type-Options <answer)" = nosniff ]
  [ "$(field X-Frame-Options <answer)" = DENY ]
  [ "$(field Referrer-Policy <answer)" = no-referrer ]
  body_of <answer | cmp - page.html
  [ "$(ask 'HEAD / HTTP/1.0\r\n\r\n' | field Content-Length)" = "$(wc -c <page.html)" ]
  [ "$(get '/?channel=room' | status)" = 200 ]
  rm page.html
  [ "$(get / 2>/dev/null | status)" = 500 ]
}

# --- The process ------------------------------------------------------------------

@test "D08 TERM ends a stream between two frames, with status 0" {
  mkfifo in
  exec 8<>in
  spawn serve1 sh -c 'chat-sse-serve -v -i room; echo $? >status' <in 8>&-
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  kill "$(pgrep -g "$SPAWNED" chat-sse)"
  ended 5
  [ "$(cat status)" = 0 ]
  [ -z "$(tail -n 1 serve1.out)" ]
  logged ' room terminated '
}

@test "INT ends it as INT does" {
  local status=0
  mkfifo in
  exec 8<>in
  # What runs in the background has it ignored.
  spawn serve1 env --default-signal=INT chat-sse-serve -i room <in 8>&-
  say 'GET /chat/room/events HTTP/1.0\r\n\r\n'
  wait_until 5 got chat-open
  kill -INT "$SPAWNED"
  wait "$SPAWNED" || status=$?
  [ "$status" = 130 ]
}

@test "each connection is a line of the log" {
  fill room 3
  ARGS=(-v room)
  get '/chat/room/events?last=2' 2>log >answer
  grep -Eqx "chat-sse-serve: - room end $(wc -c <answer)B 2 events 0 gaps [0-9]+\.[0-9]s" log
  get /nowhere 2>log >answer
  grep -Eqx "chat-sse-serve: - - 404 $(wc -c <answer)B 0 events 0 gaps [0-9]+\.[0-9]s" log
  ARGS=(room)
  get /chat/room/events 2>log >answer
  [ ! -s log ]
}

@test "usage errors" {
  run -64 chat-sse-serve -i
  run -64 chat-sse-serve -i -- -room
  run -64 chat-sse-serve -i -n x room
  run -64 chat-sse-serve -i -n 1 -a 1-0 room
  run -64 chat-sse-serve -i --no-such room
  run -64 chat-sse-serve room </dev/null
}

@test "D13 an output that takes nothing is an error" {
  printf 'GET /health HTTP/1.0\r\n\r\n' >request
  run -74 sh -c 'chat-sse-serve -i room <request 2>&1 >/dev/full'
  [[ $output == *'No space left'* ]]
  run -74 sh -c 'chat-sse-serve -i room <request >&-'
  run -74 sh -c 'chat-sse-serve -i room <&-'
}

@test "long spellings mean what the letters mean" {
  fill room 1
  local url=$CHAT_URL
  export CHAT_URL=unix:///nowhere
  printf 'GET /chat/room/events?last=1 HTTP/1.0\r\n\r\n' |
    chat-sse-serve --inetd --quiet --url "$url" room | grep -qx 'data: m1'
  [ "$(chat-sse-serve --version)" = "$(chat-sse-serve -V)" ]
}
