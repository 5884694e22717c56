# chat-sse-serve: several channels on one connection. M01 to M10 and G04 are
# cases that every server of this kind should pass.

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
  cd "$BATS_TEST_TMPDIR"
  ARGS=(a b c new)
}

teardown() {
  end_spawned
}

# fill CHANNEL FROM TO: entries FROM-0 to TO-0 with the texts CHANNELi.
fill() {
  local i
  for ((i = $2; i <= $3; i++)); do
    echo "xadd chat:$1 $i-0 data $1$i"
  done | r >/dev/null
}

# of CHANNEL...: the path of their stream, for more parameters to follow.
of() {
  printf '/events?'
  printf 'channel=%s&' "$@"
}

# Of a client's answer, whole frames only: the id of the last one.
last_id() {
  tr -d '\r' | awk '/^id: / { id = $2 } /^$/ && id { last = id }
    END { print last }'
}

# sees TEXTS PATH [HEADER...]: these messages, in the order of the texts
# between channels and as they came within each of them. The answer is in the
# file `answer`.
sees() {
  local got
  get "${@:2}" >answer
  got=$(messages <answer | sort -s -k 1.1,1.1 | xargs)
  [ "$got" = "$1" ] || {
    echo "'$got' instead of '$1' for: ${*:2}" >&2
    cat answer >&2
    return 1
  }
}

# resumes TEXTS PATH: with the last id of the last answer.
resumes() {
  sees "$1" "$2" "Last-Event-ID: $(last_id <answer)"
}

# gaps: `CHANNEL REASON` of each in the last answer.
gaps() {
  grep -A 1 '^event: chat-gap' answer | sed -n 's/^data: //p' |
    jq -r '.channel + " " + .reason'
}

# follow PATH [CURL-OPTION...]: a client of the server, its answer in curl.out.
follow() {
  rm -f curl.out
  spawn curl curl -sSNi --globoff --noproxy '*' "${@:2}" \
    "http://127.0.0.1:$PORT$1"
  CURL=$SPAWNED
  wait_until 10 grep -q chat-open curl.out
}

# has PATTERN: a line in that answer.
has() {
  grep -q -- "$1" curl.out
}

