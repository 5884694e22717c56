# A cursor that the stream no longer covers is told, once and with the right
# reason; one that it covers is not. The same to chat-tail, chat-replay and an
# SSE client.

load helpers/common
load helpers/http

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  export ARGS=(room)
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
    "$BATS_TEST_TMPDIR/err"
}

# The same from an SSE answer.
told_sse() {
  grep -A 1 '^event: chat-gap' "$BATS_TEST_TMPDIR/answer" | sed -n 's/^data: //p' |
    jq -r '[.reason, .after] | join(" ")'
}

# sees CURSOR GAPS MESSAGES: each kind of reader does, from that cursor.
sees() {
  local program
  for program in 'chat-tail -e' chat-replay; do
    # shellcheck disable=SC2086
    [ "$($program -a "$1" room 2>"$BATS_TEST_TMPDIR/err" | xargs)" = "$3" ]
    [ "$(told)" = "$2" ]
  done
  get /chat/room/events "Last-Event-ID: $1" >"$BATS_TEST_TMPDIR/answer"
  [ "$(messages <"$BATS_TEST_TMPDIR/answer" | xargs)" = "$3" ]
  [ "$(told_sse)" = "$2" ]
}

# The data of the one gap in the last answer.
gap() {
  grep -A 1 '^event: chat-gap' "$BATS_TEST_TMPDIR/answer" | sed -n 's/^data: //p' |
    jq -c "$1"
}

@test "trimmed past the cursor" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 3-0 'trimmed 3-0' '6 7 8 9'
  [ "$(gap .first)" = '"6-0"' ]
  [ "$(gap .channel)" = '"room"' ]
}

@test "trimmed up to the cursor: nothing is missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 6-0 '' '7 8 9'
  sees 7-0 '' '8 9'
  sees 9-0 '' ''
}

@test "the only entry ever removed was the cursor's own: nothing is missing" {
  fill 1 3
  r xtrim chat:room minid 2-0
  sees 1-0 '' '2 3'
}

@test "from the beginning nothing can be missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 0-0 '' '6 7 8 9'
}

@test "trimmed to nothing: told if the cursor was not the last" {
  fill 1 9
  r xtrim chat:room maxlen 0
  sees 9-0 '' ''
  sees 8-0 'trimmed 8-0' ''
}

@test "deleted and made anew" {
  fill 1 3
  r del chat:room
  fill 5 6
  sees 3-0 'reset 3-0' '5 6'
}

@test "deleted" {
  fill 1 3
  r del chat:room
  sees 3-0 'reset 3-0' ''
}

@test "an empty stream, a cursor from the future" {
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

@test "a deleted entry is not a gap, whether it was the cursor or another" {
  fill 1 6
  r xdel chat:room 3-0 5-0
  sees 3-0 '' '4 6'
  sees 2-0 '' '4 6'
  r xdel chat:room 6-0
  sees 4-0 '' ''
}

@test "dense ids tell how many are missing" {
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

@test "what a gap was told with is a cursor from which nothing more is missing" {
  fill 1 9
  r xtrim chat:room minid 6-0
  sees 3-0 'trimmed 3-0' '6 7 8 9'
  sees "$(grep -B 1 '^event: chat-gap' "$BATS_TEST_TMPDIR/answer" |
    sed -n 's/^id: //p')" '' '6 7 8 9'
}

open_with() {
  grep -q "$1" "$BATS_TEST_TMPDIR/open.out"
}

@test "while connected: a client that was overtaken by trimming is told" {
  local i
  serve_start room
  for ((i = 1; i <= 1500; i++)); do
    printf 'xadd chat:room %d-0 data %020000d\n' "$i" "$i"
  done | r >/dev/null
  # It reads slowly, so that most still waits in Redis.
  spawn open bash -c "curl -sSN --limit-rate 5M \
    'http://127.0.0.1:$PORT/chat/room/events?last_event_id=0-0' |
    sed -u 's/^\\(.\\{30\\}\\).*/\\1/'"
  wait_until 10 open_with '^id: 1-0'
  r xtrim chat:room maxlen 5
  wait_until 60 open_with '^id: 1500-0'
  open_with '^event: chat-gap'
  open_with '^id: 1496-0'
}

# burst N KEEP WORD: that many entries at once, WORD1 and so on, in a stream that
# keeps so many of them.
burst() {
  r eval 'for i = 1, tonumber(ARGV[1]) do
    redis.call("xadd", KEYS[1], "maxlen", "=", ARGV[2], "*", "data", ARGV[3] .. i)
  end' 1 "${CHANNEL:-chat:room}" "$@" >/dev/null
}

gaps_told() {
  grep -A 1 '^event: chat-gap' "$BATS_TEST_TMPDIR/open.out" |
    sed -n 's/^data: //p' | jq -c '[.reason, .lost, .certain]' | xargs
}

# came WORD FROM TO: those and no others.
came() {
  diff <(seq -f "data: $1%g" "$2" "$3") \
    <(grep "^data: $1[0-9]" "$BATS_TEST_TMPDIR/open.out")
}

overtaken() {
  r flushall
  burst 10 10 old
  serve_start room
  spawn open curl -sSN "http://127.0.0.1:$PORT/chat/room/events"
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
  wait_until 10 grep -qx d900 "$BATS_TEST_TMPDIR/tail.out"
  diff <(seq -f 'old%g' 10; seq -f 'a%g' 41 50; seq -f 'b%g' 5
    seq -f 'c%g' 2001 3000; seq -f 'd%g' 900) "$BATS_TEST_TMPDIR/tail.out"
  [ "$(grep -c 'warn: room: ' "$BATS_TEST_TMPDIR/tail.err")" = 2 ]
  end_spawned
  serve_stop
}

@test "while connected: more at once than the stream keeps is told" {
  overtaken
  SERVE_MODE=listen overtaken
}

@test "while connected: a stream that keeps one entry" {
  local i
  burst 1 1 old
  SERVE_MODE=listen serve_start room
  spawn open curl -sSN "http://127.0.0.1:$PORT/chat/room/events"
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

@test "while connected: a deleted channel is told within a blocked read" {
  serve_start room
  fill 1 3
  spawn open curl -sSN \
    "http://127.0.0.1:$PORT/chat/room/events?last_event_id=2-0"
  wait_until 10 open_with '^data: 3$'
  r del chat:room
  wait_until 30 open_with '"reason":"reset"'
  fill 1 1
  wait_until 10 open_with '^data: 1$'
}
