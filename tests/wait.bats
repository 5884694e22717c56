# chat-sse-serve that listens: all clients in one process.

load helpers/common
load helpers/http
load helpers/follow

setup_file() {
  redis_start
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
  end_spawned
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

files() {
  find "/proc/$SERVE_GROUP/fd" -mindepth 1 | wc -l
}

# has_clients N: besides what it had before (in $FILES) and Redis.
has_clients() {
  [ "$(files)" -ge $((FILES + $1)) ]
}

redis_connections() {
  r client list | grep -c 'name=chat-sse-serve'
}

ids() {
  r --raw xrange chat:room - + | grep -E '^[0-9]+-[0-9]+$'
}

# herd CLIENTS CUT: in the background, until each has seen END.
herd() {
  mkdir -p seen
  ulimit -n 4096
  FILES=$(files)
  spawn herd "$BUILD/tests/bench/herd" "$PORT" "$events?last_event_id=0-0" \
    "$1" "$2" seen
  HERD=$SPAWNED
}

# Each of CLIENTS has seen each id once and in order.
herd_saw_all() {
  local i
  wait_until 100 gone "$HERD"
  cat herd.out herd.err >&2
  ids >ids
  [ "$(tail -n 1 ids)" = "$(tail -n 1 seen/0)" ]
  for ((i = 0; i < $1; i++)); do
    cmp ids "seen/$i"
  done
}

@test "requests have their status" {
  serve_start room
  OVER=socket requests
}

# --- Many -------------------------------------------------------------------

@test "J01 500 clients cut at random see every id once, in order" {
  serve_start room
  herd 500 30000
  (
    seq 1 3000
    echo END
  ) | chat-pub room
  herd_saw_all 500
}

@test "200 clients share two connections to Redis" {
  serve_start room
  chat-pub room first
  herd 200 0
  wait_until 20 has_clients 200
  [ "$(redis_connections)" -le 2 ]
  seq 1 1000 | chat-pub room
  [ "$(redis_connections)" -le 2 ]
  [ "$(pgrep -g "$SERVE_GROUP" -c chat-sse)" = 1 ]
  chat-pub room END
  herd_saw_all 200
}

@test "a restart of Redis loses nothing for 200 clients" {
  REDIS_DIR=$PWD/redis
  redis_start --appendonly yes --appendfsync always
  serve_start -v room
  herd 200 0
  wait_until 20 has_clients 200
  seq 1 500 | chat-pub room
  redis_kill
  never_within 1 gone "$HERD"
  redis_restart
  seq 501 1000 | chat-pub room
  [ "$(redis_connections)" -le 2 ]
  chat-pub room END
  herd_saw_all 200
  [ "$(ids | wc -l)" = 1001 ]
  wait_until 10 eval '[ "$(grep -c client-gone "$SERVE_LOG")" = 200 ]'
}

@test "without Redis clients are held, and all begin when it comes" {
  local i
  REDIS_DIR=$PWD/redis
  CHAT_URL=unix://$REDIS_DIR/redis.sock serve_start --drain 0 room
  for i in 1 2 3; do
    follow "c$i" $events
    wait_until 5 has "c$i" ': waiting for Redis'
  done
  redis_start
  for i in 1 2 3; do
    wait_until 10 has "c$i" 'event: chat-open'
  done
  r xadd chat:room '*' data hello
  for i in 1 2 3; do
    wait_until 10 has "c$i" 'data: hello'
  done
  redis_kill
  follow held $events
  wait_until 5 has held ': waiting for Redis'
  end "$SERVE_GROUP"
  has held ': come back'
}

@test "who is refused by Redis does not spoil it for who comes later" {
  r acl setuser guest on '>right' '~*' '+@all'
  CHAT_URL=unix://guest:wrong@$REDIS_SOCK serve_start -v room other
  http -i $events | head -n 1 | grep -q ' 500 '
  http -i $events | head -n 1 | grep -q ' 500 '
  logged WRONGPASS
  r acl setuser guest '>wrong'
  follow_all 2
  r xadd chat:room '*' data hello
  wait_until 5 has c1 'data: hello'
  # The key becomes something else: its clients end, and nobody else.
  follow other /chat/other/events
  wait_until 5 has other 'event: chat-open'
  r set chat:room x
  r client kill type normal
  wait_until 10 eval '[ "$(grep -c " room trouble " "$SERVE_LOG")" = 2 ]'
  r xadd chat:other '*' data still
  wait_until 10 has other 'data: still'
  r acl deluser guest
}

@test "a trouble that all clients of a channel meet is told once" {
  serve_start room other
  r set chat:room x
  r set chat:other x
  seq 50 | xargs -P 10 -I '{}' curl -sS --noproxy '*' -o /dev/null \
    "http://127.0.0.1:$PORT$events"
  http /chat/other/events
  [ "$(grep -c 'room: WRONGTYPE' "$SERVE_LOG")" = 1 ]
  [ "$(grep -c 'other: WRONGTYPE' "$SERVE_LOG")" = 1 ]
}

@test "clients of many channels get what is theirs" {
  local i
  serve_start '*'
  for i in {1..20}; do
    follow "c$i" "/chat/room$i/events"
  done
  for i in {1..20}; do
    wait_until 10 has "c$i" 'event: chat-open'
    r xadd "chat:room$i" '*' data "for $i" >/dev/null
  done
  for i in {1..20}; do
    wait_until 10 has "c$i" "data: for $i"
    [ "$(grep -c '^data: for' "c$i.out")" = 1 ]
  done
}

@test "many publish at once, and some do not wait for the answer" {
  local i
  serve_start --publish room
  follow_all 1
  spawn posts xargs -P 20 -I '{}' curl -sS --noproxy '*' -o /dev/null \
    -d 'data={}' "http://127.0.0.1:$PORT/chat/room/messages" \
    < <(seq 1 200)
  for ((i = 0; i < 50; i++)); do
    exec 9<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'POST /chat/room/messages HTTP/1.0\r\nContent-Type: text/plain\r\n' >&9
    printf 'Content-Length: 4\r\n\r\ngone' >&9
    exec 9>&-
  done
  wait_until 20 eval '[ "$(grep -c "^data: [0-9]" c1.out)" = 200 ]'
  [ "$(grep '^data: [0-9]' c1.out | sort -u | wc -l)" = 200 ]
  kill -0 "$SERVE_GROUP"
}

@test "D03 a client that takes nothing delays nobody, and costs no memory" {
  local line rss
  serve_start -v --stall 2s room
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >&9
  wait_until 10 has_input 9
  follow_all 2
  line=$(printf %060000d 0)
  for ((i = 0; i < 1500; i++)); do
    printf 'xadd chat:room maxlen 100 * data %s\n' "$line"
  done | r >/dev/null
  r xadd chat:room '*' data after
  wait_until 10 has c1 'data: after'
  wait_until 10 has c2 'data: after'
  rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$SERVE_GROUP/status")
  grep -q __asan_init "$BUILD/chat-sse-serve" || [ "$rss" -lt 40000 ]
  wait_until 10 logged '127.0.0.1 room stalled '
  exec 9>&-
}

has_input() {
  read -r -t 0 -u "$1"
}

# one_connects I: and leaves, each at another time.
one_connects() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  case $(($1 % 5)) in
    1) printf 'GET /chat' >&9 ;;
    2) printf 'GET %s HTTP/1.0\r\n\r\n' $events >&9 ;;
    3)
      printf 'GET %s?last=1 HTTP/1.0\r\n\r\n' $events >&9
      read -r <&9
      ;;
    4) printf 'garbage\r\n\r\n' >&9 ;;
  esac
  exec 9>&-
}