unfollow() {
  end "$CURL"
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

# --- How many ------------------------------------------------------------------

# numbered N FROM TO: entries in c1 to cN, each with its channel and number.
numbered() {
  local c i
  for ((i = $2; i <= $3; i++)); do
    for ((c = 1; c <= $1; c++)); do
      echo "xadd chat:c$c $i-$c data \"c$c $i\""
    done
  done | r >/dev/null
}

# all_numbered FILE N FROM TO: it has each of these once, in order.
all_numbered() {
  messages <"$1" | awk -v n="$2" -v from="$3" -v to="$4" '
    $2 != next_of[$1]++ + from { print "out of order: " $0; bad = 1 }
    { count++ }
    END {
      if (count != n * (to - from + 1)) { print count " messages"; bad = 1 }
      exit bad
    }'
}

many() {
  local n=$1
  local -a names
  mapfile -t names < <(seq -f c%g "$n")
  r flushall
  numbered "$n" 1 3
  get "$(of "${names[@]}")last=9" >answer
  all_numbered answer "$n" 1 3
  numbered "$n" 4 5
  get "$(of "${names[@]}")" "Last-Event-ID: $(last_id <answer)" >answer
  all_numbered answer "$n" 4 5
  run ! grep chat-gap answer
  [ "${OVER-}" = socket ] || return 0
  follow "$(of "${names[@]}")"
  numbered "$n" 6 7
  wait_until 10 all_numbered curl.out "$n" 6 7
  unfollow
}

many_each() {
  local n
  for n in 2 5 15 100 255; do
    many $n
  done
}

@test "M01: 2, 5, 15, 100 and 255 channels: all messages, in order in each" {
  ARGS=(--max-channels 255 'c*')
  in_both_modes many_each
}

limits() {
  local -a names
  mapfile -t names < <(seq -f c%g "$1")
  get "$(of "${names[@]}")" | status | grep -x 200
  get "$(of "${names[@]}")channel=c1" | status | grep -x 200
  get "$(of "${names[@]}" one-more)" >answer
  [ "$(status <answer)" = 400 ]
  [ "$(body_of <answer)" = 'too many channels' ]
}

@test "M02: one more than the limit is refused" {
  local n
  ARGS=('*')
  in_both_modes limits 64
  ARGS=(--max-channels 3 '*')
  in_both_modes limits 3
  for n in 0 401 -1 x; do
    run -64 chat-sse-serve -i --max-channels $n room
    [[ $output == *max-channels* ]]
  done
}

twice() {
  sees 'a1 a2' "$(of a a)last=9"
  grep -qx 'data: {"channels":\["a"\],"cursor":"0-0"}' answer
  resumes '' "$(of a)"
  sees 'a1 a2 b1 b2' "$(of a b a %61 b)last=9"
  grep -q '^data: {"channels":\["a","b"\],' answer
}

@test "M03: the same channel twice counts once" {
  fill a 1 2
  fill b 1 2
  in_both_modes twice
}

by_default() {
  sees 'a1 b1 c1' "/events?last=9"
  sees 'a1 b1 c1' "/events?channel=&last=9"
  sees 'a1' '/chat/a/events?channel=b&last=9'
}

@test "without a name: all that are served by name" {
  fill a 1 1
  fill b 1 1
  fill c 1 1
  fill x1 1 1
  ARGS=(a b 'x*' c)
  in_both_modes by_default
  ARGS=('*')
  get '/events' >answer
  [ "$(status <answer)" = 400 ]
  [ "$(body_of <answer)" = 'which channel?' ]
  get "$(of a)" | status | grep -x 200
  ARGS=(--max-channels 2 a b c)
  get '/events' | body_of | grep -x 'too many channels'
}

only_served() {
  get "$(of a other)" >answer
  [ "$(status <answer)" = 404 ]
  [ "$(body_of <answer)" = 'no such channel' ]
  answers 405 'POST /events?channel=a HTTP/1.0\r\n\r\n'
  answers 404 'GET /events/ HTTP/1.0\r\n\r\n'
}

@test "one channel that is not served refuses all" {
  in_both_modes only_served
}

# --- Names -----------------------------------------------------------------------

names=('a' 'a b' 'a ' 'a+b' 'a:b' '{a}' 'a*' 'a?' '[a]' 'a\b' 'x/y' 'a%20'
  'a&channel=b' 'a,b' 'grün' '☃' '"q"')

encoded() {
  jq -rn --arg name "$1" '$name | @uri'
}

named() {
  local name
  local -a some
  for name in "${names[@]}"; do
    get "$(of "$(encoded "$name")" nowhere)last=9" >answer
    [ "$(messages <answer)" = "in $name" ]
    grep -A 1 -x 'event: chat-open' answer | sed -n 's/^data: //p' |
      jq -e --arg name "$name" '.channels == [$name, "nowhere"]'
    some+=("$(encoded "$name")")
  done
  get "$(of "${some[@]}")last=9" >answer
  diff <(messages <answer | sort) <(printf 'in %s\n' "${names[@]}" | sort)
  get "$(of a+b)last=9" | messages | grep -x 'in a b'
  get "$(of a%2bb nowhere)last=9" | messages | grep -x 'in a+b'
  get "$(of 'a*' nowhere)last=9" | messages | grep -x 'in a\*'
}

not_named() {
  local bad
  for bad in %00 a%00b %0a %7f %c2%80 %ff %c3 %zz % %1 \
    "$(printf '%0257d' 0)" "$(printf '%01024d' 0)"; do
    answers 400 "GET /events?channel=a&channel=${bad//%/%%} HTTP/1.0\r\n\r\n"
  done
  get "$(of a "$(printf '%0256d' 0)")" | status | grep -x 200
}

@test "M08: names of any kind, each with what is its own" {
  local name
  for name in "${names[@]}"; do
    r xadd "chat:$name" 1-0 data "in $name"
  done
  ARGS=('*')
  in_both_modes named
  in_both_modes not_named
}

# --- They do not wait for each other ------------------------------------------------

# publish_mb CHANNEL N: so many megabytes, in messages of 65000 bytes.
publish_mb() {
  local i
  for ((i = 0; i < $2; i++)); do
    r eval 'for i = 1, 16 do
      redis.call("xadd", KEYS[1], "*", "data", string.rep("0", 65000)) end' \
      1 "chat:$1"
  done >/dev/null
}

# slowly PATH [BYTES]: a client that takes so many bytes at most each ms, into
# got/0.
slowly() {
  rm -rf got
  mkdir got
  spawn follow "$BUILD/tests/bench/follow" "$PORT" "$1" 1 got "${2:-4000}"
  FOLLOW=$SPAWNED
  wait_until 10 grep -q chat-open got/0
}

got() {
  grep -q -- "$1" got/0
}

line_of() {
  grep -nx "$1" got/0 | cut -d : -f 1
}

not_stalled() {
  r flushall
  publish_mb a 30
  slowly "$(of a new b)last=1000"
  wait_until 10 got '^data: 0'
  r xadd chat:b '*' data b1
  wait_until 10 got '^data: b1$'
  r xadd chat:a '*' data last
  wait_until 60 got '^data: last$'
  [ "$(grep -c '^data: 0' got/0)" = 480 ]
  # Not only behind the history.
  [ "$(line_of 'data: b1')" -lt $(($(line_of 'data: last') - 300)) ]
  r xadd chat:new '*' data END
  wait_until 10 gone "$FOLLOW"
}

@test "M04: neither a channel without history nor a long one delays others" {
  over_sockets not_stalled
}

# later: of a channel that is not there yet.
later() {
  r del chat:new
  follow "$(of a new)last=9"
  wait_until 10 has '^data: a1$'
  r xadd chat:new 5-0 data n5
  wait_until 10 has '^data: n5$'
  cp curl.out answer
  unfollow
  r xadd chat:new 6-0 data n6
  resumes n6 "$(of a new)"
}

@test "M10: a channel that does not exist yet" {
  fill a 1 1
  over_sockets later
}

# --- Trimming -------------------------------------------------------------------------

trimmed() {
  r flushall
  fill a 1 4
  fill b 1 4
  sees 'a3 a4 b3 b4' "$(of a b)last=2"
  fill a 5 9
  fill b 15 17
  r xtrim chat:a minid 8-0
  resumes 'a8 a9 b15 b16 b17' "$(of b a)"
  [ "$(gaps)" = 'a trimmed' ]
  # The gap is a cursor, too, of all of them.
  sees '' "$(of b a)" "Last-Event-ID: $(last_id <answer)"
  [ -z "$(gaps)" ]
}

@test "G04: what is trimmed in one channel is a gap in that one only" {
  in_both_modes trimmed
}

expiring() {
  local i
  r flushall
  fill a 1 3
  fill b 1 3
  follow "$(of a b)last=9"
  wait_until 10 has '^data: b3$'
  for i in 4 5 6; do
    r xtrim chat:a maxlen 0
    fill a $i $i
    fill b $i $i
    wait_until 10 has "^data: a$i\$"
    wait_until 10 has "^data: b$i\$"
  done
  [ "$(messages <curl.out | sort | xargs)" = \
    'a1 a2 a3 a4 a5 a6 b1 b2 b3 b4 b5 b6' ]
  run ! has chat-gap
  unfollow
}

@test "M05: messages that expire in one channel, while connected" {
  over_sockets expiring
}

stops() {
  sees '' "$(of a b)on_gap=stop" "Last-Event-ID: $CURSOR"
  [ "$(gaps)" = 'b trimmed' ]
  # It is told again.
  resumes '' "$(of a b)on_gap=stop"
  [ "$(gaps)" = 'b trimmed' ]
  resumes 'b5' "$(of a b)"
  [ "$(gaps)" = 'b trimmed' ]
  resumes '' "$(of a b)on_gap=stop"
  [ -z "$(gaps)" ]
}

@test "on_gap=stop: the gap of one ends the stream" {
  fill a 1 1
  fill b 1 1
  CURSOR=$(get "$(of a b)" | field Chat-Cursor)
  fill b 2 5
  r xtrim chat:b minid 5-0
  in_both_modes stops
}

# --- Cursors --------------------------------------------------------------------------

other_channels() {
  local cursor
  r del chat:a chat:b chat:c
  fill a 1 3
  fill b 1 3
  fill c 1 3
  sees 'a3 b3' "$(of a b)last=1"
  cursor=$(last_id <answer)
  fill a 4 5
  fill b 4 5
  fill c 4 5
  # in another order
  sees 'a4 a5 b4 b5' "$(of b a)" "Last-Event-ID: $cursor"
  sees 'a4 a5 b4 b5' "$(of b a)last_event_id=$cursor"
  # fewer
  sees 'b4 b5' "$(of b)" "Last-Event-ID: $cursor"
  sees 'a4 a5' '/chat/a/events' "Last-Event-ID: $cursor"
  sees 'a4 a5' "/chat/a/events?last_event_id=$cursor"
  # more: where they would start without a cursor
  sees 'a4 a5 b4 b5' "$(of c b a)" "Last-Event-ID: $cursor"
  sees 'a4 a5 b4 b5 c5' "$(of c b a)last=1" "Last-Event-ID: $cursor"
  sees 'a4 a5 c5' "$(of a c)last=1&last_event_id=$cursor"
  sees 'a4 a5 c2 c3 c4 c5' "$(of c a)since=0.002&last_event_id=$cursor"
  # none of those that it has
  sees 'c5' "$(of c new)last=1" "Last-Event-ID: $cursor"
  [ -z "$(gaps)" ]
}

@test "M06, M07: a cursor is for channels by name, more of them or fewer" {
  in_both_modes other_channels
}

# The page adds and removes channels, one connection after the other.
changes() {
  r del chat:a chat:b chat:c
  fill a 1 2
  fill b 1 2
  fill c 1 2
  sees 'a2 b2' "$(of a b)last=1"
  fill a 3 3
  fill b 3 3
  fill c 3 3
  resumes 'a3 b3 c3' "$(of c a b)last=1"
  fill a 4 4
  fill b 4 4
  fill c 4 4
  resumes 'b4 c4' "$(of c b)last=1"
  # What was left out in between begins anew.
  resumes 'a4' "$(of a b c)last=1"
  resumes '' "$(of a b c)last=1"
}

@test "M07: channels come and go, from connection to connection" {
  in_both_modes changes
}

# Each id of a stream says what has come, and what has not.
any_place() {
  local id i=0
  get "$(of a b c)last=30" >answer
  awk '/^id: / { id = $2 }
    /^data: [abc]/ { print id, $2 }' answer >places
  [ "$(wc -l <places)" = 90 ]
  while read -r id _; do
    i=$((i + 1))
    ((i % 7 == 1)) || continue
    get "$(of c a b)" "Last-Event-ID: $id" | messages | sort |
      cmp - <(sed "1,${i}d" places | cut -d ' ' -f 2 | sort)
  done <places
}

@test "each id of a stream is a place to go on from" {
  local i
  for i in {1..30}; do
    fill a $i $i
    fill b $((3 * i)) $((3 * i))
    fill c $((100 + i)) $((100 + i))
  done
  in_both_modes any_place
}

# With ids of our time.
short_cursor() {
  local cursor i n
  r flushall
  for n in 8 100; do
    for ((i = 1; i <= n; i++)); do
      r xadd "chat:c$i" "1756735200$((100 + i))-$((i % 64))" data x
    done >/dev/null
    # shellcheck disable=SC2046 # words
    get "$(of $(seq -f c%g $n))last=9" >answer
    cursor=$(last_id <answer)
    [[ $cursor =~ ^[0-9A-Za-z._~-]+$ ]]
    [ "${#cursor}" -le $((14 * n + 6)) ]
  done
  [ "${#cursor}" -gt 128 ]
}

@test "M09: a cursor of 8 channels has at most 128 bytes, all of them safe" {
  ARGS=(--max-channels 100 '*')
  in_both_modes short_cursor
}

heads() {
  local cursor
  ask 'HEAD %slast=1 HTTP/1.0\r\n\r\n' "$(of a b)" >answer
  [ "$(status <answer)" = 200 ]
  [ -z "$(body_of <answer)" ]
  cursor=$(field Chat-Cursor <answer)
  sees 'a3 b3' "$(of a b)" "Last-Event-ID: $cursor"
  [ "$(field Chat-Cursor <answer)" = "$cursor" ]
  [ "$(sed -n 's/^id: //p' answer | head -n 1)" = "$cursor" ]
  grep -qx "data: {\"channels\":\[\"a\",\"b\"\],\"cursor\":\"$cursor\"}" \
    answer
  answers 204 'OPTIONS /events?channel=a&channel=b HTTP/1.0\r\n\r\n'
}

@test "HEAD: Chat-Cursor is that of all channels" {
  fill a 1 3
  fill b 1 3
  in_both_modes heads
}

bad_cursors() {
  local bad cursor all
  cursor=$(get "$(of a b)" | field Chat-Cursor)
  for bad in x 1-0 0-0 c4 "${cursor%?}" "${cursor}A" "${cursor/\~/.}" \
    "${cursor,,}"; do
    get "$(of a b)" "Last-Event-ID: $bad" >answer
    [ "$(status <answer)" = 200 ]
    [ "$(gaps)" = $'a bad-cursor\nb bad-cursor' ]
    [ "$(last_id <answer)" = "$cursor" ]
    sees 'a2 b2' "$(of a b)last=1" "Last-Event-ID: $bad"
    get "$(of a b)last_event_id=$bad" >answer
    [ "$(status <answer)" = 400 ]
    [ "$(body_of <answer)" = 'last_event_id: not a cursor' ]
  done
  sees '' "$(of a b)last=1&on_gap=stop" 'Last-Event-ID: x'
  [ "$(gaps)" = $'a bad-cursor\nb bad-cursor' ]
  # shellcheck disable=SC2046 # words
  all=$(of $(seq -f x%g 62) a b)
  sees 'a2 b2' "${all}last=1" 'Last-Event-ID: x'
  [ "$(gaps | grep -c bad-cursor)" = 64 ]
}

@test "a bad cursor is told of each channel; in the query it is refused" {
  fill a 1 2
  fill b 1 2
  ARGS=('*')
  in_both_modes bad_cursors
}

# What a pipe does not hold waits until its reader, who takes byte by byte, has
# room again.
@test "a bad cursor of many channels, told to a slow reader" {
  local i line
  local -a many
  ARGS=(--max-channels 150 '*')
  mapfile -t many < <(seq -f 'a-channel-of-a-long-name-%g' 150)
  for i in 1 150; do
    fill "a-channel-of-a-long-name-$i" 1 1
  done
  get "$(of "${many[@]}")last=1" 'Last-Event-ID: x' |
    while IFS= read -r line; do
      printf '%s\n' "$line"
    done >answer
  [ "$(wc -c <answer)" -gt 100000 ]
  [ "$(gaps)" = "$(printf '%s bad-cursor\n' "${many[@]}")" ]
  [ "$(messages <answer | wc -l)" = 2 ]
  # They stand before the first message.
  [ "$(grep -n '^event: chat-gap' answer | tail -n 1 | cut -d : -f 1)" -lt \
    "$(grep -n '^data: a-channel' answer | head -n 1 | cut -d : -f 1)" ]
}

# --- The same cursor everywhere -------------------------------------------------------

elsewhere() {
  local cursor
  r flushall
  rm -f pos
  fill a 1 3
  fill b 1 3
  sees 'a2 a3 b2 b3' "$(of a b)last=2"
  cursor=$(last_id <answer)
  fill a 4 4
  fill b 4 4
  [ "$(chat-tail -e -a "$cursor" b a | sort | xargs)" = 'a4 b4' ]
  [ "$(chat-replay -a "$cursor" a b | xargs)" = 'a4 b4' ]
  [ "$(chat-replay -a "$cursor" b)" = b4 ]
  # and back
  chat-tail -e -n all --cursor-file pos b a >/dev/null
  fill b 5 6
  sees 'b5 b6' "$(of a b)" "Last-Event-ID: $(cat pos)"
  sees 'b5 b6' "$(of a b)last_event_id=$(cat pos)"
  resumes '' "$(of a b)"
}

@test "a cursor is good for chat-tail and chat-replay, and theirs for us" {
  in_both_modes elsewhere
}

@test "-a CURSOR: what it does not hold starts at the end" {
  local cursor
  fill a 1 3
  fill b 1 3
  fill c 1 3
  cursor=$(get "$(of a b)" | field Chat-Cursor)
  fill a 4 4
  fill b 4 4
  ARGS=(-a "$cursor" a b c)
  in_both_modes sees 'a4 b4' "$(of a b c)"
  in_both_modes sees 'b4' /chat/b/events
  in_both_modes sees 'a4 c3' "$(of a c)last=1"
  in_both_modes sees '' "$(of c)"
  run -64 chat-sse-serve -i -a "${cursor}x" a b
  # An id is one for each of them.
  ARGS=(-a 2-0 a b c)
  in_both_modes sees 'a3 a4 b3 b4 c3' "$(of a b c)"
}

# --- What the query asks for ----------------------------------------------------------

positions() {
  sees 'a3 b3 c3' "$(of a b c)last=1"
  sees 'a1 a2 a3 b1 b2 b3' "$(of a b)last=9"
  sees 'a2 a3 b2 b3' "$(of a b)since=0.002"
  sees '' "$(of a b)since=now"
  sees '' "$(of a b)last=0"
  sees '' "$(of a b)"
}

@test "last and since are for each channel" {
  fill a 1 3
  fill b 1 3
  fill c 1 3
  in_both_modes positions
}

marks() {
  sees 'a1 a2 b1' "$(of a b)last=9&marker=1"
  [ "$(grep -c chat-live answer)" = 1 ]
  [ "$(grep '^event\|^data: [ab]' answer | tail -n 1)" = 'event: chat-live' ]
  grep -A 1 -x 'event: chat-live' answer | sed -n 's/^data: //p' |
    jq -e --arg id "$(last_id <answer)" \
      '.channels == ["a", "b"] and .cursor == $id'
  resumes '' "$(of a b)"
  sees '' "$(of c new)marker=1"
  [ "$(grep -c chat-live answer)" = 1 ]
  [ "${OVER-}" = socket ] || return 0
  follow "$(of b new)last=9&marker=1"
  wait_until 10 has chat-live
  r xadd chat:new 1-0 data n1
  r xadd chat:c 1-0 data c1
  wait_until 10 has '^data: n1$'
  [ "$(grep -c chat-live curl.out)" = 1 ]
  unfollow
  r del chat:new chat:c
}

@test "marker=1: once, when all have been caught up with" {
  fill a 1 2
  fill b 1 1
  in_both_modes marks
}

# moved ID: no longer is this the last one.
moved() {
  [ "$(last_id <curl.out)" != "$1" ]
}

filters() {
  local before
  r flushall
  r xadd chat:a 1-0 event x data a1
  r xadd chat:a 2-0 event y data a2
  r xadd chat:b 1-0 event y data b1
  r xadd chat:b 2-0 data b2
  sees 'a1' "$(of a b)last=9&filter=x"
  sees 'a1 a2 b1' "$(of a b)last=9&filter=x&filter=y"
  sees 'b2' "$(of a b)last=9&filter=message"
  [ "${OVER-}" = socket ] || return 0
  # The cursor moves with what is left out of one of them.
  follow "$(of a b)filter=x"
  before=$(last_id <curl.out)
  r xadd chat:b 3-0 event y data b3
  wait_until 10 moved "$before"
  has '^event: chat-cursor$'
  run ! has '^data: b'
  cp curl.out answer
  unfollow
  r xadd chat:a 3-0 event x data a3
  resumes a3 "$(of a b)"
}

@test "filter, and the cursor that moves meanwhile" {
  ARGS=(--heartbeat 300ms a b)
  in_both_modes filters
}

lines() {
  local cursor
  get "$(of a b)last=9&format=ndjson" >lines
  [ "$(field Content-Type <lines)" = application/x-ndjson ]
  body_of <lines | jq -es '.[0].event == "chat-open" and
    (.[0] | has("channel") | not) and .[0].id == (.[0].data | fromjson).cursor'
  body_of <lines | jq -r 'select(.ts) | .channel + .id + .data' | sort |
    xargs | grep -x 'a1-0a1 a2-0a2 b1-0b1'
  cursor=$(body_of <lines | jq -rs '.[-1].cursor')
  sees '' "$(of a b)" "Last-Event-ID: $cursor"
  cursor=$(body_of <lines | jq -rs '.[1].cursor')
  get "$(of a b)" "Last-Event-ID: $cursor" | messages | wc -l | grep -x 2
  body_of <lines | jq -se '[.[] | select(.ts) | keys_unsorted[-1]] ==
    ["cursor", "cursor", "cursor"]'
  # Of one channel it has nothing more than chat-tail -j.
  get "$(of a)last=9&format=ndjson" | body_of | jq -c 'select(.ts)' |
    cmp - <(chat-replay -j a)
}

@test "format=ndjson: each line has the cursor of all channels" {
  fill a 1 2
  fill b 1 1
  in_both_modes lines
}

envelopes() {
  get "$(of a b)last=9&format=envelope" >answer
  [ "$(field Content-Type <answer)" = text/event-stream ]
  messages <answer | jq -r '.channel + .id + .data' | sort | xargs |
    grep -x 'a1-0a1 a2-0a2 b1-0b1'
  grep -B 1 -A 1 -x 'event: note' answer | sed -n 's/^data: //p' |
    jq -e '.key == "k" and .event == "note" and .headers == {"h": "1"}'
  resumes '' "$(of a b)"
  get "/chat/a/events?last=1&format=envelope" >answer
  [ "$(messages <answer)" = "$(chat-replay -n 1 -j a)" ]
  [ "$(last_id <answer)" = 2-0 ]
}

@test "format=envelope: events whose data tell the channel" {
  fill a 1 2
  r xadd chat:b 1-0 event note data b1 key k h 1
  in_both_modes envelopes
}

# It ends by itself: nobody closes but the server.
ends() {
  follow "$(of a b new)last=9"
  wait_until 10 gone "$CURL"
  [ "$(messages <curl.out | sort | xargs)" = 'a1 a2 a3 a4 b1 b2' ]
}

@test "-U: the end is that of all channels" {
  fill a 1 9
  fill b 1 2
  ARGS=(-U 0.005 a b new)
  over_sockets ends
  # Over two pipes, of which one stays open.
  spawn pipe bash -c "(echo 'GET $(of a b new)last=9 HTTP/1.0'; echo; cat) |
    sed -u 's/\$/\\r/' | chat-sse-serve -i -U 0.005 a b new"
  wait_until 10 grep -q b2 pipe.out
  wait_until 10 eval '! pgrep -g "$SPAWNED" chat-sse'
  [ "$(messages <pipe.out | sort | xargs)" = 'a1 a2 a3 a4 b1 b2' ]
}

# --- Access -----------------------------------------------------------------------------

tokens() {
  local token path want
  while read -r token path want; do
    get "$path" "X-API-Key: $token" | status | grep -x "$want"
  done <<END
one $(of a) 200
one $(of a b) 403
one $(of b a) 403
one $(of a other) 403
one /events 403
two $(of a b) 200
two $(of b a) 200
two $(of a b c) 403
all $(of a b c) 200
all $(of a other) 404
all /events 200
none $(of a) 401
END
}

@test "a token must be good for all channels" {
  printf '%s\n' 'one r a' 'two r a' 'two r b' 'all r *' >tokens
  ARGS=(--token-file "$PWD/tokens" a b c new)
  in_both_modes tokens
}

decides() {
  : >asked
  get "$(of a gr%C3%BCn b)" | status | grep -x 200
  [ "$(cat asked)" = $'a\ngrün\nb' ]
  get /chat/a/events | status | grep -x 200
  [ "$(cat asked)" = a ]
  get /events | status | grep -x 200
  [ "$(cat asked)" = $'a\nb\ngrün' ]
  get "$(of a b)x" | status | grep -x 200
  [ "$(cat asked)" = $'a\nb' ]
  get "$(of a c)" | status | grep -x 403
}

@test "--auth-cmd: CHANNEL has them all, one a line" {
  cat >decide <<END
#!/bin/sh
printf '%s\n' "\$CHANNEL" >$PWD/asked
case \$CHANNEL in *c*) exit 1;; esac
END
  chmod +x decide
  ARGS=(--auth-cmd "$PWD/decide" a b grün)
  in_both_modes decides
}

