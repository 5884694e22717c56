# Many channels in one process: what changed is read, as Redis says itself.

load helpers/common

N=200

setup() {
  CHANNELS=$(seq -f 'c%g' "$N")
  redis_start
}

teardown() {
  end_spawned
}

# tail_all [OPTION]...: chat-tail of them all.
tail_all() {
  # shellcheck disable=SC2086
  spawn tail chat-tail -F '%s' --retry inf "$@" $CHANNELS
}

# counted WORD FIELD VALUE: how many connections have FIELD=VALUE.
counted() {
  [ "$(r client list | grep -cE " $1=$2 ")" -eq "$3" ]
}

value() {
  r info "$1" | tr -d '\r' | sed -n "s/^$2://p"
}

# Redis will say what changes in any of them, or one long read waits for it.
tracking() {
  [ "$(value clients tracking_clients)" -eq 1 ] &&
    [ "$(value stats tracking_total_keys)" -ge "$N" ] && counted sub 1 1
}

blocked() {
  [ "$(value clients blocked_clients)" -eq 1 ]
}

# publish WORD: CHANNEL-WORD in each channel.
publish() {
  local c
  for c in $CHANNELS; do
    echo "XADD chat:$c * data $c-$1"
  done | r >/dev/null
}

got() {
  [ "$(wc -l <"$BATS_TEST_TMPDIR/tail.out")" -ge "$1" ]
}

