# Where a stream begins, and how history and what comes live are joined: the
# same over two pipes, with a process for each connection, and with one process
# for all.

load helpers/common
load helpers/http
load helpers/modes
load helpers/follow

setup_file() {
  redis_start
  serve_both room one two
}

teardown_file() {
  end_spawned
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(room one two)
}

teardown() {
  end_spawned
}

# fill N: entries 1-0 to N-0 with the texts m1 to mN.
fill() {
  local i
  for ((i = 1; i <= $1; i++)); do
    echo "xadd chat:room $i-0 data m$i"
  done | r >/dev/null
}

starts_with() {
  local got
  got=$(get "${@:2}" | messages | xargs)
  [ "$got" = "$1" ] || {
    echo "'$got' instead of '$1' for: ${*:2}" >&2
    return 1
  }
}

# starts TEXTS PATH [HEADER...]: with these messages, in order.
starts() {
  each_way starts_with "$@"
}

ids() {
  chat-replay -F id room
}

# The ids of the messages in an answer, or in a stream.
ids_of() {
  awk '/^id: / { id = $2 }
    /^event: chat-/ { own = 1 }
    /^data: / { data = 1 }
    /^$/ { if (data && !own) print id; own = data = 0 }' "$@"
}

# joins [CURL-OPTION...] PATH: a client of this server, once its stream is open.
joins() {
  follow "$SERVE_MODE" "$@"
  wait_until 5 has "$SERVE_MODE" 'event: chat-open'
}

gets_live() {
  wait_until 5 has "$SERVE_MODE" "data: $1"
}

# saw TEXTS
saw() {
  [ "$(messages <"$SERVE_MODE.out" | xargs)" = "$1" ]
}

# --- Where to start -----------------------------------------------------------

@test "R01 R07 from the beginning: all that is stored" {
  fill 5
  starts 'm1 m2 m3 m4 m5' "$events?last_event_id=0-0"
  starts 'm1 m2 m3 m4 m5' $events 'Last-Event-ID: 0-0'
  starts 'm1 m2 m3 m4 m5' "$events?since=1970-01-01"
  starts 'm1 m2 m3 m4 m5' "$events?last=5"
  ARGS=(-o beginning room)
  starts_with 'm1 m2 m3 m4 m5' $events
  over_sockets starts_with 'm1 m2 m3 m4 m5' $events
}

@test "R02 Last-Event-ID: what is behind it, then live" {
  fill 5
  starts 'm4 m5' $events 'Last-Event-ID: 3-0'
  both joins -H 'Last-Event-ID: 3-0' $events
  r xadd chat:room 6-0 data m6
  both gets_live m6
  both saw 'm4 m5 m6'
}

@test "R03 R05 the same by the query, with escapes there, not in the header" {
  fill 5
  starts 'm4 m5' "$events?last_event_id=3-0"
  starts 'm4 m5' "$events?lastEventId=3-0"
  starts 'm4 m5' "$events?lastEventId=3%2D0&x=y&&z"
  starts 'm4 m5' "$events?last_event_id=%33-%30"
  both joins -H 'Last-Event-ID: 3%2D0' $events
  both gets_gap bad-cursor
}

gets_gap() {
  wait_until 5 grep -q "\"reason\":\"$1\"" "$SERVE_MODE.out"
  [ "$(grep -c '^event: chat-gap' "$SERVE_MODE.out")" = 1 ]
}

@test "R04 the header counts more than the query" {
  fill 5
  starts 'm5' "$events?last_event_id=1-0" 'Last-Event-ID: 4-0'
  starts 'm5' "$events?last=3" 'Last-Event-ID: 4-0'
  starts 'm5' "$events?since=1970-01-01" 'Last-Event-ID: 4-0'
  starts 'm5' "$events?last=3&last_event_id=4-0"
  starts 'm5' "$events?last_event_id=4-0&last=3"
}

@test "R06 an empty Last-Event-ID is none" {
  fill 5
  starts '' $events 'Last-Event-ID:'
  starts '' "$events?last_event_id="
  starts 'm4 m5' "$events?last=2&last_event_id=" 'Last-Event-ID: '
}