nobody_is_left() {
  [ "$(http /metrics | awk '/^chat_(clients|members|connections|topics) / {
    n += $2 } END { print n }')" = 1 ] && [ "$(files)" -le $((FILES + 2)) ]
}

@test "D05 D15 of 5000 who connect and leave nothing is left" {
  local before i
  chat-pub room first
  serve_start --stats room
  FILES=$(files)
  for ((i = 0; i < 1000; i++)); do
    one_connects $i
  done
  before=$(awk '/^VmRSS/ { print $2 }' "/proc/$SERVE_GROUP/status")
  for ((; i < 5000; i++)); do
    one_connects $i
  done
  # One is who asks.
  wait_until 20 nobody_is_left
  grep -q __asan_init "$BUILD/chat-sse-serve" ||
    [ "$(awk '/^VmRSS/ { print $2 }' "/proc/$SERVE_GROUP/status")" -lt \
      $((before + 1024)) ]
  follow_all 1
}

# cut_off COMMAND...: what listens on 8080 there, in a network of its own that
# goes down under a client. It is told by the file serve.err.
cut_off() {
  export -f wait_until now_ms port_listens
  # shellcheck disable=SC2016
  spawn net unshare -rn bash -c '
    ip link set lo up
    "$@" 2>serve.err &
    wait_until 10 port_listens 8080
    exec 9<>/dev/tcp/127.0.0.1/8080
    printf "GET /chat/room/events HTTP/1.0\r\n\r\n" >&9
    grep -m 1 chat-open <&9
    ip link set lo down
    echo down
    wait' bash "$@"
  wait_until 10 grep -qx down net.out
  r xadd chat:room '*' data hello
  SERVE_LOG=$PWD/serve.err
  wait_until 10 logged '127.0.0.1 room stalled '
  end "$SPAWNED"
}

