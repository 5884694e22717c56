# chat-pub: from operands and standard input into streams, and through outages.

load helpers/common

setup_file() {
  redis_start --appendonly yes --appendfsync always
}

teardown_file() {
  redis_stop
}

setup() {
  redis_answers || redis_restart
  r flushall >/dev/null
}

teardown() {
  end_spawned
}

# One field of the entries of a channel, a line each.
field() {
  r --json xrange "chat:$1" - + |
    jq -r --arg f "$2" '.[][1] | to_entries | map(.value) |
      . as $a | (index($f)) as $i | $a[$i + 1]'
}

data() {
  field "$1" data
}

# The raw bytes of the only payload of a channel, and no more.
raw() {
  r --raw xrange "chat:$1" - + | tail -n +3 | head -c "$2" |
    od -An -c | tr -s ' '
}

# Input without an end on fd 7; what is written there is read there.
endless_input() {
  mkfifo "$BATS_TEST_TMPDIR/in"
  exec 7<>"$BATS_TEST_TMPDIR/in"
}

len() {
  r xlen "chat:$1"
}

# --- What a message is --------------------------------------------------------

@test "each operand is a message, stdin is left alone" {
  printf 'not this\n' | chat-pub room one '-n' 'two words' ''
  [ "$(data room)" = $'one\n-n\ntwo words' ]
  [ "$(len room)" = 4 ]
}

@test "options are no longer looked for after the channel" {
  chat-pub room -F id --help
  [ "$(data room)" = $'-F\nid\n--help' ]
}

@test "each line is a message; empty ones count, a last one needs no newline" {
  printf 'a\n\nb\nc' | chat-pub room
  [ "$(len room)" = 4 ]
  [ "$(data room)" = $'a\n\nb\nc' ]
}

@test "no input is no message" {
  chat-pub room </dev/null
  [ "$(len room)" = 0 ]
}

@test "--skip-empty leaves empty messages out" {
  printf 'a\n\n\nb\n' | chat-pub --skip-empty room
  [ "$(data room)" = $'a\nb' ]
}

@test "CR, NUL and bytes that are no UTF-8 are stored as they are" {
  printf 'a\r\n' | chat-pub room
  [ "$(raw room 2)" = ' a \r' ]
  printf 'a\0b\377\n' | chat-pub bin
  [ "$(raw bin 4)" = ' a \0 b 377' ]
}

@test "-0: messages end with NUL and may hold newlines" {
  printf 'a\nb\0\0c' | chat-pub -0 room
  [ "$(len room)" = 3 ]
  [ "$(data room)" = $'a\nb\n\nc' ]
}

@test "-D: messages end with a string, with escapes" {
  printf 'a--b-c--' | chat-pub -D -- room
  printf 'x\tENDy' | chat-pub -D '\tEN\x44' room
  [ "$(data room)" = $'a\nb-c\nx\ny' ]
}

@test "-s: all of stdin is one message, its last newline too" {
  printf 'a\n\0b\n' | chat-pub -s room
  [ "$(len room)" = 1 ]
  [ "$(raw room 5)" = ' a \n \0 b \n' ]
  chat-pub -s none </dev/null
  [ "$(len none)" = 1 ]
}

@test "-K splits a key off, once; without the delimiter there is none" {
  printf 'k1=a=b\n=empty\nplain\n' | chat-pub -K = room
  [ "$(data room)" = $'a=b\nempty\nplain' ]
  [ "$(field room key | head -n 2 | tr '\n' .)" = k1.. ]
  [ "$(r --raw xrevrange chat:room + - count 1 | grep -cx key)" = 0 ]
}

@test "fields stand in the order data, event, mid, key, headers" {
  chat-pub --event msg -k K -H lang=en -H 'a=b=c' room hi
  [ "$(r --raw xrange chat:room - + | sed -n '2~2p' | tr '\n' ' ')" = \
    'data event mid key lang a ' ]
  [ "$(field room a)" = b=c ]
}

@test "each message has a mid: that of the run and a number" {
  chat-pub room a b
  chat-pub room c
  mapfile -t mids < <(field room mid)
  [[ ${mids[0]} =~ ^[0-9A-Za-z]{8}-1$ ]]
  [ "${mids[1]}" = "${mids[0]%-1}-2" ]
  [ "${mids[2]%-1}" != "${mids[0]%-1}" ]
}