logs() {
  get "$(of a b)last=9" >/dev/null
  # shellcheck disable=SC2046 # words
  get "$(of $(seq -f 'a-channel-of-a-long-name-%g' 60))" >/dev/null
  wait_until 10 logged ' a,b [a-z-]* [0-9]*B 3 events 0 gaps '
  wait_until 10 logged \
    ' a-channel-of-a-long-name-1,a-channel-.*,\.\.\. [a-z-]* [0-9]*B 0 events '
}

@test "-v: the line of a connection has its channels" {
  fill a 1 2
  fill b 1 1
  ARGS=(-v '*')
  over_sockets logs
}

# --- Trouble ----------------------------------------------------------------------------

wrong_type() {
  get "$(of a list b)" | status | grep -x 500
  sees 'a1' "$(of a)last=9"
}

@test "one channel that is no stream refuses all" {
  fill a 1 1
  r rpush chat:list x
  ARGS=('*')
  in_both_modes wrong_type
}

outage() {
  redis_stop
  follow_held "$(of a b)last=9"
  redis_start
  fill a 1 2
  fill b 1 2
  wait_until 20 has '^data: b2$'
  wait_until 20 has '^data: a2$'
  [ "$(grep -c chat-open curl.out)" = 1 ]
  r client kill type normal
  fill a 3 3
  fill b 3 3
  wait_until 20 has '^data: b3$'
  wait_until 20 has '^data: a3$'
  [ "$(messages <curl.out | sort | xargs)" = 'a1 a2 a3 b1 b2 b3' ]
  cp curl.out answer
  unfollow
  resumes '' "$(of a b)"
}