@test "D02 a client that cannot be reached any more is let go" {
  unshare -rn ip link >/dev/null || skip 'no network of our own'
  cut_off chat-sse-serve -v -l 8080 --stall 1s room
  cut_off socat TCP-LISTEN:8080,bind=127.0.0.1 \
    'EXEC:chat-sse-serve -i -v --stall 1s room,nofork'
}

# serve_to_log REDIRECTION: the log goes there.
serve_to_log() {
  PORT=$(free_port)
  spawn serve bash -c "exec chat-sse-serve -vv --drain 0 -l $PORT room $1"
  wait_until 10 port_listens "$PORT"
  follow log $events
  wait_until 5 has log 'event: chat-open'
  [ "$(http /health)" = ok ]
  http -i /nowhere | head -n 1 | grep -q ' 404 '
  r xadd chat:room '*' data hello
  wait_until 5 has log 'data: hello'
  kill -0 "$(tail -n 2 spawned | head -n 1)"
  OVER='' ARGS=(-vv room)
  eval "get '$events?last=1' $1" >answer
  [ "$(messages <answer)" = hello ]
}

@test "D16 a log that is full or closed is no reason not to serve" {
  serve_to_log '2>/dev/full'
  serve_to_log '2>&-'
  # A pipe that nobody reads any more.
  serve_to_log '2> >(:)'
}

# --- Health -----------------------------------------------------------------

# ready N: the distinct statuses of so many at once.
ready() {
  seq "$1" | xargs -P "$1" -I '{}' curl -sS --noproxy '*' -o /dev/null \
    -w '%{http_code}\n' --max-time 10 "http://127.0.0.1:$PORT/health/ready" |
    sort -u
}

is_ready() {
  [ "$(ready 1)" = 200 ]
}

connections_made() {
  r info stats | sed -n 's/^total_connections_received:\([0-9]*\).*/\1/p'
}

@test "many who ask whether it is ready share a connection to Redis" {
  local before
  serve_start room
  is_ready
  before=$(connections_made)
  [ "$(ready 100)" = 200 ]
  # One of them is this count's.
  [ "$(connections_made)" -le $((before + 2)) ]
}

@test "it is not ready while Redis is away or hangs, and says so soon" {
  local start
  REDIS_DIR=$PWD/redis
  redis_start
  serve_start room
  follow_all 1
  is_ready
  kill -STOP "$(cat "$REDIS_DIR/pid")"
  start=$(now_ms)
  [ "$(ready 20)" = 503 ]
  [ $(($(now_ms) - start)) -lt 4000 ]
  kill -CONT "$(cat "$REDIS_DIR/pid")"
  wait_until 10 is_ready
  redis_kill
  wait_until 5 eval '[ "$(ready 1)" = 503 ]'
  start=$(now_ms)
  [ "$(ready 20)" = 503 ]
  [ $(($(now_ms) - start)) -lt 1500 ]
  redis_restart
  wait_until 10 is_ready
}