@test "--prefix and --field name the key and the payload's field" {
  chat-pub --prefix app: --field payload room hi
  [ "$(r --raw xrange app:room - + | sed -n 2,3p)" = $'payload\nhi' ]
}

# --- Envelopes ----------------------------------------------------------------

@test "-j: channel, type, key, mid and headers of each line" {
  chat-pub -j <<'END'
{"channel":"a","event":"t","key":"k","mid":"m-1","headers":{"h":"1"},"data":"x"}
{"channel":"b","data":{"n": 1, "l":[true]},"id":"1-1","ts":5,"other":[]}
{"channel":"a","data":"y"}
END
  [ "$(r --raw xrange chat:a - + | sed -n '2,11p' | tr '\n' ' ')" = \
    'data x event t mid m-1 key k h 1 ' ]
  [ "$(data b)" = '{"n":1,"l":[true]}' ]
  [ "$(data a)" = $'x\ny' ]
}

@test "-j: a CHANNEL, a type and a key on the command line win" {
  printf '%s\n' '{"channel":"a","event":"t","key":"k","data":"x"}' |
    chat-pub -j --event E -k K -H h=2 b
  [ "$(len a)" = 0 ]
  [ "$(field b event)$(field b key)$(field b h)" = EK2 ]
}

@test "-j: base64 and escapes give the bytes; null is no payload" {
  printf '%s\n' '{"data_b64":"AP8="}' | chat-pub -j bin
  [ "$(raw bin 2)" = ' \0 377' ]
  printf '%s\n' '{"data":"a\u0000\n"}' | chat-pub -j esc
  [ "$(raw esc 3)" = ' a \0 \n' ]
  printf '%s\n' '{"data":null}' | chat-pub -j null
  [ "$(r --raw xrange chat:null - + | grep -cx data)" = 0 ]
}

# --- Bad input ----------------------------------------------------------------

@test "a bad record is named, those before it are stored: 65" {
  run -65 --separate-stderr chat-pub -j room < <(
    seq 16 | sed 's/.*/{"data":"&"}/'
    echo '{"data":'
    echo '{"data":"after"}'
  )
  [ -z "$output" ]
  [[ $stderr = "chat-pub: error: record 17: "*" (16 stored)" ]]
  [ "$(len room)" = 16 ]
}

@test "-E goes on after bad records, and ends with 65 all the same" {
  run -65 --separate-stderr chat-pub -jE room < <(
    printf '%s\n' '{"data":"1"}' bad '{"data":"2"}' '{"event":"a\n"}' \
      '{"data":"3"}'
  )
  [[ $stderr = *"record 2: "*"record 4: "*"(3 stored)" ]]
  [ "$(data room)" = $'1\n2\n3' ]
}

@test "a message over --max-size is a bad record, also without an end" {
  run -65 --separate-stderr chat-pub --max-size 3 room < <(
    printf 'abc\nabcd\nabc\n')
  [[ $stderr = *"record 2: too large (1 stored)" ]]
  run -65 chat-pub --max-size 64k room < <(head -c 300000 /dev/zero)
  run -65 chat-pub --max-size 3 room abcd
  printf 'abcd\nabc\nab' | run -65 chat-pub -E --max-size 3 other
  [ "$(data other)" = $'abc\nab' ]
}

@test "a channel is needed: on the command line, or in each envelope" {
  run -64 chat-pub
  run -65 --separate-stderr chat-pub -j <<<'{"data":"x"}'
  [[ $stderr = *"record 1: no channel"* ]]
}

@test "what cannot be meant is a usage error: 64" {
  local bad
  for bad in '-j -K : room' '-j -0 room' '-j -s room' '-0 -s room' \
    '-0 -D x room' '-s room message' '-K : room message' \
    '-j room message' '-D \q room' '-K \q room' '-k a -K b room' \
    '-B 0 room' '-H x room' '-H =x room' '-H mid=x room' '-H data=x room' \
    '--maxlen x room' '--maxlen ~ room' '--maxage 0 room' \
    '--max-size 1G room' '-F %q room' '--nonsense room'; do
    echo "$bad"
    # shellcheck disable=SC2086
    run -64 chat-pub $bad </dev/null
  done
  run -64 chat-pub ''
  run -64 chat-pub $'a\nb' x
  run -64 chat-pub --event $'a\nb' room x
  run -64 chat-pub -D '' room
  [ -z "$(r keys '*')" ]
}