follow_held() {
  rm -f curl.out
  spawn curl curl -sSNi --noproxy '*' "http://127.0.0.1:$PORT$1"
  CURL=$SPAWNED
  wait_until 10 has 'waiting for Redis'
  run ! has chat-open
}

@test "who comes while Redis is away, and stays when it goes" {
  export REDIS_DIR=$BATS_TEST_TMPDIR/redis REDIS_SOCK CHAT_URL
  redis_start
  over_sockets outage
}

# --- A slow client ------------------------------------------------------------------------

# letters N WORD: so many lines of WORD and 1 to 20000 letters.
letters() {
  awk -v n="$1" -v word="$2" 'BEGIN {
    srand(length(word))
    while (length(pool) < 40000)
      pool = pool sprintf("%c", 97 + int(26 * rand()))
    for (i = 0; i < n; i++)
      print word, substr(pool, 1 + int(20000 * rand()), 1 + int(20000 * rand()))
  }'
}

# loses_nothing PATH [BYTES]: what comes while it reads, in two channels.
loses_nothing() {
  local c i
  r flushall
  letters 400 one >one.lines
  letters 400 other >other.lines
  slowly "$1" "${@:2}"
  for ((i = 0; i < 400; i += 100)); do
    for c in one other; do
      sed -n "$((i + 1)),$((i + 100))p" $c.lines >part
      chat-pub $c <part
    done
  done
  for c in one other; do
    wait_until 120 eval "[ \"\$(grep -c '^data: $c ' got/0)\" = 400 ]"
  done
  chat-pub other END
  wait_until 60 gone "$FOLLOW"
  for c in one other; do
    grep "^data: $c " got/0 | cut -c 7- | cmp - $c.lines
  done
  [ "$(grep -c '^event: chat-open$' got/0)" = 1 ]
  run ! grep -nEv '^(data: (one |other |END|\{)|id: c4[A-Za-z0-9._~-]+$|retry: |event: chat-open$|$)' got/0
}

@test "a slow client of several channels gets all of them, each in order" {
  ARGS=(--heartbeat inf one other quiet)
  over_sockets loses_nothing "$(of one quiet other)"
}

# Nothing of what a filter leaves out, or that was never an entry, is a gap.
@test "a slow client is told no gap where there is none" {
  ARGS=(--heartbeat inf -o 5-3 one other quiet)
  over_sockets loses_nothing "$(of one quiet other)filter=message&since=-1h"
  over_sockets loses_nothing "$(of one quiet other)"
}