@test "it is ready as soon as Redis lets it in" {
  r acl setuser guest on '>right' '~*' '+@all'
  CHAT_URL=unix://guest:wrong@$REDIS_SOCK serve_start room
  [ "$(ready 5)" = 503 ]
  r acl setuser guest '>wrong'
  is_ready
  r acl setuser guest -ping
  [ "$(ready 1)" = 503 ]
  r acl deluser guest
}

@test "it is not ready when it has been told to stop" {
  serve_to_end --drain 0
  kill -STOP "$SERVER"
  QUEUE=()
  queue 1 'GET /health/ready HTTP/1.0\r\n\r\n'
  kill "$SERVER"
  kill -CONT "$SERVER"
  answers_of_queue
  [ "$(status <0.answer)" = 503 ]
}

# --- Limits -----------------------------------------------------------------

@test "D06 one client too many is told to come back later" {
  local retry
  serve_start -v --max-conns 2 room
  follow_all 2
  http $events >answer
  grep -qx ': too many clients' answer
  retry=$(sed -n 's/^retry: //p' answer)
  [ "$retry" -ge 15000 ] && [ "$retry" -le 45000 ]
  run ! grep chat-open answer
  wait_until 5 logged '127.0.0.1 room too-many '
  http -i "$events?strict=1" >answer
  head -n 1 answer | grep -q ' 429 '
  retry=$(tr -d '\r' <answer | sed -n 's/^Retry-After: //p')
  [ "$retry" -ge 15 ] && [ "$retry" -le 46 ]
  [ "$(http /health)" = ok ]
  end "$SPAWNED"
  follow next $events
  wait_until 5 has next 'event: chat-open'
}

@test "D12 one address may not have more than its share" {
  serve_start --max-conns-per-peer 1 room
  follow_all 1
  http $events | grep -qx ': too many clients'
  follow other --interface 127.0.0.2 $events
  wait_until 5 has other 'event: chat-open'
  end "$SPAWNED"
  follow again --interface 127.0.0.2 $events
  wait_until 5 has again 'event: chat-open'
}

@test "D12 an address that goes far beyond its share is cut off" {
  local i
  serve_start -v --max-conns-per-peer 2 room
  follow_all 2
  for i in 5 6; do
    eval "exec $i<>/dev/tcp/127.0.0.1/$PORT"
  done
  exec 7<>"/dev/tcp/127.0.0.1/$PORT"
  run cat <&7
  [ -z "$output" ]
  wait_until 5 logged '127.0.0.1 - too-many 0B'
  [ "$(http --interface 127.0.0.2 /health)" = ok ]
  exec 5>&- 6>&- 7>&-
}

@test "D07 with few files there are few clients, and Redis is still read" {
  local i
  spawn_limited() {
    PORT=$(free_port)
    SERVE_LOG=$PWD/serve.err
    spawn serve prlimit --nofile=64 chat-sse-serve -v -l "$PORT" room
    SERVE_GROUP=$SPAWNED
    wait_until 10 port_listens "$PORT"
  }
  spawn_limited
  logged 'allows for 24 connections only'
  follow_all 24
  http $events | grep -qx ': too many clients'
  r xadd chat:room '*' data hello
  for i in {1..24}; do
    wait_until 10 has "c$i" 'data: hello'
  done
}

@test "D07 without any file left accepting pauses, until there is one" {
  serve_start -v room
  follow_all 2
  prlimit --pid "$SERVE_GROUP" --nofile=8:1024
  follow late $events
  wait_until 5 logged 'accept: Too many open files'
  r xadd chat:room '*' data hello
  wait_until 5 has c2 'data: hello'
  never_within 1 has late 'event: chat-open'
  [ "$(grep -c 'accept:' "$SERVE_LOG")" = 1 ]
  prlimit --pid "$SERVE_GROUP" --nofile=1024:1024
  wait_until 5 has late 'event: chat-open'
}

@test "D10 a stream ends at a time of its own, behind an event" {
  serve_start -v --max-lifetime 1s room
  follow_all 3
  chat-pub room hello
  for i in 1 2 3; do
    wait_until 5 grep -q '^: come back' "c$i.out"
    has "c$i" 'data: hello'
    [ "$(tail -n 1 "c$i.out")" = ': come back' ]
  done
  wait_until 5 eval '[ "$(grep -c " room lifetime " "$SERVE_LOG")" = 3 ]'
  grep -o '[0-9.]*s$' "$SERVE_LOG" | while read -r s; do
    awk -v s="${s%s}" 'BEGIN { exit !(s >= 0.7 && s <= 1.5) }'
  done
}