@test "input that cannot be read: 74" {
  run -74 --separate-stderr chat-pub room <"$BATS_TEST_TMPDIR"
  [[ $stderr = *"standard input: Is a directory (0 stored)" ]]
}

# --- Limits -------------------------------------------------------------------

@test "--maxlen and --maxage trim, --ttl expires" {
  seq 50 | chat-pub --maxlen 10 room
  [ "$(len room)" = 10 ]
  seq 500 | chat-pub --maxlen '~10' about
  [ "$(len about)" -ge 10 ]
  [ "$(len about)" -lt 500 ]
  r xadd chat:old 1-1 data old >/dev/null
  chat-pub --maxage 1h old new
  [ "$(data old)" = new ]
  chat-pub --ttl 100 gone x
  [ "$(r pttl chat:gone)" -gt 90000 ]
  r xadd chat:both 1-1 data old >/dev/null
  seq 20 | chat-pub --maxlen 10 --maxage 1h --ttl 1h both
  [ "$(len both)" = 10 ]
  [ "$(r pttl chat:both)" -gt 90000 ]
}

@test "-c takes so many messages, and a time limit before that is 1" {
  seq 10 | chat-pub -c 3 room
  [ "$(len room)" = 3 ]
  endless_input
  echo x >&7
  run -1 chat-pub -c 3 -w 0.2 room <&7
  echo x >&7
  run -0 chat-pub -w 0.2 room <&7
  echo x >&7
  run -1 chat-pub -c 3 -W 0.2 room <&7
  [ "$(len room)" = 6 ]
}

@test "-M: a channel that is missing is not made: 66" {
  run -66 --separate-stderr chat-pub -M room a b
  [[ $stderr = *"room: no such channel (0 stored, 2 not)" ]]
  [ -z "$(r keys '*')" ]
  chat-pub room a
  chat-pub -M room b
  [ "$(len room)" = 2 ]
}

@test "a key that is no stream: 66" {
  r set chat:room x >/dev/null
  run -66 --separate-stderr chat-pub room a
  [[ $stderr = *"room: WRONGTYPE"* ]]
}

@test "-E: a refused channel does not keep others from being stored" {
  r set chat:bad x >/dev/null
  run -66 chat-pub -jE < <(printf '%s\n' '{"channel":"a","data":"1"}' \
    '{"channel":"bad","data":"2"}' '{"channel":"b","data":"3"}')
  [ "$(data a)$(data b)" = 13 ]
}

# --- Output -------------------------------------------------------------------

@test "nothing is printed but what -F asks for, in order" {
  run -0 chat-pub room a b
  [ -z "$output" ]
  seq 1000 | chat-pub -F '%i %s %m' room >"$BATS_TEST_TMPDIR/out"
  diff <(seq 1000 | awk '{ print $1, $1 }') \
    <(cut -d' ' -f1-2 "$BATS_TEST_TMPDIR/out")
  diff <(field room mid) <(cut -d' ' -f3 "$BATS_TEST_TMPDIR/out" |
    sed '1,2!b;s/^/&/') | grep -q '^<' # the two before
  [ "$(chat-pub -F id ids a)" = "$(r --raw xrange chat:ids - + | head -n 1)" ]
}

@test "an id is printed as soon as its message is stored" {
  endless_input
  spawn pub chat-pub -F '%s' room <&7
  echo hello >&7
  wait_until 5 grep -qx hello "$BATS_TEST_TMPDIR/pub.out"
  end "$SPAWNED"
}

@test "a reader that went away ends it as SIGPIPE does" {
  run bash -c 'yes | chat-pub -F %s room | head -n 1; exit ${PIPESTATUS[1]}'
  [ "$status" = 141 ]
  [ "$output" = y ]
}

@test "a reader that is slow holds it back, and loses nothing" {
  mkfifo "$BATS_TEST_TMPDIR/out"
  seq 100000 | chat-pub -F '%s %m' room >"$BATS_TEST_TMPDIR/out" &
  exec 7<"$BATS_TEST_TMPDIR/out"
  wait_until 5 stays
  [ "$(len room)" -lt 50000 ]
  cut -d' ' -f1 <&7 | cmp - <(seq 100000)
}

