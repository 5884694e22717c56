# A cursor that the stream no longer covers is told, once and with the right
# reason; one that it covers is not. The same to chat-tail, chat-replay and an
# SSE client, of a process of its own and of one for all.

load helpers/common
load helpers/http
load helpers/modes
load helpers/follow

setup_file() {
  redis_start
  serve_both room
}

teardown_file() {
  end_spawned
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(room)
}

teardown() {
  end_spawned
}

# fill FROM TO: entries FROM-0 to TO-0 with their numbers as texts.
fill() {
  local i
  for ((i = $1; i <= $2; i++)); do
    echo "xadd chat:room $i-0 data $i"
  done | r >/dev/null
}

# From the messages of a program: `reason after` of each gap.
told() {
  sed -n 's/^chat-[a-z]*: warn: room: .* after \([0-9-]*\) (\(.*\))$/\2 \1/p' \
    err
}

# The same from an SSE answer.
told_sse() {
  grep -A 1 '^event: chat-gap' answer | sed -n 's/^data: //p' |
    jq -r '[.reason, .after] | join(" ")'
}

sees_sse() {
  get $events "Last-Event-ID: $1" >answer
  [ "$(messages <answer | xargs)" = "$3" ]
  [ "$(told_sse)" = "$2" ]
}

# sees CURSOR GAPS MESSAGES: each kind of reader does, from that cursor.
sees() {
  local program
  for program in 'chat-tail -e' chat-replay; do
    # shellcheck disable=SC2086
    [ "$($program -a "$1" room 2>err | xargs)" = "$3" ]
    [ "$(told)" = "$2" ]
  done
  each_way sees_sse "$@"
}

# The data of the one gap in the last answer.
gap() {
  grep -A 1 '^event: chat-gap' answer | sed -n 's/^data: //p' |
    jq -c "$1"
}

@test "G01 trimmed past the cursor" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 3-0 'trimmed 3-0' '6 7 8 9'
  [ "$(gap .first)" = '"6-0"' ]
  [ "$(gap .channel)" = '"room"' ]
}

@test "G02 G03 trimmed up to the cursor, or less: nothing is missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 6-0 '' '7 8 9'
  sees 7-0 '' '8 9'
  sees 9-0 '' ''
}

@test "G02 the only entry ever removed was the cursor's own: nothing is missing" {
  fill 1 3
  r xtrim chat:room minid 2-0
  sees 1-0 '' '2 3'
}

@test "from the beginning nothing can be missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 0-0 '' '6 7 8 9'
}

@test "G08 trimmed to nothing: told if the cursor was not the last" {
  fill 1 9
  r xtrim chat:room maxlen 0
  sees 9-0 '' ''
  sees 8-0 'trimmed 8-0' ''
}

@test "G05 deleted and made anew" {
  fill 1 3
  r del chat:room
  fill 5 6
  sees 3-0 'reset 3-0' '5 6'
}

@test "G05 deleted" {
  fill 1 3
  r del chat:room
  sees 3-0 'reset 3-0' ''
}

@test "R11 an empty stream, a cursor from the future" {
  sees 99-0 'reset 99-0' ''
  fill 1 3
  sees 99-0 'rewound 99-0' ''
  r xtrim chat:room maxlen 0
  sees 99-0 'rewound 99-0' ''
}

@test "a cursor that was never part of this stream" {
  fill 1 3
  fill 5 6
  sees 4-0 'diverged 4-0' '5 6'
}

@test "G07 a deleted entry is not a gap, whether it was the cursor or another" {
  fill 1 6
  r xdel chat:room 3-0 5-0
  sees 3-0 '' '4 6'
  sees 2-0 '' '4 6'
  r xdel chat:room 6-0
  sees 4-0 '' ''
}

@test "G01 dense ids tell how many are missing" {
  local i
  for i in {1..9}; do
    echo "xadd chat:room 0-$i data $i"
  done | r >/dev/null
  r xtrim chat:room minid 0-6
  sees 0-5 '' '6 7 8 9'
  sees 0-3 'trimmed 0-3' '6 7 8 9'
  [ "$(gap .lost)" = 2 ]
  [ "$(gap .certain)" = true ]
}

# What a page hears that listens for it: id and data.
hears_gap() {
  sees_sse 3-0 'trimmed 3-0' '6 7 8 9'
  "$BUILD/tests/bench/events" <answer | awk '$2 == "chat-gap"' >heard
  [ "$(wc -l <heard)" = 1 ]
  [ "$(cut -d ' ' -f 3 heard)" = "$(sed -n '/^event: chat-gap/{ n; s/^data: //p; }' \
    answer | tr -d '\n' | od -An -tx1 | tr -d ' \n')" ]
  sees_sse "$(cut -d ' ' -f 1 heard)" '' '6 7 8 9'
}

@test "G12 a gap is an event with data, and an id from which no more is missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  each_way hears_gap
}

# --- While connected ----------------------------------------------------------

# joins CURSOR [CURL-OPTION...]: a client of this server.
joins() {
  follow "$SERVE_MODE" "${@:2}" "$events?last_event_id=$1"
  wait_until 10 has "$SERVE_MODE" 'event: chat-open'
}

# sees_soon PATTERN
sees_soon() {
  wait_until 30 grep -qx "$1" "$SERVE_MODE.out"
}

# The client sees the beginning of each line.
joins_slowly() {
  spawn "$SERVE_MODE" bash -c "curl -sSN --noproxy '*' --limit-rate 5M \
    'http://127.0.0.1:$PORT$events?last_event_id=0-0' |
    sed -u 's/^\\(.\\{30\\}\\).*/\\1/'"
  wait_until 10 has "$SERVE_MODE" 'id: 1-0'
}