# --- The end ----------------------------------------------------------------

# The status of the server will be in the file `status`.
serve_to_end() {
  PORT=$(free_port)
  SERVE_LOG=$PWD/serve.err
  spawn serve sh -c '"$@"; echo $? >status' sh \
    chat-sse-serve -v -l "$PORT" "$@" room
  wait_until 10 port_listens "$PORT"
  SERVER=$(pgrep -g "$SPAWNED" chat-sse)
}

ended_clients() {
  grep -c ' room terminated ' serve.err || true
}

@test "D08 TERM ends all streams behind an event, spread over the time" {
  local i
  serve_to_end --drain 2s
  follow_all 20
  chat-pub room hello
  for i in {1..20}; do
    wait_until 5 has "c$i" 'data: hello'
  done
  kill "$SERVER"
  wait_until 2 eval '! port_listens $PORT'
  wait_until 5 eval '[ "$(ended_clients)" -ge 5 ]'
  [ "$(ended_clients)" -le 15 ]
  # Those that are left are served.
  chat-pub room 'to the last'
  wait_until 5 test -s status
  [ "$(cat status)" = 0 ]
  [ "$(ended_clients)" = 20 ]
  [ "$(grep -l 'to the last' c*.out | wc -l)" -ge 1 ]
  for i in {1..20}; do
    [ "$(tail -n 1 "c$i.out")" = ': come back' ]
    grep -Eqx 'retry: [123][0-9]{3}' "c$i.out"
  done
  [ "$(grep -h '^retry' c*.out | sort -u | wc -l)" -gt 20 ]
}

@test "D09 a second TERM ends it at once" {
  serve_to_end --drain inf
  follow_all 1
  kill "$SERVER"
  wait_until 2 eval '! port_listens $PORT'
  chat-pub room still
  wait_until 5 has c1 'data: still'
  kill "$SERVER"
  wait_until 2 test -s status
  [ "$(cat status)" = 143 ]
}

@test "TERM without clients ends it at once, with status 0" {
  serve_to_end
  kill "$SERVER"
  wait_until 2 test -s status
  [ "$(cat status)" = 0 ]
}

# queue N FORMAT [ARG...]: so many connections, on each of which this was sent;
# their descriptors are added to $QUEUE.
queue() {
  local fd i
  for ((i = 0; i < $1; i++)); do
    exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
    # shellcheck disable=SC2059
    printf "${@:2}" >&"$fd"
    QUEUE+=("$fd")
  done
}

# The answers of all of these to 0.answer, 1.answer ...; a reset is an error.
answers_of_queue() {
  local fd i=0
  for fd in "${QUEUE[@]}"; do
    timeout 10 cat <&"$fd" >$i.answer
    exec {fd}>&-
    i=$((i + 1))
  done
}

# What came while the server could do nothing, and then was told to stop.
stop_with_queue() {
  kill -STOP "$SERVER"
  QUEUE=()
  queue 120 'GET %s HTTP/1.0\r\n\r\n' $events
  queue 10 'GET %s?strict=1 HTTP/1.0\r\n\r\n' $events
  queue 10 'GET /health HTTP/1.0\r\n\r\n'
  kill "$SERVER"
  kill -CONT "$SERVER"
  answers_of_queue
  wait_until 5 test -s status
  [ "$(cat status)" = 0 ]
}

@test "who waits to be accepted when TERM comes is served and sent away" {
  local i
  serve_to_end --drain 1s
  follow_all 2
  stop_with_queue
  for ((i = 0; i < 130; i++)); do
    [ "$(status <$i.answer)" = 200 ]
    [ "$(tail -n 1 $i.answer)" = ': come back' ]
    grep -Eqx 'retry: [123][0-9]{3}' $i.answer
  done
  for ((; i < 140; i++)); do
    [ "$(body_of <$i.answer)" = ok ]
  done
  [ "$(ended_clients)" = 132 ]
}