@test "-v sums up" {
  run --separate-stderr -0 chat-pub -v room a b
  [[ $stderr = *"stored 2 messages"* ]]
}

# --- Signals ------------------------------------------------------------------

@test "a signal: what was read is stored, then it ends by the signal" {
  endless_input
  echo hello >&7
  chat-pub -F '%s' room <&7 >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
  wait_until 5 grep -qx hello "$BATS_TEST_TMPDIR/out"
  kill "$!"
  local status=0
  wait "$!" || status=$?
  [ $status = 143 ]
}

# --- Redis comes and goes -------------------------------------------------------

# numbers_start [OPTION...]: publish 1, 2, 3 ... to the room until numbers_end,
# by which all must be stored. They go to the file `sent`, too.
numbers_start() {
  numbers | tee "$BATS_TEST_TMPDIR/sent" |
    chat-pub --retry 30 -B 200 -F %s "$@" room >"$BATS_TEST_TMPDIR/out" \
      2>"$BATS_TEST_TMPDIR/err" 3>&- &
  NUMBERS=$!
}

numbers() {
  local n=0
  until [ -e "$BATS_TEST_TMPDIR/enough" ]; do
    seq $((n + 1)) $((n += 1000))
  done
}

numbers_end() {
  : >"$BATS_TEST_TMPDIR/enough"
  wait "$NUMBERS"
}

# How many messages were ever stored.
added() {
  r --json xinfo stream chat:room | jq '."entries-added" // 0'
}

grows() {
  local before
  before=$(added)
  wait_until 1 more_than "$before"
}

more_than() {
  [ "$(added)" -gt "$1" ]
}

stays() {
  local before
  before=$(added)
  never_within 1 more_than "$before"
}

@test "Redis that is not there: 75 after --retry, saying what was not stored" {
  CHAT_URL=unix:///nowhere run -75 --separate-stderr \
    chat-pub --retry 0.2 room a b
  [[ $stderr = *"connect unix:/nowhere: "*" (0 stored, 2 not)" ]]
}

@test "Redis that comes within --retry is waited for" {
  redis_stop
  spawn pub chat-pub --retry 20 room hello
  never_within 1 gone "$SPAWNED"
  redis_restart
  wait_until 10 gone "$SPAWNED"
  [ "$(data room)" = hello ]
}

@test "an ACL that forbids it: 77, at once" {
  r acl setuser reader on '>pw' '+@all' -xadd '~*' >/dev/null
  CHAT_USER=reader CHAT_PASSWORD=pw run -77 chat-pub --retry inf room a
  CHAT_USER=reader CHAT_PASSWORD=no run -77 chat-pub --retry inf room a
}

@test "a user who may only add can publish" {
  r acl setuser adder on '>pw' +xadd '~*' >/dev/null
  CHAT_USER=adder CHAT_PASSWORD=pw chat-pub room a b
  [ "$(data room)" = $'a\nb' ]
}

@test "writes refused for a while are tried again; nothing lost or doubled" {
  local _
  numbers_start
  for _ in 1 2 3; do
    r config set maxmemory 1 >/dev/null
    wait_until 10 stays
    r config set maxmemory 0 >/dev/null
    wait_until 10 grows
  done
  numbers_end
  grep -q OOM "$BATS_TEST_TMPDIR/err"
  cmp <(data room | sort -n) "$BATS_TEST_TMPDIR/sent"
}

@test "writes refused for longer than --retry: 75" {
  r config set maxmemory 1 >/dev/null
  run -75 --separate-stderr chat-pub --retry 0.3 room a
  r config set maxmemory 0 >/dev/null
  [[ $stderr = *"room: OOM "*"(0 stored, 1 not)" ]]
}

@test "a replica is left for the master, when it becomes one" {
  r replicaof 127.0.0.1 1 >/dev/null
  spawn pub chat-pub --retry 20 room a
  wait_until 5 grep -q READONLY "$BATS_TEST_TMPDIR/pub.err"
  r replicaof no one >/dev/null
  wait_until 10 gone "$SPAWNED"
  [ "$(data room)" = a ]
}

# Everything is in the channel and was printed, once and in order.
all_there() {
  cmp <(data room) "$BATS_TEST_TMPDIR/sent"
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/sent"
}

