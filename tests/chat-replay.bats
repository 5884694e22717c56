# chat-replay: the history of channels.

load helpers/common

setup_file() {
  redis_start
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

fill() {
  local i
  for ((i = ${3:-1}; i <= $2; i += ${4:-1})); do
    echo "xadd chat:$1 $i-0 data $1$i"
  done | r >/dev/null
}

out_is() {
  [ "$(cat "$BATS_TEST_TMPDIR/replay.out")" = "$1" ]
}

@test "prints the whole history and ends" {
  fill m 1234
  run chat-replay m
  [ "$status" -eq 0 ]
  [ "$output" = "$(printf 'm%d\n' {1..1234})" ]
  run chat-replay nowhere
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "positions are those of chat-tail" {
  fill m 9
  [ "$(chat-replay -n 2 m)" = $'m8\nm9' ]
  [ "$(chat-replay -o -2 m)" = $'m8\nm9' ]
  [ "$(chat-replay -a 7-0 m)" = $'m8\nm9' ]
  [ "$(chat-replay -o 8-0 m)" = $'m8\nm9' ]
  [ "$(chat-replay -S 8000000000000 m)" = '' ]
  [ "$(chat-replay -o end m)" = '' ]
  r xadd chat:t 1756735200000-0 data a
  r xadd chat:t 1756821600000-0 data b
  [ "$(chat-replay -S 2025-09-01 -U 2025-09-02 t)" = a ]
  [ "$(chat-replay -o s@2025-09-02 t)" = b ]
}

@test "several channels are merged in the order of their ids" {
  fill a 1000 1 3
  fill b 1000 2 3
  fill c 1000 3 3
  run chat-replay -F '%o' a b c
  [ "$output" = "$(printf '%d-0\n' {1..1000})" ]
  [ "$(chat-replay a nowhere | wc -l)" -eq 334 ]
  [ "$(chat-replay -c 5 a b c)" = $'a1\nb2\nc3\na4\nb5' ]
  [ "$(chat-replay -n 1 a b c)" = $'b998\nc999\na1000' ]
}

@test "equal ids keep the order of the operands" {
  fill a 3
  fill b 3
  [ "$(chat-replay b a | tr '\n' ' ')" = 'b1 a1 b2 a2 b3 a3 ' ]
}

@test "-r is newest first" {
  fill m 1234
  [ "$(chat-replay -r m)" = "$(chat-replay m | tac)" ]
  [ "$(chat-replay --reverse -n 3 m)" = $'m1234\nm1233\nm1232' ]
  [ "$(chat-replay -r -a 1232-0 m)" = $'m1234\nm1233' ]
  [ "$(chat-replay -r -o 1233-0 m)" = $'m1234\nm1233' ]
  [ -z "$(chat-replay -r -o end m)" ]
  [ "$(chat-replay -r -c 1 m)" = m1234 ]
  fill a 1000 1 2
  fill b 1000 2 2
  [ "$(chat-replay -r -F '%o' a b)" = "$(printf '%d-0\n' {1000..1})" ]
}

@test "-f goes on live after the end" {
  fill a 3 1 2
  fill b 2 2 2
  spawn replay chat-replay -f a b
  wait_until 10 out_is $'a1\nb2\na3'
  r xadd chat:b '*' data live
  wait_until 10 out_is $'a1\nb2\na3\nlive'
  run chat-replay -r -f a
  [ "$status" -eq 64 ]
  end "$SPAWNED"
  spawn replay chat-replay --follow -c 3 a
  r xadd chat:a '*' data more
  wait_until 10 gone "$SPAWNED"
  out_is $'a1\na3\nmore'
}

@test "-c, -w, -W, --event, --fail-empty, -B and --on-gap as in chat-tail" {
  fill m 300
  [ "$(chat-replay -c 2 m)" = $'m1\nm2' ]
  [ "$(chat-replay -B 7 m | wc -l)" -eq 300 ]
  r xadd chat:m '*' data typed event x
  [ "$(chat-replay --event x m)" = typed ]
  run chat-replay --fail-empty nowhere
  [ "$status" -eq 1 ]
  run chat-replay -f -w 100ms -c 1000 m
  [ "$status" -eq 1 ]
  run chat-replay -f -W 200ms m
  [ "$status" -eq 0 ]
  r xtrim chat:m minid 6-0
  run --separate-stderr chat-replay -a 2-0 --on-gap stop m
  [ "$status" -eq 65 ]
}

@test "formats are those of chat-tail" {
  r xadd chat:m 1756735200000-5 data 'a b' key k
  [ "$(chat-replay -F id m)" = 1756735200000-5 ]
  [ "$(chat-replay -j m | jq -r .key)" = k ]
  [ "$(chat-replay -K : m)" = 'k:a b' ]
  [ "$(chat-replay -0 m | tr '\0' '.')" = 'a b.' ]
  [ "$(chat-replay -D '' m)" = 'a b' ]
  [ "$(chat-replay --escape always m)" = 'a b' ]
}

@test "output that cannot be written is 74, a reader gone 141" {
  fill m 5
  run bash -c 'chat-replay m >/dev/full'
  [ "$status" -eq 74 ]
  run bash -c 'chat-replay m >&-'
  [ "$status" -eq 74 ]
  set +o pipefail
  chat-replay m | :
  [[ ${PIPESTATUS[0]} =~ ^(0|141)$ ]]
}

@test "a slow reader gets everything" {
  local i
  for ((i = 0; i < 300; i++)); do
    printf 'xadd chat:m * data %05000d\n' "$i"
  done | r >/dev/null
  [ "$(chat-replay m | (wait_until 1 false || cat) | cksum)" = \
    "$(for ((i = 0; i < 300; i++)); do printf '%05000d\n' "$i"; done |
      cksum)" ]
  [ "$(chat-replay m m | wc -l)" -eq 300 ]
}

@test "a trim that overtakes a slow reader is told" {
  local fifo=$BATS_TEST_TMPDIR/fifo i
  for ((i = 0; i < 500; i++)); do
    printf 'xadd chat:m * data %05000d\n' "$i"
  done | r >/dev/null
  mkfifo "$fifo"
  spawn slow bash -c "chat-replay -B 10 -F '%s' m >'$fifo'"
  exec 7<"$fifo"
  read -r _ <&7
  r xtrim chat:m maxlen 10
  cat <&7 >"$BATS_TEST_TMPDIR/rest"
  exec 7<&-
  [ "$(wc -l <"$BATS_TEST_TMPDIR/rest")" -lt 499 ]
  wait_until 10 grep -q trimmed "$BATS_TEST_TMPDIR/slow.err"
}

@test "long spellings mean what the letters mean, in each reader" {
  local program url=$CHAT_URL
  fill m 3
  for program in 'chat-tail -e' chat-replay; do
    # shellcheck disable=SC2086 # a word or two
    {
      [ "$(CHAT_URL=unix:///nowhere $program --url "$url" m | wc -l)" -eq 3 ]
      [ "$($program --ndjson m)" = "$($program -j m)" ]
      [ "$($program --version)" = "$($program -V)" ]
      run $program --quiet --quiet --retry 0 -u unix:///nowhere m
      [ "$status" -eq 75 ]
      [ -z "$output" ]
    }
  done
}