# expect WORD...: each channel has brought these, in order, and no others.
expect() {
  local c w
  wait_until 10 got $((N * $#))
  for c in $CHANNELS; do
    for w; do
      echo "$c-$w"
    done
  done | sort -s -t- -k1,1 >"$BATS_TEST_TMPDIR/expected"
  sort -s -t- -k1,1 "$BATS_TEST_TMPDIR/tail.out" |
    diff - "$BATS_TEST_TMPDIR/expected"
}

@test "what comes in any of many channels, over two more connections" {
  tail_all
  wait_until 10 tracking
  publish one
  publish two
  expect one two
  r info commandstats | grep -o 'xread:calls=[0-9]*'
  wait_until 10 counted cmd 'xread|xinfo.stream|exec|subscribe|client.tracking' 2
  wait_until 10 eval '[ "$(value clients connected_clients)" -le 3 ]'
}

@test "few channels need no tracking" {
  spawn tail chat-tail c1 c2 c3
  wait_until 10 blocked
  [ "$(value clients tracking_clients)" -eq 0 ]
  [ "$(value clients connected_clients)" -le 3 ]
}

@test "more at once than one read brings" {
  tail_all
  wait_until 10 tracking
  seq -f 'XADD chat:c7 * data c7-%g' 5000 | r >/dev/null
  wait_until 10 got 5000
  diff <(seq -f 'c7-%g' 5000) "$BATS_TEST_TMPDIR/tail.out"
}

@test "more at once than a stream keeps is told, in that one" {
  publish one
  tail_all
  wait_until 10 tracking
  publish two
  wait_until 10 got $((2 * N))
  r eval 'for i = 1, 3000 do
    redis.call("xadd", KEYS[1], "maxlen", "=", 1000, "*", "data", "c7-" .. i)
  end' 1 chat:c7 >/dev/null
  wait_until 10 got $((2 * N + 1000))
  publish three
  wait_until 10 got $((3 * N + 1000))
  diff <(printf 'c7-%s\n' one two; seq -f 'c7-%g' 2001 3000; echo c7-three) \
    <(grep '^c7-' "$BATS_TEST_TMPDIR/tail.out")
  [ "$(grep -c 'warn: c7: ' "$BATS_TEST_TMPDIR/tail.err")" = 1 ]
  [ "$(grep -c 'warn: c' "$BATS_TEST_TMPDIR/tail.err")" = 1 ]
}

@test "either connection is cut: nothing is lost or doubled" {
  tail_all
  wait_until 10 tracking
  publish one
  r client kill type pubsub >/dev/null
  publish two
  wait_until 10 tracking
  publish three
  r client kill type normal >/dev/null
  publish four
  wait_until 10 tracking
  publish five
  expect one two three four five
}

@test "Redis is killed and comes back" {
  redis_stop
  redis_start --appendonly yes --appendfsync always
  tail_all
  wait_until 10 tracking
  publish one
  redis_kill
  redis_restart
  publish two
  wait_until 10 tracking
  publish three
  expect one two three
}

@test "a stream made anew, and all streams gone" {
  tail_all
  wait_until 10 tracking
  publish one
  expect one
  r del chat:c5 >/dev/null
  r xadd chat:c5 5-1 data c5-again >/dev/null
  # It goes on from what is newest when that is noticed.
  wait_until 10 grep -qE 'c5: .*(reset|rewound)' "$BATS_TEST_TMPDIR/tail.err"
  r xadd chat:c5 5-2 data c5-new >/dev/null
  wait_until 10 grep -q c5-new "$BATS_TEST_TMPDIR/tail.out"
  r flushall >/dev/null
  publish two
  wait_until 10 got $((2 * N + 1))
}

# Where it may not be told: as by one long read.
refused() {
  r acl setuser reader on '>pw' '~*' "$@" >/dev/null
  CHAT_PASSWORD=pw tail_all --user reader
  wait_until 10 blocked
  publish one
  wait_until 10 got "$N"
  wait_until 10 blocked
  publish two
  expect one two
  [ "$(value clients tracking_clients)" -eq 0 ]
}

@test "an ACL that forbids tracking" {
  refused '&*' +@all '-client|tracking'
}

@test "an ACL that forbids its channel" {
  refused resetchannels +@all
}

@test "the rights that the manual names are enough" {
  r acl setuser reader on '>pw' resetchannels '&__redis__:invalidate' '~chat:*' \
    +xread +xrange +xrevrange '+xinfo|stream' +multi +exec \
    '+client|id' '+client|unblock' '+client|tracking' +subscribe \
    '+client|setname' >/dev/null
  CHAT_PASSWORD=pw tail_all --user reader
  wait_until 10 tracking
  publish one
  expect one
}

# --- Between two connections, what is sent later may come first ---------------

# lag [WORD REQUEST_MS REPLY_MS]...: from now on Redis is reached by way of it.
lag() {
  spawn lag "$BUILD/tests/bench/lag" "$REDIS_DIR/lag.sock" "$REDIS_SOCK" "$@"
  wait_until 10 test -S "$REDIS_DIR/lag.sock"
  export CHAT_URL=unix://$REDIS_DIR/lag.sock
}

# crowd N: clients of other channels than are looked at.
crowd() {
  local i
  for ((i = 0; i < $1; i++)); do
    echo "url = \"http://127.0.0.1:$PORT/chat/other$i/events\""
    echo "output = \"/dev/null\""
  done >"$BATS_TEST_TMPDIR/urls"
  spawn crowd curl -sNZ --parallel-max 300 --parallel-immediate \
    -K "$BATS_TEST_TMPDIR/urls"
}

tracked() {
  [ "$(value stats tracking_total_keys)" -ge "$1" ]
}

# watch CHANNEL: a client of it, once it is open.
watch() {
  spawn "$1" curl -sN "http://127.0.0.1:$PORT/chat/$1/events"
  wait_until 10 grep -q 'event: chat-open' "$BATS_TEST_TMPDIR/$1.out"
}

sees() {
  wait_until 5 grep -qx "data: $2" "$BATS_TEST_TMPDIR/$1.out"
}

# calls COMMAND N: Redis has run it so often.
calls() {
  [ "$(value commandstats "cmdstat_$1" | sed 's/calls=//; s/,.*//')" -ge "$2" ]
}

# crowded: a server that is told what changes.
crowded() {
  SERVE_MODE=listen serve_start '*'
  crowd 100
  wait_until 20 tracked 100
}

@test "what is added to a new channel while its head is being asked for" {
  local c
  lag REDIRECT 500 0
  crowded
  for c in a b c; do
    watch $c
    r xadd chat:$c '*' data one >/dev/null
  done
  for c in a b c; do
    sees $c one
  done
}

@test "what is said to have changed before its head is known" {
  lag REDIRECT 0 500 XRANGE 0 500
  crowded
  r xadd chat:a 1-1 data one >/dev/null
  spawn a curl -sN -H 'Last-Event-ID: 1-1' \
    "http://127.0.0.1:$PORT/chat/a/events"
  wait_until 10 tracked 101
  r xadd chat:a 2-1 data two >/dev/null
  sees a two
}

@test "the only client of a channel leaves, and one comes, during a read" {
  lag REDIRECT 0 1000
  crowded
  watch a
  wait_until 10 tracked 101
  r xadd chat:a '*' data zero >/dev/null
  sees a zero
  r xadd chat:a '*' data one >/dev/null
  end "$SPAWNED"
  r xadd chat:a '*' data two >/dev/null
  watch a
  never_within 2 grep -q 'data: o' "$BATS_TEST_TMPDIR/a.out"
  r xadd chat:a '*' data three >/dev/null
  sees a three
}

@test "a channel more, while the next read is on its way" {
  lag XREAD 500 0
  SERVE_MODE=listen serve_start '*'
  watch a
  wait_until 10 blocked
  watch b
  # What is newest in a has been asked for once more; the read follows.
  wait_until 10 calls 'xinfo|stream' 4
  watch c
  wait_until 10 blocked
  r xadd chat:c '*' data one >/dev/null
  sees c one
}

@test "the connection that is told is cut before we know that it is" {
  local w
  lag REDIRECT 0 600 SUBSCRIBE 0 1000
  SERVE_MODE=listen serve_start '*'
  crowd 100
  wait_until 20 eval '[ "$(value clients tracking_clients)" -eq 1 ]'
  r client kill type pubsub >/dev/null
  wait_until 10 calls 'client|tracking' 2
  watch a
  for w in one two three; do
    r xadd chat:a '*' data $w >/dev/null
    sees a $w
  done
}

# --- One channel's trouble is not another's -----------------------------------

@test "a key of another type among those that changed" {
  crowded
  watch a
  watch b
  wait_until 10 tracked 102
  {
    echo multi
    echo 'xadd chat:other1 * data one'
    echo 'xadd chat:a * data one'
    echo 'set chat:other2 x'
    echo 'xadd chat:b * data one'
    echo exec
  } | r >/dev/null
  sees a one
  sees b one
}

@test "a master that becomes a replica ends the blocked read" {
  spawn tail chat-tail -F '%s' --retry inf c1 c2
  wait_until 10 blocked
  r replicaof 127.0.0.1 1 >/dev/null
  r replicaof no one >/dev/null
  wait_until 10 blocked
  r xadd chat:c1 '*' data one >/dev/null
  wait_until 10 got 1
}