@test "R08 J03 without a position: what comes, and nothing from before" {
  fill 5
  starts '' $events
  starts '' "$events?last=0"
  both joins $events
  r xadd chat:room 6-0 data m6
  both gets_live m6
  both saw m6
}

@test "R09 the last ones, from the third, more than there are" {
  fill 5
  starts 'm3 m4 m5' "$events?last=3"
  starts 'm3 m4 m5' "$events?last_event_id=2-18446744073709551615"
  starts 'm3 m4 m5' "$events?last_event_id=2-0"
  starts 'm1 m2 m3 m4 m5' "$events?last=99"
  starts 'm1 m2 m3 m4 m5' "$events?last=18446744073709551615"
}

@test "R11 an id from the future is told, and what comes is seen" {
  fill 3
  both joins "$events?last_event_id=99-0"
  both gets_gap rewound
  r xadd chat:room 4-0 data m4
  both gets_live m4
  both saw m4
}

bad_header() {
  get $events "Last-Event-ID: $1" >answer
  [ "$(status <answer)" = 200 ]
  [ "$(grep -A 2 -x 'id: 3-0' answer | tail -n 2)" = 'event: chat-gap
data: {"channel":"room","reason":"bad-cursor","certain":false}' ]
  [ "$(grep -c '^event: chat-gap' answer)" = 1 ]
  [ -z "$(messages <answer)" ]
}

@test "R12 garbage as Last-Event-ID is told as a gap" {
  local id
  fill 3
  for id in x 5 - 1- -1 1-2-3 18446744073709551616-0 0-18446744073709551616 +5-0 \
    0x1-0 '1 -0' 5,5 '$' '*' "$(printf %04096d 9)" $'\xff'; do
    each_way bad_header "$id"
  done
  # Then it is as without one.
  starts m3 "$events?last=1" 'Last-Event-ID: x'
  ARGS=(-n 2 room)
  starts_with 'm2 m3' $events 'Last-Event-ID: x'
  each_way answers 400 "GET $events HTTP/1.0\r\nLast-Event-ID: 1\\000-0\r\n\r\n"
}

@test "R12 R20 garbage in the query is refused" {
  local query
  for query in last_event_id={x,5,-,1-,-1,1-2-3,18446744073709551616-0,+5-0,%00} \
    last_event_id={1-0%00,1-0+,+1-0,'1-0,2-0','$',%,"$(printf %04000d 9)"} \
    lastEventId=x 'last_event_id=1-0&last_event_id=1-0' \
    'last_event_id=1-0&lastEventId=1-0' last={x,-1,1.5,1+} strict=yes \
    'last=1&last=1'; do
    each_way answers 400 'GET %s?%s HTTP/1.0\r\n\r\n' $events "$query"
  done
  [ "${query:0:4}" = last ]
}

@test "R13 the id of the very last message: nothing, then live" {
  fill 5
  starts '' $events 'Last-Event-ID: 5-0'
  both joins -H 'Last-Event-ID: 5-0' $events
  r xadd chat:room 5-1 data m6
  both gets_live m6
  both saw m6
}

two_at_once() {
  follow "$SERVE_MODE.a" -H 'Last-Event-ID: 1-0' $events
  follow "$SERVE_MODE.b" -H 'Last-Event-ID: 4-0' $events
}

two_saw() {
  wait_until 5 has "$SERVE_MODE.a" 'data: m6'
  wait_until 5 has "$SERVE_MODE.b" 'data: m6'
  [ "$(messages <"$SERVE_MODE.a.out" | xargs)" = 'm2 m3 m4 m5 m6' ]
  [ "$(messages <"$SERVE_MODE.b.out" | xargs)" = 'm5 m6' ]
}

@test "R14 two at once, each from where it was" {
  fill 5
  both two_at_once
  r xadd chat:room 6-0 data m6
  both two_saw
}

most_memory() {
  awk '$1 == "VmHWM:" { print $2 }' "/proc/$GROUP_listen/status"
}

long_history() {
  local start
  for start in 0-0 50000-0 99999-0 100000-0; do
    get "$events?last_event_id=$start" | ids_of |
      cmp - <(seq -f %.0f-0 $((${start%-0} + 1)) 100000)
  done
}

@test "R15 100 000 messages of history" {
  local before
  r eval 'for i = 1, 100000 do
    redis.call("xadd", KEYS[1], i .. "-0", "data", "message " .. i) end' 1 \
    chat:room
  before=$(most_memory)
  each_way long_history
  grep -q __asan_init "$BUILD/chat-sse-serve" ||
    [ "$(most_memory)" -lt $((before + 4096)) ]
}

@test "R16 the same text twice is two messages" {
  r xadd chat:room 1-0 data same mid x
  r xadd chat:room 1-1 data same mid x
  starts 'same same' "$events?last=9"
  starts same "$events?last_event_id=1-0"
}

cursors() {
  local id
  id=$(chat-tail -e -n 3 -c 1 -F id room)
  [ "$id" = 3-0 ]
  starts_with 'm4 m5' $events "Last-Event-ID: $id"
  id=$(get "$events?last=9" | ids_of | sed -n 2p)
  [ "$(chat-tail -e -a "$id" room | xargs)" = 'm3 m4 m5' ]
  id=$(get "$events?last=2" | field Chat-Cursor)
  [ "$(chat-replay -a "$id" room | xargs)" = 'm4 m5' ]
  [ "$id" = "$(chat-replay -c 3 -F id room | tail -n 1)" ]
}

@test "R17 positions of chat-tail, chat-replay and streams are the same" {
  fill 5
  each_way cursors
}

cut_everywhere() {
  "$BUILD/tests/bench/cut" "$PORT" "$events?last=9" >cut.out || {
    cat cut.out >&2
    return 1
  }
  [ "$(sed -n 's/^cut \([0-9]*\) times$/\1/p' cut.out)" -gt 400 ]
}

@test "R18 cut at every byte of an answer: nothing is lost or comes twice" {
  chat-pub room one $'two\nlines' '' four END
  both cut_everywhere
}

resumes_behind() {
  local id
  id=$(get $events | body_of | sed -n 's/^id: //p')
  r xadd chat:room "$(($(r xlen chat:room) + 1))-0" data new
  starts_with new $events "Last-Event-ID: $id"
}

@test "R19 cut before the first message: it goes on from where it began" {
  fill 5
  each_way resumes_behind
}

# --- Gaps of several channels -------------------------------------------------

gap_of_one() {
  local cursor
  r flushall
  for i in 1 2 3; do
    r xadd chat:one "$i-0" data "one$i"
    r xadd chat:two "$i-5" data "two$i"
  done
  cursor=$(get '/events?channel=one&channel=two&last=9' | body_of |
    sed -n 's/^id: //p' | tail -n 1)
  for i in 4 5 6 7; do
    r xadd chat:one "$i-0" data "one$i"
    r xadd chat:two "$i-5" data "two$i"
  done
  r xtrim chat:one maxlen 1
  get '/events?channel=two&channel=one' "Last-Event-ID: $cursor" >answer
  [ "$(messages <answer | jq -r .data 2>/dev/null | xargs)" = '' ]
  [ "$(grep -c '^event: chat-gap' answer)" = 1 ]
  grep -A 1 '^event: chat-gap' answer | sed -n 's/^data: //p' |
    jq -e '.channel == "one" and .reason == "trimmed"'
  [ "$(messages <answer | grep -o 'two[0-9]' | xargs)" = 'two4 two5 two6 two7' ]
  [ "$(messages <answer | grep -o 'one[0-9]')" = one7 ]
}

@test "G04 one of two channels has been trimmed: it alone has a gap" {
  each_way gap_of_one
}

# --- History and live ---------------------------------------------------------

# Each of the clients got what came behind its first cursor, once and in order.
joined() {
  local i first
  for i in {1..10}; do
    wait_until 10 has "$SERVE_MODE.$i" 'data: END'
    first=$(sed -n 's/^id: //p' "$SERVE_MODE.$i.out" | head -n 1)
    ids_of "$SERVE_MODE.$i.out" | cmp - <(sed "1,/^$first\$/d" ids)
  done
}

@test "J01 J03 who joins while many publish gets all from then on" {
  local i n
  r xadd chat:room '*' data first
  for n in 1 2 3 4; do
    spawn "pub$n" redis-cli -s "$REDIS_SOCK" -r 2000 -i 0.0005 \
      xadd chat:room '*' data x
  done
  for i in {1..10}; do
    for SERVE_MODE in accept listen; do
      n=PORT_$SERVE_MODE
      PORT=${!n} follow "$SERVE_MODE.$i" $events
    done
    wait_until 10 has "listen.$i" 'event: chat-open'
  done
  for i in $(head -n 4 spawned); do
    wait_until 20 gone "$i"
  done
  r xadd chat:room '*' data END
  ids >ids
  both joined
}

# marked I: the marker stands between the last one before and the first one after.
marked() {
  [ "$(grep -c '^event: chat-live' "$SERVE_MODE.out")" = 1 ]
  [ "$(awk '/^id: /{ id = $2 } /^event: chat-live/ { print id }' \
    "$SERVE_MODE.out")" = 5-0 ]
  [ "$(grep -E '^(data: m|event: chat-live)' "$SERVE_MODE.out" | xargs)" = \
    'data: m1 data: m2 data: m3 data: m4 data: m5 event: chat-live data: m6' ]
}

@test "J02 marker=1: once, between history and live" {
  fill 5
  both joins "$events?marker=1&last=99"
  both eval 'wait_until 5 has "$SERVE_MODE" "event: chat-live"'
  r xadd chat:room 6-0 data m6
  both gets_live m6
  both marked
}

@test "J04 10 000 messages at once keep their order" {
  both joins $events
  seq 10000 | sed 's/.*/xadd chat:room * data m&/' | r --pipe >/dev/null
  both gets_live m10000
  both eval 'messages <"$SERVE_MODE.out" | cmp - <(seq -f m%.0f 10000)'
}

# all_of N: so many clients, each of which gets all of 100 messages.
all_of() {
  local dir=$SERVE_MODE.$1
  mkdir "$dir"
  r del chat:room
  spawn "$dir.many" "$BUILD/tests/bench/follow" "$PORT" $events "$1" "$dir"
  wait_until 60 eval "[ \"\$(grep -l 'event: chat-open' $dir/* | wc -l)\" = $1 ]"
  {
    seq -f m%.0f 100
    echo END
  } | chat-pub room
  wait_until 60 gone "$SPAWNED"
  awk '
    FNR == 1 { n = 0 }
    /^data: m/ && $2 != "m" ++n { exit failed = 1 }
    /^data: END/ { whole += n == 100 }
    END { exit failed || whole != '"$1"' }' "$dir"/*
}

@test "J05 any number of clients, each message once to each" {
  local n
  ulimit -n "$(ulimit -H -n)"
  SERVE_MODE=listen serve_start room
  for n in 3 20 400 2000; do
    all_of $n
  done
  serve_stop
  SERVE_MODE=accept PORT=$PORT_accept
  for n in 3 20 100; do
    all_of $n
  done
}

# Those that read from Redis.
readers() {
  pgrep -g "$GROUP_accept,$GROUP_listen" -x chat-sse-serve
}

reading() {
  [ "$(r client list | grep -c ' cmd=xread ')" = 2 ]
}

@test "J06 what comes between two reads is not missed" {
  local i
  both joins $events
  wait_until 5 reading
  for i in 1 2 3 4 5; do
    readers | xargs kill -STOP
    # The first one ends the read, and nobody asks for the second.
    r xadd chat:room '*' data "a$i"
    r xadd chat:room '*' data "b$i"
    readers | xargs kill -CONT
    both gets_live "b$i"
    wait_until 5 reading
  done
  both saw 'a1 b1 a2 b2 a3 b3 a4 b4 a5 b5'
}