@test "the same without time to drain" {
  local i
  serve_to_end --drain 0
  stop_with_queue
  for ((i = 0; i < 120; i++)); do
    [ "$(status <$i.answer)" = 200 ]
    [ "$(tail -n 1 $i.answer)" = ': come back' ]
  done
  for ((; i < 130; i++)); do
    [ "$(status <$i.answer)" = 503 ]
  done
  for ((; i < 140; i++)); do
    [ "$(body_of <$i.answer)" = ok ]
  done
}

@test "a request that is late when TERM comes is waited for, but not for ever" {
  serve_to_end --drain 0
  SERVE_GROUP=$SERVER
  FILES=$(files)
  QUEUE=()
  queue 2 'GET %s HTTP/1.0\r\n' $events
  wait_until 5 has_clients 2
  kill "$SERVER"
  wait_until 2 eval '! port_listens $PORT'
  printf '\r\n' >&"${QUEUE[0]}"
  answers_of_queue
  grep -qx ': come back' 0.answer
  [ "$(status <1.answer)" = 408 ]
  wait_until 5 test -s status
  [ "$(cat status)" = 0 ]
}

# --- HUP --------------------------------------------------------------------

# serve_by CONFIG [OPTION...]: by a configuration file, conf.
serve_by() {
  echo "$1" >conf
  serve_start -v --config conf "${@:2}" room
}

# reload CONFIG: read this instead; FILE is the number of lines of the log.
reload() {
  local lines
  lines=$(wc -l <"$SERVE_LOG")
  echo "$1" >conf
  kill -HUP "$SERVE_GROUP"
  wait_until 5 eval "[ \"\$(wc -l <\"$SERVE_LOG\")\" -gt $lines ]"
}

@test "HUP reads the options again, and loses no client" {
  local beats i
  serve_by $'[chat-sse-serve]\nheartbeat = inf\nmax-conns = 2'
  follow_all 2
  http $events | grep -qx ': too many clients'
  run ! http -f -d data=x /chat/room/messages
  reload $'[chat-sse-serve]\nheartbeat = 100ms\nmax-conns = 3\npublish = yes
    \nmaxlen = 2'
  logged 'read again'
  follow c3 $events
  wait_until 5 has c3 'event: chat-open'
  wait_until 5 eval '[ "$(grep -cx : c3.out)" -ge 3 ]'
  for i in 1 2 3 4; do
    http -f -d "data=after $i" /chat/room/messages
  done
  for i in 1 2 3; do
    wait_until 5 has c$i 'data: after 4'
  done
  [ "$(r xlen chat:room)" = 2 ]
  http $events | grep -qx ': too many clients'
  # A heartbeat that is taken back stops.
  reload $'[chat-sse-serve]\nheartbeat = 0'
  beats=$(grep -cx : c3.out)
  never_within 1 eval '[ "$(grep -cx : c3.out)" -gt $((beats + 1)) ]'
  r xadd chat:room '*' data still
  wait_until 5 has c3 'data: still'
  run ! http -f -d data=x /chat/room/messages
}

@test "HUP leaves what the command line or the environment says" {
  serve_by '' --max-conns 1
  follow_all 1
  reload $'[chat-sse-serve]\nmax-conns = 5\npage = conf'
  http $events | grep -qx ': too many clients'
  [ "$(http / | tail -n 1)" = 'page = conf' ]
}

@test "HUP warns of what takes a restart, and takes over the rest" {
  local name url=$CHAT_URL
  PORT=$(free_port)
  SERVE_LOG=$PWD/serve.err
  echo "url = $CHAT_URL
    [chat-sse-serve]
    listen = $PORT" >conf
  unset CHAT_URL
  spawn serve chat-sse-serve -v --config conf room
  SERVE_GROUP=$SPAWNED
  wait_until 10 port_listens "$PORT"
  follow_all 1
  reload 'url = redis://127.0.0.1:1
    prefix = other:
    field = other
    [chat-sse-serve]
    listen = /nowhere
    page = conf'
  wait_until 5 eval '[ "$(restarts_wanted)" = 4 ]'
  for name in url prefix field listen; do
    logged "warn: --$name: changes with a restart only"
  done
  r xadd chat:room '*' data hello
  wait_until 5 has c1 'data: hello'
  http / | grep -q 'page = conf'
  # What was read before is not used any more.
  reload "url = $url
    [chat-sse-serve]
    listen = $PORT
    lines = 1
    page = conf"
  http / | grep -q 'lines = 1'
  follow next $events
  wait_until 5 has next 'data: hello'
  [ "$(restarts_wanted)" = 4 ]
}

