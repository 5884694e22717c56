# What is published is what a browser sees: the same over two pipes, with a
# process for each connection, and with one process for all. The judge of what a
# browser sees is tests/helpers/sse_parser.c.

load helpers/common
load helpers/http
load helpers/modes
load helpers/follow

setup_file() {
  redis_start
  serve_both --publish room
}

teardown_file() {
  end_spawned
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(--publish room)
}

teardown() {
  end_spawned
}

# judge <ANSWER: the messages, `ID TYPE DATA` a line, DATA in hexadecimal.
judge() {
  "$BUILD/tests/bench/events" | awk '$2 !~ /^chat-/'
}

judged() {
  get "$events?last=99999" | judge
}

# What is stored, in the same form; a browser knows one end of a line, LF.
stored() {
  paste -d ' ' <(chat-replay -F '%o message' room) <(
    chat-replay -F %x room |
      sed 's/../& /g; s/0d 0a /0a /g; s/0d /0a /g; s/ //g'
  )
}

as_stored() {
  stored >stored
  judged | cmp - stored
}

# sent TEXT...: each of them is one message, with that text.
sent() {
  chat-pub room "$@"
  [ "$(r xlen chat:room)" = $# ]
  each_way as_stored
}

# to_redis <COMMANDS: with escapes in quotation marks.
to_redis() {
  r | grep -i err && return 1
  return 0
}

# --- Texts --------------------------------------------------------------------

@test "W01 lines that end in LF, CR and CRLF" {
  sent $'several\nlines\rwith\r\neol'
  [ "$(get "$events?last=1" | body_of | sed -n '/^id: .*-/,$p' |
    grep -c '^data: [a-z]')" = 4 ]
}

@test "W02 an empty message is an event with empty data and an id" {
  sent ''
  get "$events?last=1" | body_of | tail -n 3 >frame
  [ "$(cat frame)" = "id: $(chat-replay -F id room)
data: " ]
}

@test "W03 empty messages between others" {
  sent hey "here's a blank..." '' '' 'one more' '' 'ok then' FIN
}

@test "W04 a blank line in the middle" {
  sent $'abc\n\ndef' $'\n' $'a\r\rb' $'a\r\n\r\nb'
  {
    printf '%0450000d\n\n' 0
    printf '%0450000d' 1
  } | chat-pub -s room
  each_way as_stored
}

@test "W05 line ends at the end of a message survive" {
  sent $'a\n' $'a\n\n' $'a\r' $'a\r\n' $'a\r\r\n\n' $'\n\n\n'
}

@test "W06 spaces, a tab, a colon and a BOM at the beginning" {
  sent ' a' '  a' ' ' $'\ta' ':a' ': a' $'\xef\xbb\xbfa' $'a\n b\n:c\n\xef\xbb\xbfd'
}

@test "W07 a message cannot forge another one" {
  local end
  for end in $'\n' $'\r' $'\r\n'; do
    sent "x$end${end}event: evil${end}id: 9-9${end}data: y$end$end" \
      "x${end}retry: 1${end}:$end" "data: x${end}id$end"
    r del chat:room
  done
}

# refused_event TYPE: in the query.
refused_event() {
  post "/chat/room/messages?event=$1" text/plain x >answer
  [ "$(status <answer)" = 400 ]
}

@test "W08 a type with CR, LF or NUL is refused, and nothing stored" {
  local type
  for type in $'foo\nid: 1' $'foo\r' $'\n'; do
    run -64 chat-pub --event "$type" room x
  done
  for type in foo%0aid:+1 foo%0d foo%00 %0d%0a; do
    each_way refused_event $type
  done
  [ "$(r exists chat:room)" = 0 ]
}

foreign_types() {
  judged | diff - <(printf '%s\n' '1-0 xdata: yid: 9-9 61' '2-0 a 62' \
    '3-0 message 63' '4-0  a 64')
}

@test "W09 CR, LF and NUL in a type that another has stored go" {
  to_redis <<'END'
xadd chat:room 1-0 data a event "x\r\ndata: y\n\nid: 9-9"
xadd chat:room 2-0 data b event "a\x00\n"
xadd chat:room 3-0 data c event "\r\n"
xadd chat:room 4-0 data d event " a"
END
  each_way foreign_types
}

@test "W10 NUL is a character like others" {
  to_redis <<'END'
xadd chat:room * data "a\x00b"
xadd chat:room * data "\x00"
xadd chat:room * data "\x00\n\x00\n"
END
  each_way as_stored
}

replaced() {
  judged | cut -d ' ' -f 3 | diff - <(printf '%s\n' efbfbdefbfbd6f6b efbfbd \
    efbfbd0a61 efbfbdefbfbdefbfbd)
}

refused_text() {
  post /chat/room/messages text/plain $'\xff\xfeok' >answer
  [ "$(status <answer)" = 400 ]
}

@test "W11 ill-formed UTF-8 is refused, and replaced where another stored it" {
  each_way refused_text
  [ "$(r exists chat:room)" = 0 ]
  to_redis <<'END'
xadd chat:room * data "\xff\xfeok"
xadd chat:room * data "\xe2\x82"
xadd chat:room * data "\xc3\na"
xadd chat:room * data "\xed\xa0\x80"
END
  each_way replaced
}

# --- Sizes --------------------------------------------------------------------

# Letters of no pattern, lines of so many bytes, one for each line of stdin.
lines_of() {
  awk '
    BEGIN { srand(1) }
    {
      line = ""
      while (length(line) < $1) {
        if (length(line) > 1000 && 2 * length(line) <= $1)
          line = line line
        else
          line = line sprintf("%c", 97 + int(26 * rand()))
        if (length(line) > 1000 && length(line) < $1)
          line = line substr(line, 1, $1 - length(line))
      }
      print line
    }'
}

same_lines() {
  get "$events?last=99999" | messages | cmp - lines
}

@test "W12 messages of 5 to 10000 bytes" {
  awk 'BEGIN { for (n = 5; n <= 10000; n = int(n * 1.01) + 1) print n }' |
    lines_of >lines
  chat-pub room <lines
  each_way same_lines
}

@test "W13 messages of 500 to 900000 bytes" {
  seq 9 | awk '{ print 500 * 2 ^ $1 } END { print 900000 }' | lines_of >lines
  chat-pub room <lines
  each_way same_lines
}

@test "W13 30 messages of 2 MB" {
  seq 2000001 2000030 | lines_of >lines
  chat-pub --max-size 4M room <lines
  each_way same_lines
}

@test "W14 10 MB are too large to be published, unless asked for" {
  echo 10000000 | lines_of >lines
  run -65 chat-pub room <lines
  [ "$(r exists chat:room)" = 0 ]
  chat-pub --max-size 16M room <lines
  each_way same_lines
}

# sips: from the history a byte each millisecond, to DIR/0.
sips() {
  mkdir "$SERVE_MODE"
  spawn "sip.$SERVE_MODE" "$BUILD/tests/bench/follow" "$PORT" "$events?last=9" \
    1 "$SERVE_MODE" 1
}

@test "W15 who reads byte by byte gets the same bytes" {
  local mode
  chat-pub room "$(printf %01000d 0)" '' $'two\nlines' END
  both sips
  get "$events?last=9" | body_of | grep -v ^retry >whole
  for mode in accept listen; do
    wait_until 30 eval "grep -qx 'data: END' $mode/0 &&
      grep -v ^retry $mode/0 | cmp - whole"
  done
}

# --- The stream ---------------------------------------------------------------

stream_head() {
  get $events >answer
  [ "$(head -n 1 answer)" = $'HTTP/1.1 200 OK\r' ]
  [ "$(field Content-Type <answer)" = text/event-stream ]
  [ "$(field Cache-Control <answer)" = 'no-store, no-transform' ]
  [ "$(field X-Accel-Buffering <answer)" = no ]
  [ "$(field X-Content-Type-Options <answer)" = nosniff ]
  [ "$(field Connection <answer)" = close ]
  [ "$(field Chat-Cursor <answer)" = 3-0 ]
  [ -n "$(field Date <answer)" ]
  [ -z "$(field Content-Length <answer)" ]
  [ -z "$(field Transfer-Encoding <answer)" ]
}

@test "W16 the head of a stream" {
  r xadd chat:room 3-0 data x
  each_way stream_head
}

# Milliseconds up to the end of the first frame.
first_frame() {
  local line began
  began=$(now_ms)
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' $events >&9
  while [ "$line" != $'\r' ]; do
    IFS= read -r -t 5 line <&9
  done
  for _ in 1 2 3 4 5; do
    IFS= read -r -t 5 line <&9
    echo "$line"
  done >frame
  echo $(($(now_ms) - began))
  exec 9>&-
}

at_once() {
  for _ in 1 2 3 4 5 6; do
    first_frame
  done >durations
  [ "$(sort -n durations | head -n 1)" -lt 100 ]
  grep -Eqx 'retry: [12][0-9]{3}' frame
  sed 1d frame | diff - <(printf '%s\n' 'id: 3-0' 'event: chat-open' \
    'data: {"channels":["room"],"cursor":"3-0"}' '')
}

@test "W17 where the stream begins is said at once" {
  r xadd chat:room 3-0 data x
  both at_once
}

beats() {
  [ "$(grep -cx : c.out)" -ge "$1" ]
}

busy() {
  r xadd chat:room '*' data x
  [ "$(grep -cx 'data: x' c.out)" -ge 15 ]
}

idle() {
  follow c $events
  wait_until 5 has c 'event: chat-open'
  wait_until 10 busy
  [ "$(grep -cx : c.out)" -le 1 ]
  wait_until 5 beats 3
  # A comment and nothing else.
  [ "$(body_of <c.out | grep -Evx ':|data: .*|id: .*|retry: .*|' |
    xargs)" = 'event: chat-open' ]
  end "$SPAWNED"
}

@test "W18 comments when idle, and only then" {
  ARGS=(--heartbeat 300ms room)
  over_sockets idle
}

types() {
  judged | cut -d ' ' -f 2- | diff - <(printf '%s\n' 'yes-event 61' 'what?! 62' \
    'wahh 63' 'ä: b 64' 'message 65')
}

@test "W19 types of messages" {
  chat-pub --event yes-event room a
  chat-pub --event 'what?!' room b
  chat-pub --event wahh room c
  chat-pub --event 'ä: b' room d
  chat-pub room e
  each_way types
}

pretty() {
  get "$events?last=1" | body_of | sed -n 's/^data: //p' | jq -cs '.[1]' |
    cmp - compact
}

@test "W20 JSON of many lines" {
  echo '{"a":[1,2,{"b":"c\nd","é":null}],"e":{}}' >compact
  jq . compact | chat-pub -s room
  each_way pretty
}

# fuzz SEED N: commands that add messages of hostile pieces, and in the file
# expected what a browser should make of them.
fuzz() {
  awk -v seed="$1" -v n="$2" '
    function pieces(set, max, s, k) {
      for (k = int(max * rand()); k > 0; k--)
        s = s set[1 + int(rand() * set[0])]
      return s
    }
    function escaped(s) {
      gsub(/../, "\\x&", s)
      return s
    }
    # As a browser has it.
    function decoded(s) {
      gsub(/../, "& ", s)
      gsub(/0d 0a /, "0a ", s)
      gsub(/0d /, "0a ", s)
      gsub(/ed a0 80 /, "ff ff ff ", s)
      gsub(/e2 82 /, "ff ", s)
      gsub(/c0 /, "ff ", s)
      gsub(/ff /, "efbfbd", s)
      gsub(/ /, "", s)
      return s
    }
    BEGIN {
      srand(seed)
      k = split("0a 0a 0d 0d0a 00 3a 20 09 61 646174613a20 69643a20 " \
        "6576656e743a2078 72657472793a2031 efbbbf c3a4 f09f9880 ff c0 e282 " \
        "eda080 e280a8 22 5c", texts)
      texts[0] = k
      k = split("0a 0d 00 61 62 3a c3a4 ff", types)
      types[0] = k
      for (i = 1; i <= n; i++) {
        text = pieces(texts, 20)
        type = pieces(types, 4)
        printf "xadd chat:room %d-0 data \"%s\" event \"%s\"\n", i,
          escaped(text), escaped(type)
        gsub(/../, "& ", type)
        gsub(/(0a|0d|00) /, "", type)
        gsub(/61 /, "a", type)
        gsub(/62 /, "b", type)
        gsub(/3a /, ":", type)
        gsub(/c3 a4 /, "ä", type)
        gsub(/ff /, "\xef\xbf\xbd", type)
        print i "-0", type == "" ? "message" : type, decoded(text) >"expected"
      }
    }'
}

as_expected() {
  judged | cmp - expected
}

live() {
  follow "$SERVE_MODE" $events
  wait_until 5 has "$SERVE_MODE" 'event: chat-open'
}

as_expected_live() {
  wait_until 20 has "$SERVE_MODE" 'event: END'
  judge <"$SERVE_MODE.out" | sed '$d' | cmp - expected
}

@test "W22 messages of hostile pieces are seen as they are" {
  local seed=$RANDOM
  echo "seed $seed" >&2
  fuzz $seed 2000 >commands
  both live
  to_redis <commands
  each_way as_expected
  r xadd chat:room '*' event END data ''
  both as_expected_live
}