cut_off() {
  r client kill type normal skipme yes >/dev/null
}

@test "connections cut under it: every line exactly once, in order" {
  local _
  numbers_start
  for _ in {1..8}; do
    wait_until 10 grows
    cut_off
  done
  numbers_end
  [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -ge 4 ]
  all_there
}

@test "the same among other writers" {
  local _
  numbers_start --event mine
  spawn other chat-pub room < <(yes other)
  for _ in {1..4}; do
    wait_until 10 grows
    cut_off
  done
  end "$SPAWNED" || true
  numbers_end
  cmp <(r --json xrange chat:room - + |
    jq -r '.[][1] | select(index("mine")) | .[1]') "$BATS_TEST_TMPDIR/sent"
}

@test "the same with messages that are trimmed before they are confirmed" {
  local _
  numbers_start --maxlen 50
  for _ in {1..4}; do
    wait_until 10 grows
    cut_off
  done
  numbers_end
  cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/sent"
  cmp <(data room) <(tail -n 50 "$BATS_TEST_TMPDIR/sent")
}

@test "Redis killed and restarted under it: every line once, in order" {
  local _
  numbers_start
  for _ in 1 2 3; do
    wait_until 10 grows
    redis_kill
    redis_restart
  done
  wait_until 10 grows
  numbers_end
  [ "$(wc -l <"$BATS_TEST_TMPDIR/err")" -ge 3 ]
  all_there
}

silences() {
  [ "$(grep -c 'no reply in time' "$BATS_TEST_TMPDIR/err")" -ge "$1" ]
}

# What is still on its way over the old connection must not arrive after the
# stream has been read back.
@test "a connection that hangs and then comes to life does not store twice" {
  local proxy=$BATS_TEST_TMPDIR/proxy held
  endless_input
  spawn socat socat "UNIX-LISTEN:$proxy,fork" "UNIX-CONNECT:$REDIS_SOCK"
  wait_until 5 test -S "$proxy"
  chat-pub -u "unix://$proxy" --timeout 0.3 --retry 20 -c 101 room <&7 \
    2>"$BATS_TEST_TMPDIR/err" 3>&- 7>&- &
  echo 0 >&7
  wait_until 5 more_than 0
  held=$(pgrep -P "$SPAWNED")
  kill -STOP "$held"
  seq 100 >&7
  wait_until 10 silences 1
  wait "$!"
  kill -CONT "$held"
  wait_until 5 eval "! kill -0 $held"
  cmp <(data room) <(seq 0 100)
}

holds_back() {
  r info clients | grep -q '^blocked_clients:1'
}

@test "cut off before anything was confirmed" {
  local i
  for i in 1 2; do
    r client pause 60000 write >/dev/null
    spawn pub chat-pub --retry 20 -B 100 room < <(seq 100)
    wait_until 5 holds_back
    cut_off
    r client unpause >/dev/null
    wait_until 10 gone "$SPAWNED"
    cmp <(data room | tail -n 100) <(seq 100)
    [ "$(len room)" = $((i * 100)) ]
  done
}

@test "Redis that hangs for longer than --timeout does not store twice" {
  local redis i
  redis=$(<"$REDIS_DIR/pid")
  numbers_start --timeout 0.3
  for i in 1 2 3; do
    wait_until 10 grows
    kill -STOP "$redis"
    wait_until 10 silences "$i"
    kill -CONT "$redis"
  done
  numbers_end
  all_there
}

# --- Much -----------------------------------------------------------------------

@test "a message of 1 MiB of any bytes comes through" {
  head -c 1M /dev/urandom >"$BATS_TEST_TMPDIR/big"
  chat-pub -s room <"$BATS_TEST_TMPDIR/big"
  r --raw xrange chat:room - + | tail -n +3 | head -c 1M |
    cmp - "$BATS_TEST_TMPDIR/big"
  run -65 chat-pub -s room < <(head -c 1M /dev/urandom; echo)
}

@test "memory does not grow with the input" {
  ! grep -q __asan_init "$BUILD/chat-pub" || skip 'it does with this sanitizer'
  endless_input
  spawn pub chat-pub --maxlen 10 room <&7
  yes "$(printf %0100000d 0)" | head -n 1000 >&7
  wait_until 10 more_than 999
  [ "$(awk '/^VmHWM/ { print $2 }' "/proc/$SPAWNED/status")" -lt 30000 ]
}