restarts_wanted() {
  grep -c 'changes with a restart only' "$SERVE_LOG"
}

@test "HUP changes nothing when there is an error" {
  local bad
  serve_by $'[chat-sse-serve]\nmax-conns = 1'
  follow_all 1
  for bad in 'max-conns = 0' 'max-conns = x' 'max-conns' 'nonsense = 1' \
    'inetd = yes' 'offset = x' 'lines = -1' 'max-size = -1'; do
    reload $'[chat-sse-serve]\npage = conf\nmax-conns = 2\n'"$bad"
    tail -n 1 "$SERVE_LOG" | grep -q 'error: .*; all stays as it is'
  done
  rm conf
  kill -HUP "$SERVE_GROUP"
  wait_until 5 logged 'conf: No such file'
  http $events | grep -qx ': too many clients'
  http -i / | grep -q ' 404 '
}

@test "HUP reads the password again, for the next connection" {
  REDIS_DIR=$PWD/redis
  redis_start --requirepass one
  echo one >password
  echo >conf
  serve_start -v --config conf --password-file password room
  follow_all 1
  is_ready
  r -a one config set requirepass two
  echo two >password
  reload ''
  r -a two client kill type normal skipme yes
  wait_until 10 is_ready
  r -a two xadd chat:room '*' data hello
  wait_until 10 has c1 'data: hello'
  rm password
  reload ''
  tail -n 1 "$SERVE_LOG" | grep -q 'error: password: No such file'
  redis_stop
}

@test "a password in the URL survives HUP" {
  r acl setuser guest on '>right' '~*' '+@all'
  echo >conf
  serve_start -v --config conf -u "unix://guest:right@$REDIS_SOCK" room
  reload ''
  follow_all 1
  is_ready
  run ! grep -a right "/proc/$SERVE_GROUP/cmdline"
  r acl deluser guest
}

@test "HUP ends one that has a terminal" {
  PORT=$(free_port)
  spawn tty script -qec "exec chat-sse-serve --drain 0 -l $PORT room" typescript
  wait_until 10 port_listens "$PORT"
  follow_all 1
  kill -HUP "$(pgrep -f -- "-l $PORT room" | tail -n 1)"
  wait_until 5 eval '! port_listens $PORT'
  wait_until 5 has c1 ': come back'
}

# --- Sockets ----------------------------------------------------------------

# On the unix socket `sock`.
serve_unix() {
  spawn unix chat-sse-serve -l "$PWD/sock" room
  wait_until 5 healthy
}

healthy() {
  [ "$(curl -sS --unix-socket sock http://x/health)" = ok ]
}

@test "a unix socket" {
  serve_unix
  spawn c1 curl -sSN --unix-socket sock "http://x$events"
  wait_until 5 has c1 'event: chat-open'
  r xadd chat:room '*' data hello
  wait_until 5 has c1 'data: hello'
  end "$SPAWNED"
}

@test "a unix socket goes with its server, and is left alone if it is another's" {
  serve_unix
  end "$SPAWNED"
  [ ! -e sock ]
  serve_unix
  first=$SPAWNED
  rm sock
  serve_unix
  end "$first"
  healthy
}

@test "a unix socket that was left is replaced, one in use is not, nor a file" {
  serve_unix
  run -71 chat-sse-serve -l "$PWD/sock" room
  [[ $output == *'sock: Address already in use' ]]
  healthy
  end "$SPAWNED" KILL
  [ -S sock ]
  serve_unix
  echo precious >file
  run -71 chat-sse-serve -l "$PWD/file" room
  [ "$(cat file)" = precious ]
}

