# Many SSE clients, cut off and resumed, while a publisher goes at full speed.

load helpers/common

setup_file() {
  redis_start
  serve_start room
}

teardown_file() {
  serve_stop
  redis_stop
}

teardown() {
  end_spawned
}

ids() {
  r --raw xrange chat:room - + | grep -E '^[0-9]+-[0-9]+$'
}

# storm CLIENTS MESSAGES CUT: each client sees each id once and in order.
storm() {
  local dir=$BATS_TEST_TMPDIR/seen path='/chat/room/events?last_event_id=0-0' i
  r flushall
  mkdir "$dir"
  spawn herd "$BUILD/tests/bench/herd" "$PORT" "$path" "$1" "$3" "$dir"
  (
    seq 1 "$2"
    echo END
  ) | chat-pub room
  wait_until 200 gone "$SPAWNED"
  cat "$BATS_TEST_TMPDIR"/herd.out "$BATS_TEST_TMPDIR"/herd.err >&2
  ids >"$BATS_TEST_TMPDIR/ids"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/ids")" -eq $(($2 + 1)) ]
  for ((i = 0; i < $1; i++)); do
    cmp "$BATS_TEST_TMPDIR/ids" "$dir/$i"
  done
}

@test "J05 20 clients that are never cut" {
  storm 20 20000 0
}

@test "J01 200 clients cut at random see every id once, in order" {
  storm 200 10000 60000
}

@test "a few clients that are cut very often" {
  storm 10 2000 2000
}


@test "D05 nothing is left of them" {
  wait_until 10 eval '[ "$(r client list | wc -l)" -eq 1 ]'
}

redis_connections() {
  [ "$(r client list | grep -c 'name=chat-sse-serve')" -eq "$1" ]
}

@test "an idle client holds one connection to Redis" {
  spawn idle curl -sSN "http://127.0.0.1:$PORT/chat/room/events"
  wait_until 10 grep -q chat-open "$BATS_TEST_TMPDIR/idle.out"
  wait_until 10 redis_connections 1
  r xadd chat:room '*' data live
  wait_until 10 grep -qx 'data: live' "$BATS_TEST_TMPDIR/idle.out"
  redis_connections 1
  end "$SPAWNED"
  wait_until 10 redis_connections 0
}
