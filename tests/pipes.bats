# The programs in pipelines with each other: what goes in comes out.

load helpers/common

setup_file() {
  redis_start
  corpus >"$BATS_FILE_TMPDIR/text"
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
}

teardown() {
  end_spawned
}

# 200 000 lines of what the system has of text: licences, documentation, logs.
corpus() {
  while :; do
    find /usr/share/common-licenses /usr/share/doc /usr/share/perl \
      /usr/include /var/log/dpkg.log -type f ! -name '*.gz' -size -400k \
      -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 cat --
  done | LC_ALL=C tr -d '\000' | LC_ALL=C head -n 200000
}

text=text

@test "200 000 lines through chat-pub and back are the same bytes" {
  chat-pub room <"$BATS_FILE_TMPDIR/text"
  [ "$(r xlen chat:room)" -eq 200000 ]
  chat-replay room | cmp - "$BATS_FILE_TMPDIR/text"
  chat-replay -r room | tac | cmp - "$BATS_FILE_TMPDIR/text"
  chat-tail -e -n all room | cmp - "$BATS_FILE_TMPDIR/text"
}

@test "the same through chat-replay -j and chat-pub -j" {
  chat-pub room <"$BATS_FILE_TMPDIR/text"
  chat-replay -j room | chat-pub -j copy
  chat-replay copy | cmp - "$BATS_FILE_TMPDIR/text"
  cmp <(chat-replay -j room | jq -cj '[.mid, .data, .data_b64], "\n"') \
    <(chat-replay -j copy | jq -cj '[.mid, .data, .data_b64], "\n"')
  chat-replay -j room | jq -c 'del(.channel)' | head -n 100 | chat-pub -j third
  [ "$(r xlen chat:third)" -eq 100 ]
}

@test "NUL, CR, invalid UTF-8 and 1 MiB messages by -0" {
  {
    printf 'a\r\nb\r\0'
    printf '\377\376\300\200\0'
    printf '\0'
    head -c 1048576 </dev/zero | tr '\0' x
    printf '\0\n\n\0tail\0'
  } >"$BATS_TEST_TMPDIR/records"
  chat-pub -0 room <"$BATS_TEST_TMPDIR/records"
  [ "$(r xlen chat:room)" -eq 6 ]
  chat-replay -0 room | cmp - "$BATS_TEST_TMPDIR/records"
  chat-replay -j room | chat-pub -j copy
  chat-replay -0 copy | cmp - "$BATS_TEST_TMPDIR/records"
}

@test "any byte at all by -s and -j" {
  local i
  for i in 1 2 3; do
    head -c 1048576 /dev/urandom >"$BATS_TEST_TMPDIR/$i"
    chat-pub -s room <"$BATS_TEST_TMPDIR/$i"
  done
  chat-replay -j room | chat-pub -j copy
  cat "$BATS_TEST_TMPDIR"/[123] | cmp - <(chat-replay -D '' copy)
}

# The fields and values of all entries, without order, ids and made-up mids.
fields() {
  r --no-raw xrange "chat:$1" - + | sed 's/^[ 0-9)]*//' |
    grep -vE '^"([0-9]+-[0-9]+|mid|[0-9A-Za-z]{8}-[0-9]+)"$' | sort
}

@test "headers, keys, types and ids of messages survive -j" {
  r xadd chat:room '*' data 'x "y" \ z' event t key k mid m-1 lang en lang de \
    '' empty
  printf '\377' | r -x xadd chat:room '*' data d $'bin\x01' >/dev/null
  r xadd chat:room '*' only header
  chat-replay -j room | chat-pub -j copy
  [ "$(chat-replay -j room | head -n 1 | jq -c 'del(.id, .ts, .channel)')" = \
    "$(chat-replay -j copy | head -n 1 | jq -c 'del(.id, .ts, .channel)')" ]
  cmp <(fields room) <(fields copy)
}

@test "a message is seen by chat-tail at once, through pipes" {
  spawn tail bash -c 'chat-tail -n 0 -j orders |
    jq -r --unbuffered "[.headers.region, (.data | fromjson | .total)] | @tsv"'
  wait_until 10 eval '[[ $(r client list) == *cmd=xread* ]]'
  chat-pub -H region=eu orders '{"total":12}'
  wait_until 10 grep -q $'eu\t12' "$BATS_TEST_TMPDIR/tail.out"
}

@test "the examples of the manual hold: position, cursor file, grep -z" {
  local pos
  chat-pub builds one two
  pos=$(chat-replay -n 1 -F id builds)
  chat-pub builds finished
  [ "$(chat-tail -a "${pos:-0}" -c 1 -W 10s builds)" = finished ]
  chat-tail -e --cursor-file "$BATS_TEST_TMPDIR/pos" -o beginning -j builds \
    >>"$BATS_TEST_TMPDIR/builds.ndjson"
  chat-pub builds more
  chat-tail -e --cursor-file "$BATS_TEST_TMPDIR/pos" -o beginning -j builds \
    >>"$BATS_TEST_TMPDIR/builds.ndjson"
  [ "$(jq -r .data "$BATS_TEST_TMPDIR/builds.ndjson")" = \
    $'one\ntwo\nfinished\nmore' ]
  printf 'trace\n  stack trace\0other\0' | chat-pub -0 room
  [ "$(chat-replay -0 room | grep -z 'stack trace' | tr '\0' '\n')" = \
    $'trace\n  stack trace' ]
  [ "$(chat-replay -j room | gzip | gzip -dc | chat-pub -j -F id again |
    wc -l)" -eq 2 ]
}

@test "a request through a pipe is answered and ends" {
  chat-pub room a b c
  run bash -c "printf 'GET /chat/room/events HTTP/1.0\r\n\r\n' |
    chat-sse-serve -i -n 2 room"
  [ "$status" -eq 0 ]
  [ "$(grep -c '^data: [abc]$' <<<"${output//$'\r'/}")" -eq 2 ]
}
