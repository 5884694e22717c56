# Redis goes away and comes back; nothing is lost or doubled.

load helpers/common

setup() {
  redis_start --appendonly yes --appendfsync always
}

teardown() {
  end_spawned
}

ids() {
  r --raw xrange chat:room - + | grep -E '^[0-9]+-[0-9]+$'
}

has() {
  grep -q "$1" "$BATS_TEST_TMPDIR/$2"
}

reading() {
  [ "$(r client list | grep -c cmd=xread)" -ge "$1" ]
}

# The ids of the messages in a stream that curl has written.
sse_ids() {
  awk '/^id: / { id = $2 } /^event: chat-/ { own = 1 }
    /^data: / { data = 1 }
    /^$/ { if (data && !own) print id; own = data = 0 }' "$1"
}

# stay READERS: so many, with the one of chat-tail, wait in Redis.
stay() {
  local i
  serve_start room
  chat-pub room first
  spawn tail chat-tail -n all -F id --retry inf room
  for i in 1 2 3; do
    spawn "sse$i" curl -sSN "http://127.0.0.1:$PORT/chat/room/events?last=9"
  done
  for i in 1 2 3; do
    wait_until 10 has 'data: first' "sse$i.out"
  done
  wait_until 10 reading "$1"
  for i in 1 2 3; do
    redis_kill
    redis_restart
    printf '%s\n' {1..500} | chat-pub room
    chat-pub room "round $i"
    wait_until 20 has "data: round $i" sse1.out
  done
  wait_until 10 has 'data: round 3' sse2.out
  wait_until 10 has 'data: round 3' sse3.out
  wait_until 10 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/tail.out")" -eq 1504 ]'
  ids >"$BATS_TEST_TMPDIR/ids"
  cmp "$BATS_TEST_TMPDIR/ids" "$BATS_TEST_TMPDIR/tail.out"
  for i in 1 2 3; do
    cmp "$BATS_TEST_TMPDIR/ids" <(sse_ids "$BATS_TEST_TMPDIR/sse$i.out")
    ! has chat-gap "sse$i.out"
  done
}

@test "chat-tail and SSE clients stay through kill and restart of Redis" {
  stay 4
}

@test "SSE clients of one process stay, too" {
  SERVE_MODE=listen stay 2
}

@test "connections cut again and again lose and double nothing" {
  local i
  spawn tail chat-tail -n all --retry inf room
  wait_until 10 reading 1
  spawn pub bash -c 'seq 1 20000 | chat-pub -B 100 --retry inf room'
  for i in {1..30}; do
    r client kill type normal >/dev/null
  done
  wait_until 60 gone "$SPAWNED"
  chat-replay room | cmp - <(seq 1 20000)
  wait_until 20 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/tail.out")" -ge 20000 ]'
  cmp "$BATS_TEST_TMPDIR/tail.out" <(seq 1 20000)
}

@test "a Redis that stops answering is left, and returned to" {
  local pid
  pid=$(<"$REDIS_DIR/pid")
  chat-pub room one
  spawn tail chat-tail -t 300ms --retry inf -n all room
  wait_until 10 has one tail.out
  kill -STOP "$pid"
  run chat-replay -t 300ms --retry 300ms room
  [ "$status" -eq 75 ]
  kill -CONT "$pid"
  chat-pub room two
  wait_until 20 has two tail.out
  [ "$(cat "$BATS_TEST_TMPDIR/tail.out")" = $'one\ntwo' ]
}

@test "a channel deleted under an open reader is told as reset" {
  r config set maxmemory 0
  chat-pub room one
  spawn tail chat-tail -n all room
  wait_until 10 has one tail.out
  r del chat:room
  chat-pub room two
  wait_until 25 has two tail.out
  [ "$(cat "$BATS_TEST_TMPDIR/tail.out")" = $'one\ntwo' ]
}

@test "a stream set back to older ids is told as rewound, and read on" {
  chat-pub room one
  r xadd chat:room 99999999999999-0 data future
  spawn tail chat-tail -n all room
  wait_until 10 has future tail.out
  r del chat:room
  r xadd chat:room 5-0 data older
  wait_until 25 has rewound tail.err
  r xadd chat:room 6-0 data next
  wait_until 25 has next tail.out
  [ "$(cat "$BATS_TEST_TMPDIR/tail.out")" = $'one\nfuture\nnext' ]
}

@test "Redis is away at the start: 75 after --retry, or waited for" {
  redis_stop
  run chat-tail --retry 0 room
  [ "$status" -eq 75 ]
  run chat-tail --retry 300ms room
  [ "$status" -eq 75 ]
  spawn tail chat-tail --retry inf room
  redis_restart
  r xadd chat:room 1-0 data m1
  wait_until 10 has m1 tail.out
}
