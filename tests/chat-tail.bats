# chat-tail: the last messages of channels, and those that come.

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

# add CHANNEL ID TEXT: one entry with that id.
add() {
  r xadd "chat:$1" "$2" data "$3"
}

# fill CHANNEL N: entries 1-0 to N-0 with the texts m1 to mN.
fill() {
  local i
  for ((i = 1; i <= $2; i++)); do
    echo "xadd chat:$1 $i-0 data m$i"
  done | r >/dev/null
}

out() {
  cat "$BATS_TEST_TMPDIR/tail.out"
}

out_is() {
  [ "$(out)" = "$1" ]
}

# tail ARG...: in the background, its output in tail.out.
tail_start() {
  spawn tail chat-tail "$@"
}

# The reader sits in its blocked read.
reading() {
  [[ $(r client list) == *cmd=xread* ]]
}

@test "starts with the last 10 by default" {
  fill room 15
  [ "$(chat-tail -e room)" = "$(printf 'm%d\n' {6..15})" ]
}

@test "-n N, -n all and -o -N choose how many" {
  fill room 250
  [ "$(chat-tail -e -n 3 room)" = $'m248\nm249\nm250' ]
  [ "$(chat-tail -e -o -2 room)" = $'m249\nm250' ]
  [ "$(chat-tail -e -n 240 room)" = "$(printf 'm%d\n' {11..250})" ]
  [ "$(chat-tail -e -n 250 room | wc -l)" -eq 250 ]
  [ "$(chat-tail -e -n 251 room | wc -l)" -eq 250 ]
  [ "$(chat-tail -e --lines all room | wc -l)" -eq 250 ]
  [ -z "$(chat-tail -e -n 0 room)" ]
}

@test "-o takes beginning, end, an id (inclusive) and times" {
  fill room 5
  [ "$(chat-tail -e -o beginning room | head -n 1)" = m1 ]
  [ -z "$(chat-tail -e --offset end room)" ]
  [ "$(chat-tail -e -o 4-0 room)" = $'m4\nm5' ]
  add times 1756735200000-0 ten
  add times 1756735260000-0 eleven
  [ "$(chat-tail -e -o s@2025-09-01T14:01:00Z times)" = eleven ]
  [ "$(chat-tail -e -o s@2025-09-01T14:01:00Z times)" = "$(
    chat-tail -e -o s@1756735260 times
  )" ]
  [ "$(chat-tail -e -o beginning -o e@2025-09-01T14:01:00Z times)" = ten ]
  [ "$(chat-tail -e -S 2025-09-01T16:00:30+02:00 times)" = eleven ]
  [ "$(chat-tail -e -n all --until 1756735260000 times)" = ten ]
  [ "$(chat-tail -e --since 1756735200 --until 1756735260 times)" = ten ]
}

@test "-a is strictly after, and 0 is the beginning" {
  fill room 3
  [ "$(chat-tail -e -a 2-0 room)" = m3 ]
  [ "$(chat-tail -e --after 0 room)" = $'m1\nm2\nm3' ]
}

@test "bad positions, and two of them, are usage errors" {
  local bad
  for bad in '-o foo' '-o -x' '-o s@never' '-a 1-2-3' '-a x' '-n -1' '-n x' \
    '-S yesterday' '-U 1e9' '-n 1 -a 1-1' '-o end -S now' '-U now -o e@now' \
    '-o 1-18446744073709551616'; do
    # shellcheck disable=SC2086 # two or four words
    run --separate-stderr chat-tail -e $bad room
    [ "$status" -eq 64 ]
    [ -z "$output" ]
    [ -n "$stderr" ]
  done
}

@test "no channel, a misplaced option, bad names and --batch 0 are usage errors" {
  run chat-tail
  [ "$status" -eq 64 ]
  run chat-tail room -e
  [ "$status" -eq 64 ]
  [[ $output == *"options go before"* ]]
  run chat-tail -e $'a\nb'
  [ "$status" -eq 64 ]
  run chat-tail -e "$(printf '%0257d' 0)"
  [ "$status" -eq 64 ]
  run chat-tail -e -B 0 room
  [ "$status" -eq 64 ]
  run chat-tail --no-such-option room
  [ "$status" -eq 64 ]
}