# The gap ends where the stream begins now.
overtaken() {
  sees_soon 'id: 1500-0'
  [ "$(grep -c '^event: chat-gap' "$SERVE_MODE.out")" = 1 ]
  [ "$(grep '^id: ' "$SERVE_MODE.out" | tail -n 5 | xargs)" = \
    'id: 1496-0 id: 1497-0 id: 1498-0 id: 1499-0 id: 1500-0' ]
  ! has "$SERVE_MODE" 'id: 1495-0'
}

@test "G09 a client that was overtaken by trimming is told" {
  local i
  for ((i = 1; i <= 1500; i++)); do
    printf 'xadd chat:room %d-0 data %020000d\n' "$i" "$i"
  done | r >/dev/null
  # They read slowly, so that most still waits in Redis.
  both joins_slowly
  r xtrim chat:room maxlen 5
  both overtaken
}

# burst N KEEP WORD: that many entries at once, WORD1 and so on, in a stream that
# keeps so many of them.
burst() {
  r eval 'for i = 1, tonumber(ARGV[1]) do
    redis.call("xadd", KEYS[1], "maxlen", "=", ARGV[2], "*", "data", ARGV[3] .. i)
  end' 1 "${CHANNEL:-chat:room}" "$@" >/dev/null
}

open_with() {
  grep -q "$1" open.out
}

gaps_told() {
  grep -A 1 '^event: chat-gap' open.out |
    sed -n 's/^data: //p' | jq -c '[.reason, .lost, .certain]' | xargs
}

# came WORD FROM TO: those and no others.
came() {
  diff <(seq -f "data: $1%g" "$2" "$3") \
    <(grep "^data: $1[0-9]" open.out)
}

at_once() {
  r flushall
  burst 10 10 old
  serve_start room
  spawn open curl -sSN "http://127.0.0.1:$PORT$events"
  wait_until 10 open_with '^event: chat-open'
  spawn tail chat-tail -F '%s' room
  wait_until 10 eval '[ "$(r info clients | grep -c blocked_clients:2)" = 1 ]'
  burst 50 10 a
  wait_until 10 open_with '^data: a50$'
  [ "$(gaps_told)" = '[trimmed,40,true]' ]
  came a 41 50
  burst 5 10 b
  wait_until 10 open_with '^data: b5$'
  came b 1 5
  burst 3000 1000 c
  wait_until 10 open_with '^data: c3000$'
  came c 2001 3000
  burst 900 1000 d
  wait_until 10 open_with '^data: d900$'
  came d 1 900
  [ "$(gaps_told)" = '[trimmed,40,true] [trimmed,2000,true]' ]
  wait_until 10 grep -qx d900 tail.out
  diff <(seq -f 'old%g' 10; seq -f 'a%g' 41 50; seq -f 'b%g' 5
    seq -f 'c%g' 2001 3000; seq -f 'd%g' 900) tail.out
  [ "$(grep -c 'warn: room: ' tail.err)" = 2 ]
  end_spawned
  serve_stop
}

@test "G09 while connected: more at once than the stream keeps is told" {
  at_once
  SERVE_MODE=listen at_once
}

@test "G09 while connected: a stream that keeps one entry" {
  local i
  burst 1 1 old
  SERVE_MODE=listen serve_start room
  spawn open curl -sSN "http://127.0.0.1:$PORT$events"
  wait_until 10 open_with '^event: chat-open'
  for ((i = 1; i <= 20; i++)); do
    burst 1 1 "a$i-"
    wait_until 10 open_with "^data: a$i-1\$"
  done
  [ -z "$(gaps_told)" ]
  burst 7 1 b
  wait_until 10 open_with '^data: b7$'
  [ "$(gaps_told)" = '[trimmed,6,true]' ]
  came b 7 7
}

told_reset() {
  sees_soon 'data: .*"reason":"reset".*'
}

went_on() {
  sees_soon 'data: again'
  [ "$(messages <"$SERVE_MODE.out" | xargs)" = '3 again' ]
  [ "$(grep -c '^event: chat-gap' "$SERVE_MODE.out")" = 1 ]
}

@test "G06 all of Redis is flushed: told within a blocked read, and gone on" {
  fill 1 3
  both joins 2-0
  both sees_soon 'data: 3'
  r flushall
  both told_reset
  r xadd chat:room 1-0 data again
  both went_on
}

told_rewound() {
  sees_soon 'data: .*"reason":"rewound".*'
}

went_back() {
  sees_soon 'data: newer'
  [ "$(messages <"$SERVE_MODE.out" | xargs)" = '9 newer' ]
  [ "$(grep -c '^event: chat-gap' "$SERVE_MODE.out")" = 1 ]
  # Who comes back only now is told, too.
  get $events 'Last-Event-ID: 9-0' >answer
  [ "$(told_sse)" = 'rewound 9-0' ]
}

@test "G10 an older dump is restored: told as rewound, and gone on" {
  local REDIS_DIR=$BATS_TEST_TMPDIR/redis
  redis_start
  serve_both room
  fill 1 5
  r save
  cp "$REDIS_DIR/dump.rdb" .
  fill 6 9
  both joins 8-0
  both sees_soon 'data: 9'
  redis_kill
  cp dump.rdb "$REDIS_DIR"
  redis_restart
  both told_rewound
  r xadd chat:room 6-0 data newer
  both went_back
}