@test "several addresses, of either family" {
  local one two
  one=$(free_port)
  two=$(free_port)
  spawn serve chat-sse-serve -l "$one" -l "localhost:$two" -l "$PWD/sock" room
  wait_until 5 healthy
  [ "$(curl -sS --noproxy '*' "http://127.0.0.1:$one/health")" = ok ]
  [ "$(curl -sS --noproxy '*' "http://localhost:$two/health")" = ok ]
  run ! curl -sS --interface 127.0.0.2 --noproxy '*' "http://127.0.0.2:$one/health"
  run -71 chat-sse-serve -l "$one" room
  [[ $output == *": Address already in use" ]]
}

# share NAME [OPTION...]: one more on $PORT, once it listens.
share() {
  local n
  n=$(listeners)
  spawn "$1" chat-sse-serve -v --drain 0 -l "$PORT" --reuse-port "${@:2}" room
  wait_until 5 eval "[ \"\$(listeners)\" -gt $n ]"
}

listeners() {
  awk -v p="$(printf %04X "$PORT")" \
    '$2 ~ ":" p "$" && $4 == "0A" { n++ } END { print n + 0 }' /proc/net/tcp
}

@test "a port is shared by those who say so, and all get clients" {
  local one two
  PORT=$(free_port)
  share one
  one=$SPAWNED
  run -71 chat-sse-serve -l "$PORT" room
  [[ $output == *"$PORT: Address already in use" ]]
  share two
  two=$SPAWNED
  follow_all 40
  end "$one"
  # Those of the other remain, and all who come are its.
  QUEUE=()
  queue 20 'GET /health HTTP/1.0\r\n\r\n'
  answers_of_queue
  end "$two"
  [ "$(grep -c ' - 200 ' one.err)" = 0 ]
  [ "$(grep -c ' - 200 ' two.err)" = 20 ]
  [ "$(grep -c ' room terminated ' one.err)" -gt 0 ]
  [ "$(grep -c ' room terminated ' two.err)" -gt 0 ]
  [ "$(cat one.err two.err | grep -c ' room terminated ')" = 40 ]
}

@test "who waits at a shared port is not lost with one of its processes" {
  local one
  PORT=$(free_port)
  share one
  one=$SPAWNED
  share two
  kill -STOP -- "-$one"
  QUEUE=()
  queue 40 'GET /health HTTP/1.0\r\n\r\n'
  kill -TERM -- "-$one"
  kill -CONT -- "-$one"
  answers_of_queue
  wait_until 5 gone "$one"
  [ "$(cat ./*.answer | grep -cx ok)" = 40 ]
  [ "$(grep -c ' - 200 ' one.err)" -gt 0 ]
}

@test "usage errors" {
  local address
  run -64 chat-sse-serve -i -l 8080 room
  run -64 chat-sse-serve -l 8080
  run -64 chat-sse-serve -i --reuse-port room
  run -64 chat-sse-serve -l 8080 --max-conns 0 room
  for address in '' : x 65536 host: :80 ::1:80 '[]:80' -1 1x sock; do
    run -64 chat-sse-serve -l "$address" room
  done
}

# --- The service manager ----------------------------------------------------

@test "it says when it is ready, alive, how many clients there are, and its end" {
  spawn notified socat -u UNIX-RECV:notify -
  wait_until 5 test -S notify
  NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=400000 serve_start room
  wait_until 5 has_said 'READY=1'
  follow_all 1
  wait_until 5 has_said 'STATUS=1 client'
  wait_until 5 has_said 'WATCHDOG=1.*WATCHDOG=1'
  end "$SPAWNED"
  wait_until 5 has_said 'STATUS=1 client.*STATUS=0 clients'
  end "$SERVE_GROUP"
  wait_until 5 has_said 'STOPPING=1'
}

@test "it says when it reads its options again" {
  spawn notified socat -u UNIX-RECV:notify -
  wait_until 5 test -S notify
  NOTIFY_SOCKET=$PWD/notify serve_by ''
  wait_until 5 has_said 'READY=1'
  reload ''
  wait_until 5 has_said 'RELOADING=1 MONOTONIC_USEC=[0-9]*READY=1'
  reload 'bad'
  wait_until 5 has_said 'RELOADING=1.*RELOADING=1 MONOTONIC_USEC=[0-9]*READY=1'
}

# Datagrams come without a line's end.
has_said() {
  tr '\n' ' ' <notified.out | grep -q "$1"
}