@test "follows: what is added later appears at once" {
  fill room 2
  tail_start room
  wait_until 10 out_is $'m1\nm2'
  add room 3-0 later
  wait_until 10 out_is $'m1\nm2\nlater'
}

@test "a channel that does not exist yet is waited for" {
  tail_start -n 0 nowhere
  wait_until 10 reading
  add nowhere 1-1 first
  wait_until 10 out_is first
}

@test "several channels share one connection" {
  fill a 2
  fill b 2
  tail_start -F '%t:%s' a b c a
  wait_until 10 reading
  add c 1-0 x
  add a 3-0 y
  add b 3-0 z
  wait_until 10 eval '[ "$(out | sort | tr "\n" " ")" = \
    "a:m1 a:m2 a:y b:m1 b:m2 b:z c:x " ]'
  wait_until 10 eval '[ "$(r client list | grep -c chat-tail)" = 1 ]'
}

@test "-e ends at the end as it is at the start" {
  fill room 3
  run chat-tail -e -n all room
  [ "$status" -eq 0 ]
  [ "$output" = $'m1\nm2\nm3' ]
  run chat-tail --exit-at-end nowhere
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "-c stops after N, also in the middle of a page" {
  fill room 500
  [ "$(chat-tail -n all -c 120 room | wc -l)" -eq 120 ]
  [ "$(chat-tail -n all --count 1 room)" = m1 ]
}

@test "-w and -W stop, with 1 if -c was not reached" {
  fill room 2
  run chat-tail -w 200ms room
  [ "$status" -eq 0 ]
  [ "$output" = $'m1\nm2' ]
  run chat-tail --idle 100ms -c 3 room
  [ "$status" -eq 1 ]
  run chat-tail -W 200ms -c 3 room
  [ "$status" -eq 1 ]
  run chat-tail --deadline 200ms room
  [ "$status" -eq 0 ]
}

@test "--fail-empty exits 1 when nothing was written" {
  run chat-tail -e --fail-empty nowhere
  [ "$status" -eq 1 ]
  fill room 1
  run chat-tail -e --fail-empty room
  [ "$status" -eq 0 ]
}

@test "--event chooses types" {
  r xadd chat:room 1-0 data a event x
  r xadd chat:room 2-0 data b event y
  r xadd chat:room 3-0 data c
  r xadd chat:room 4-0 data d event z
  [ "$(chat-tail -e --event x --event z room)" = $'a\nd' ]
  [ "$(chat-tail --event z -c 1 room)" = d ]
}

@test "-B bounds a page and changes nothing else" {
  fill room 25
  [ "$(chat-tail -e -n all -B 1 room)" = "$(chat-tail -e -n all room)" ]
  [ "$(chat-tail -e -n all --batch 7 room | wc -l)" -eq 25 ]
}

@test "formats, delimiters and keys" {
  r xadd chat:room 1756735200000-5 data 'a b' key k1 event e mid m1 lang en
  [ "$(chat-tail -e -F id room)" = 1756735200000-5 ]
  [ "$(chat-tail -e -F log room)" = \
    '2025-09-01T14:00:00.000Z room 1756735200000-5 a b' ]
  [ "$(chat-tail -e --format '%S|%k|%K|%h|%{lang}|%e|%m|%i|%%' room)" = \
    '3|k1|2|lang=en|en|e|m1|1|%' ]
  [ "$(chat-tail -e -j room)" = \
    '{"channel":"room","id":"1756735200000-5","ts":1756735200000,"event":"e","mid":"m1","key":"k1","headers":{"lang":"en"},"data":"a b"}' ]
  [ "$(chat-tail -e -K '=' room)" = 'k1=a b' ]
  [ "$(chat-tail -e --key-delimiter '%' room)" = 'k1%a b' ]
  [ "$(chat-tail -e -D '--\n' room)" = 'a b--' ]
  [ "$(chat-tail -e --delimiter '' room | od -An -c | tr -d ' \n')" = ab ]
  [ "$(chat-tail -e -0 room | od -An -tx1 | tr -d ' ')" = 61206200 ]
  [ "$(chat-tail -e --null --format '%k' room | tr '\0' '.')" = k1. ]
}

@test "formats that contradict each other, and unknown ones, are usage errors" {
  local bad
  for bad in '-j -F raw' '-j -0' '-j -D x' '-j -K x' '-0 -D x' '-F %s -K x' \
    '-F %q' '-F %' '-F %{x' '-D \q' '--escape=maybe'; do
    # shellcheck disable=SC2086
    run chat-tail -e $bad room
    [ "$status" -eq 64 ]
  done
}

@test "--field and --prefix say where to look" {
  r xadd other:room 1-0 body text data no
  [ "$(chat-tail --prefix other: --field body -e room)" = text ]
  [ "$(CHAT_PREFIX=other: CHAT_FIELD=body chat-tail -e room)" = text ]
}

@test "--escape shows control characters as \\xNN" {
  add room 1-0 $'a\e[31mb\x07'
  [ "$(chat-tail -e --escape always room)" = 'a\x1b[31mb\x07' ]
  [ "$(chat-tail -e --escape never room)" = $'a\e[31mb\x07' ]
  [ "$(chat-tail -e room)" = $'a\e[31mb\x07' ]
  [ "$(script -qec "chat-tail -e room" /dev/null | tr -d '\r')" = \
    'a\x1b[31mb\x07' ]
}

@test "entries of others: no payload, odd fields, binary" {
  r xadd chat:room 1-0 foo bar
  printf 'a\0b\377' | r -x xadd chat:room 2-0 data
  [ "$(chat-tail -e -F '%S' room)" = $'-1\n4' ]
  [ "$(chat-tail -e -j room | jq -c '[.data,.data_b64,.headers]')" = \
    $'[null,null,{"foo":"bar"}]\n[null,"YQBi/w==",null]' ]
}

@test "D17 a reader that goes away ends it as SIGPIPE would" {
  fill room 5
  set +o pipefail
  chat-tail room | head -n 1
  [ "${PIPESTATUS[0]}" -eq 141 ]
}

# The shell prints its pid and becomes chat-tail, whose reader leaves.
@test "a reader that goes away is noticed on a quiet channel" {
  local fifo=$BATS_TEST_TMPDIR/fifo
  mkfifo "$fifo"
  exec 7<>"$fifo"
  7>&- spawn quiet bash -c "exec chat-tail -n 0 room >'$fifo'"
  wait_until 10 reading
  exec 7>&-
  wait_until 5 gone "$SPAWNED"
}

not_reading() {
  ! reading
}

# (A shell without job control starts background commands with INT ignored.)
@test "signals end it truly" {
  local signo status
  for signo in INT TERM HUP; do
    wait_until 10 not_reading
    spawn tail env --default-signal=INT chat-tail -n 0 room
    wait_until 10 reading
    kill -s $signo "$SPAWNED"
    status=0
    wait "$SPAWNED" || status=$?
    [ "$status" -eq $((128 + $(kill -l $signo))) ]
  done
}

@test "--cursor-file goes on where it ended" {
  local pos=$BATS_TEST_TMPDIR/pos
  fill room 3
  [ "$(chat-tail -e --cursor-file "$pos" -o beginning room)" = $'m1\nm2\nm3' ]
  [ "$(cat "$pos")" = 3-0 ]
  [ -z "$(chat-tail -e --cursor-file "$pos" -o beginning room)" ]
  add room 4-0 m4
  [ "$(chat-tail -e --cursor-file "$pos" room)" = m4 ]
  fill two 5
  chat-tail -n all -c 2 --cursor-file "$pos.2" two
  [ "$(cat "$pos.2")" = 2-0 ]
  [ "$(chat-tail -e --cursor-file "$pos.2" two)" = $'m3\nm4\nm5' ]
}

@test "--cursor-file: nothing that was not written counts" {
  local pos=$BATS_TEST_TMPDIR/pos
  fill room 3
  run bash -c "chat-tail -e --cursor-file '$pos' -n all room >/dev/full"
  [ "$status" -eq 74 ]
  [ ! -e "$pos" ]
}

@test "--cursor-file: garbage, several channels, no such folder" {
  echo garbage >"$BATS_TEST_TMPDIR/pos"
  run chat-tail -e --cursor-file "$BATS_TEST_TMPDIR/pos" room
  [ "$status" -eq 65 ]
  [[ $output == *'not a cursor'* ]]
  echo 1-0 >"$BATS_TEST_TMPDIR/pos"
  run chat-tail -e --cursor-file "$BATS_TEST_TMPDIR/pos" a b
  [ "$status" -eq 65 ]
  [[ $output == *'not a cursor of several channels'* ]]
  [ "$(cat "$BATS_TEST_TMPDIR/pos")" = 1-0 ]
  fill room 1
  run chat-tail -e --cursor-file "$BATS_TEST_TMPDIR/no/such" room
  [ "$status" -eq 74 ]
}

# three: entries in a, b and c with the texts CHANNEL1 to CHANNEL$1, of ids that
# differ from channel to channel.
three() {
  local i
  for ((i = ${2:-1}; i <= $1; i++)); do
    echo "xadd chat:a 175673520000$i-0 data a$i"
    echo "xadd chat:b 175673520000$i-$i data b$i"
    echo "xadd chat:c $i-18446744073709551615 data c$i"
  done | r >/dev/null
}

sorted() {
  "$@" | sort | xargs
}

@test "--cursor-file of several channels: any order, some gone, some new" {
  local pos=$BATS_TEST_TMPDIR/pos
  three 3
  [ "$(sorted chat-tail -e --cursor-file "$pos" -n 2 a b c)" = \
    'a2 a3 b2 b3 c2 c3' ]
  [[ $(cat "$pos") =~ ^c4[A-Za-z0-9._~-]+$ ]]
  [ "$(wc -l <"$pos")" -eq 1 ]
  [ -z "$(chat-tail -e --cursor-file "$pos" c a b)" ]
  three 6 4
  fill d 3
  [ "$(sorted chat-tail -e --cursor-file "$pos" -n 1 c d a)" = \
    'a4 a5 a6 c4 c5 c6 m3' ]
  [ -z "$(chat-tail -e --cursor-file "$pos" a c d)" ]
  [ "$(sorted chat-tail -e --cursor-file "$pos" -n 2 b a)" = 'b5 b6' ]
}

@test "--cursor-file: one channel of several, and back to an id" {
  local pos=$BATS_TEST_TMPDIR/pos
  three 3
  chat-tail -e --cursor-file "$pos" a b
  three 4 4
  [ "$(chat-tail -e --cursor-file "$pos" b)" = b4 ]
  [ "$(cat "$pos")" = 1756735200004-4 ]
}

@test "--cursor-file of several channels knows those without a message" {
  local pos=$BATS_TEST_TMPDIR/pos
  three 3
  [ "$(sorted chat-tail -e -n 0 -c 1 --cursor-file "$pos" a b)" = '' ]
  spawn tail chat-tail -n 0 -c 1 --cursor-file "$pos" a b c nowhere
  wait_until 10 reading
  r xadd chat:a '*' data now
  wait_until 10 gone "$SPAWNED"
  out_is now
  three 4 4
  add nowhere 1-0 n1
  [ "$(sorted chat-tail -e --cursor-file "$pos" b a nowhere)" = 'b4 n1' ]
}

# Stopped again and again in the middle, each time with other channels.
@test "--cursor-file: nothing is lost or doubled, however often it is resumed" {
  local pos=$BATS_TEST_TMPDIR/pos all=$BATS_TEST_TMPDIR/all i
  local -a orders=('a b c' 'c b a' 'b c a' 'c a b')
  for i in {1..40}; do
    echo "xadd chat:a 17567352$((10000 + i))-0 data a$i"
    echo "xadd chat:b 17567352$((10000 + i))-0 data b$i"
    echo "xadd chat:c 17567352$((10100 - i % 7 + 10 * i))-$i data c$i"
  done | r >/dev/null
  # shellcheck disable=SC2086 # words
  for i in {0..60}; do
    chat-tail -e -B $((i % 5 + 1)) -c 2 --cursor-file "$pos" -o beginning \
      ${orders[i % 4]} >>"$all" || :
  done
  [ "$(sort "$all")" = "$(printf '%s\n' {a,b,c}{1..40} | sort)" ]
}

# TERM while more comes, and again in another order and with one that was not
# there before.
@test "--cursor-file goes on where a live reader was stopped, as does -a" {
  local pos=$BATS_TEST_TMPDIR/pos all=$BATS_TEST_TMPDIR/all i=0 names pub
  for names in 'b a' 'a b c' 'c b a' 'b a c'; do
    # shellcheck disable=SC2016
    spawn pub bash -c 'for ((i = $1; i < $1 + 500; i++)); do
      printf "xadd chat:%s * data %s$i\n" a a b b c c
    done | redis-cli -s "$REDIS_SOCK"' bash "$i"
    pub=$SPAWNED i=$((i + 500))
    rm -f "$BATS_TEST_TMPDIR/tail.out"
    # shellcheck disable=SC2086 # words
    tail_start -n all -B 7 --cursor-file "$pos" $names
    wait_until 10 test -s "$BATS_TEST_TMPDIR/tail.out"
    end "$SPAWNED"
    out >>"$all"
    wait_until 10 gone "$pub"
  done
  chat-tail -e -a "$(cat "$pos")" b c a >>"$all"
  [ "$(sort "$all")" = "$(printf '%s\n' {a,b,c}{0..1999} | sort)" ]
}

@test "-a takes a cursor of several channels, as does chat-replay" {
  local pos=$BATS_TEST_TMPDIR/pos cursor
  three 3
  chat-tail -e --cursor-file "$pos" a b c
  cursor=$(cat "$pos")
  three 5 4
  fill d 12
  [ "$(sorted chat-tail -e -a "$cursor" c b a)" = 'a4 a5 b4 b5 c4 c5' ]
  [ "$(chat-tail -e -a "$cursor" b)" = $'b4\nb5' ]
  [ "$(chat-tail -e -a "$cursor" d | wc -l)" -eq 10 ]
  [ "$(sorted chat-tail -e -a "$cursor" c d | wc -w)" -eq 12 ]
  [ "$(chat-replay -a "$cursor" c b a | xargs)" = 'c4 c5 a4 b4 a5 b5' ]
  [ "$(chat-replay -r -a "$cursor" b a | xargs)" = 'b5 a5 b4 a4' ]
  [ "$(chat-replay -a "$cursor" d b | wc -l)" -eq 14 ]
  three 6 6
  [ "$(chat-replay -f -c 6 -a "$cursor" a b | xargs)" = 'a4 b4 a5 b5 a6 b6' ]
}

@test "-a CURSOR, when it is damaged, is wrong usage; in a file it is data" {
  local pos=$BATS_TEST_TMPDIR/pos cursor program bad
  three 3
  chat-tail -e --cursor-file "$pos" a b
  cursor=$(cat "$pos")
  for program in 'chat-tail -e' chat-replay; do
    for bad in "${cursor%?}" "${cursor}A" "x$cursor" "${cursor/\~/.}" c4 \
      "${cursor,,}"; do
      # shellcheck disable=SC2086 # words
      run $program -a "$bad" a b
      [ "$status" -eq 64 ]
      [[ $output == *'not a cursor: '"$bad"* ]]
    done
    # shellcheck disable=SC2086
    run $program -a "$cursor" -n 1 a b
    [ "$status" -eq 64 ]
    [[ $output == *'more than one start position'* ]]
  done
  echo "${cursor%?}" >"$pos"
  run chat-tail -e --cursor-file "$pos" a b
  [ "$status" -eq 65 ]
  [ "$(cat "$pos")" = "${cursor%?}" ]
}

@test "-a CURSOR: a gap is told of the channel that has one" {
  local pos=$BATS_TEST_TMPDIR/pos
  three 3
  chat-tail -e --cursor-file "$pos" a b
  three 6 4
  r xtrim chat:b minid 1756735200006-6
  run --separate-stderr chat-tail -e -a "$(cat "$pos")" b a
  [ "$status" -eq 0 ]
  [ "$(sort <<<"$output" | xargs)" = 'a4 a5 a6 b6' ]
  [[ $stderr == *'b: '*'after 1756735200003-3 (trimmed)'* ]]
  [ "$(wc -l <<<"$stderr")" -eq 1 ]
  run chat-tail -e --on-gap stop -a "$(cat "$pos")" a b
  [ "$status" -eq 65 ]
}

@test "a cursor that was trimmed past is told, or stops" {
  fill room 10
  r xtrim chat:room minid 6-0
  run --separate-stderr chat-tail -e -a 2-0 room
  [ "$status" -eq 0 ]
  [ "$output" = "$(printf 'm%d\n' {6..10})" ]
  [ "$(grep -c trimmed <<<"$stderr")" -eq 1 ]
  run --separate-stderr chat-tail -e -a 2-0 --on-gap stop room
  [ "$status" -eq 65 ]
  [ -z "$output" ]
  run --separate-stderr chat-tail -e --on-gap report -a 6-0 room
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "a channel made anew is told as reset, one behind the cursor as rewound" {
  fill room 3
  r del chat:room
  add room 9-0 new
  run --separate-stderr chat-tail -e -a 3-0 room
  [ "$output" = new ]
  [[ $stderr == *reset* ]]
  run --separate-stderr chat-tail -e -a 99-0 room
  [ -z "$output" ]
  [[ $stderr == *rewound* ]]
  run --separate-stderr chat-tail -e -a 99-0 nowhere
  [[ $stderr == *reset* ]]
}

@test "wrong type, wrong password and no permission have their statuses" {
  r set chat:room x
  run chat-tail -e room
  [ "$status" -eq 66 ]
  [[ $output == *WRONGTYPE* ]]
  run chat-tail room
  [ "$status" -eq 66 ]
  CHAT_PASSWORD=wrong run chat-tail -e room
  [ "$status" -eq 77 ]
  r acl setuser reader on '>secret' '~chat:allowed' +@all
  CHAT_PASSWORD=secret run chat-tail --user reader -e other
  [ "$status" -eq 77 ]
  CHAT_PASSWORD=secret run chat-tail --user reader -e allowed
  [ "$status" -eq 0 ]
}

@test "passwords come from a file, the environment or the URL" {
  r acl setuser reader on '>secret' '~*' +@all
  fill room 1
  printf 'secret\n' >"$BATS_TEST_TMPDIR/pw"
  [ "$(chat-tail --user reader --password-file "$BATS_TEST_TMPDIR/pw" \
    -e room)" = m1 ]
  [ "$(REDISCLI_AUTH=secret CHAT_USER=reader chat-tail -e room)" = m1 ]
  [ "$(chat-tail -u "unix://reader:secret@$REDIS_SOCK" -e room)" = m1 ]
  run chat-tail --password-file "$BATS_TEST_TMPDIR/none" -e room
  [ "$status" -eq 78 ]
}

@test "a password in a URL does not stay in the arguments" {
  r acl setuser reader on '>secret' '~*' +@all
  tail_start -n 0 -u "unix://reader:secret@$REDIS_SOCK" room
  wait_until 10 reading
  run grep -q secret "/proc/$SPAWNED/cmdline"
  [ "$status" -eq 1 ]
  grep -q reader:xxxxxx@ "/proc/$SPAWNED/cmdline"
}

@test "another database" {
  r -n 3 xadd chat:room 1-0 data three
  [ "$(chat-tail -u "$CHAT_URL?db=3" -e room)" = three ]
  run chat-tail -u "$CHAT_URL?db=99" -e room
  [ "$status" -eq 70 ]
}

@test "bad URLs and configuration have their statuses" {
  run chat-tail -u http://x -e room
  [ "$status" -eq 64 ]
  CHAT_URL=http://x run chat-tail -e room
  [ "$status" -eq 78 ]
  printf 'prefix = other:\n# a comment\n\n' >"$BATS_TEST_TMPDIR/conf"
  r xadd other:room 1-0 data configured
  [ "$(chat-tail --config "$BATS_TEST_TMPDIR/conf" -e room)" = configured ]
  mkdir -p "$BATS_TEST_TMPDIR/chat"
  cp "$BATS_TEST_TMPDIR/conf" "$BATS_TEST_TMPDIR/chat/chat.conf"
  [ "$(env -u CHAT_CONFIG XDG_CONFIG_HOME="$BATS_TEST_TMPDIR" \
    chat-tail -e room)" = configured ]
  [ "$(CHAT_CONFIG=$BATS_TEST_TMPDIR/conf chat-tail --prefix chat: -e \
    room)" = "" ]
  echo 'lines = 3' >"$BATS_TEST_TMPDIR/conf"
  run chat-tail --config "$BATS_TEST_TMPDIR/conf" -e room
  [ "$status" -eq 78 ]
  [[ $output == *"conf:1: lines: only under [chat-tail]" ]]
  run chat-tail --config "$BATS_TEST_TMPDIR/missing" -e room
  [ "$status" -eq 78 ]
}

@test "a configuration file has sections for the programs" {
  r xadd chat:room 1-0 data one
  r xadd chat:room 2-0 data two
  printf '%s\n' '[chat-tail]' 'format = %i-%s' 'lines = 1' '[chat-replay]' \
    'format = %o' >"$BATS_TEST_TMPDIR/conf"
  export CHAT_CONFIG=$BATS_TEST_TMPDIR/conf
  [ "$(chat-tail -e room)" = 1-two ]
  [ "$(chat-tail -e -n 2 -F %s room)" = $'one\ntwo' ]
  [ "$(chat-replay room)" = $'1-0\n2-0' ]
  chat-pub room three
}

@test "--timeout bounds a Redis that does not answer" {
  local sock=$BATS_TEST_TMPDIR/mute.sock
  spawn mute nc -lkU "$sock"
  wait_until 10 test -S "$sock"
  run chat-tail -u "unix://$sock" -t 200ms --retry 0 -e room
  [ "$status" -eq 75 ]
  [[ $output == *"timed out"* ]]
}

@test "-q, -v, -h and -V" {
  run --separate-stderr chat-tail -q -e -a 9-0 nowhere
  [ -z "$stderr" ]
  run --separate-stderr chat-tail --verbose -e nowhere
  [[ $stderr == *connected* ]]
  run chat-tail --help
  [ "$status" -eq 0 ]
  [[ $output == *--cursor-file* ]]
  [ "$(chat-tail -h)" = "$output" ]
  run chat-tail -V
  [ "$status" -eq 0 ]
  [[ $output =~ ^chat-tail\ [0-9] ]]
}

@test "readiness is told by sd_notify once reading" {
  local sock=$BATS_TEST_TMPDIR/notify
  spawn notify socat -u "UNIX-RECV:$sock" -
  wait_until 10 test -S "$sock"
  NOTIFY_SOCKET=$sock tail_start -n 0 room
  wait_until 10 grep -q READY=1 "$BATS_TEST_TMPDIR/notify.out"
}

@test "closed descriptors are errors, not Redis" {
  fill room 2
  run bash -c 'chat-tail -e room <&-'
  [ "$status" -eq 0 ]
  [ "$output" = $'m1\nm2' ]
  run bash -c 'chat-tail -e room >&-'
  [ "$status" -eq 74 ]
  run bash -c 'chat-pub room <&-'
  [ "$status" -eq 74 ]
  [ "$(chat-tail -e room 2>&-)" = $'m1\nm2' ]
}
