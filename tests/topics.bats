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
  wait_until 10 counted cmd 'xread|subscribe|client.tracking' 2
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