@test "many channels" {
  seq 2000 | sed 's/.*/{"channel":"c&","data":"&"}/' | chat-pub -j
  [ "$(r dbsize)" = 2000 ]
}

@test "long spellings mean what the letters mean" {
  printf 'a\nb' | chat-pub --slurp --header lang=en room
  [ "$(data room)" = $'a\nb' ]
  [ "$(field room lang)" = en ]
  printf '{"data":1}\nno\n{"data":2}\n' >"$BATS_TEST_TMPDIR/in"
  run --separate-stderr chat-pub --ndjson --keep-going two <"$BATS_TEST_TMPDIR/in"
  [ "$status" -eq 65 ]
  [ "$(data two)" = $'1\n2' ]
  run chat-pub --quiet --no-create nowhere x
  [ "$status" -eq 66 ]
  run chat-pub --quiet --quiet --no-create nowhere x
  [ -z "$output" ]
  chat-pub --url "$CHAT_URL" three x
  [ "$(r xlen chat:three)" -eq 1 ]
  [[ $(chat-pub --version) == "$(chat-pub -V)" ]]
}

@test "--once: one message per key, whose id is printed; 1 if it is there" {
  local first i
  first=$(chat-pub --once job-7 room one)
  [ "$first" = "$(r xrevrange chat:room + - count 1 | head -n 1)" ]
  run --separate-stderr chat-pub --once job-7 room two
  [ "$status" -eq 1 ]
  [ "$output" = "$first" ]
  run -1 --separate-stderr chat-pub -F 'again %o' --once job-7 room three
  [ "$output" = "again $first" ]
  chat-pub --once job-8 room two
  chat-pub --once job-7 other one
  [ "$(data room)" = $'one\ntwo' ]
  [ "$(data other)" = one ]
  # Of many at the same time one does it.
  for i in {1..8}; do
    spawn "p$i" bash -c "chat-pub --once job-9 room nine; echo \$?"
  done
  for i in {1..8}; do
    wait_until 10 grep -qx '[01]' "$BATS_TEST_TMPDIR/p$i.out"
  done
  [ "$(cat "$BATS_TEST_TMPDIR"/p?.out | grep -cx 0)" -eq 1 ]
  [ "$(cat "$BATS_TEST_TMPDIR"/p?.out | grep -- - | sort -u | wc -l)" -eq 1 ]
  [ "$(data room | grep -c nine)" -eq 1 ]
}

@test "--once: what cannot be done is not remembered" {
  run chat-pub --once k -M nowhere x
  [ "$status" -eq 66 ]
  r set chat:text x
  run chat-pub --once k text x
  [ "$status" -eq 66 ]
  [ -z "$(r keys 'once:*')" ]
  run chat-pub --once '' room x
  [ "$status" -eq 64 ]
}

@test "--once-for: for so long" {
  chat-pub --once k --once-for 1h room one
  [ "$(r pttl once:chat:room:k)" -gt 3500000 ]
  chat-pub --once short --once-for 1ms room one
  wait_until 5 eval '[ "$(r exists once:chat:room:short)" = 0 ]'
  chat-pub --once short --once-for 1ms room two
  [ "$(data room)" = $'one\none\ntwo' ]
  run chat-pub --once k --once-for 0 room x
  [ "$status" -eq 64 ]
}

@test "--once: connections cut under it, and it is done once" {
  local i
  spawn cutter bash -c "while :; do redis-cli -s '$REDIS_SOCK' client kill type normal; done"
  for i in {1..30}; do
    chat-pub --retry 10s --once "k$i" room "m$i"
    run -1 chat-pub --retry 10s --once "k$i" room "again$i"
  done
  kill -- -"$SPAWNED"
  diff <(seq -f 'm%g' 30) <(data room)
}

# The first message leaves at once, those that come while it is on its way wait.
@test "--linger delays what could leave together, and loses nothing" {
  seq 1000 | chat-pub --linger 200ms -B 10000 room
  seq 1000 | chat-pub --linger 0 room
  [ "$(data room)" = "$(seq 1000; seq 1000)" ]
  run chat-pub --linger soon room x
  [ "$status" -eq 64 ]
}
