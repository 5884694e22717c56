# chat-sse-serve: what the query of a stream asks for, and the options for that.

load helpers/common
load helpers/http
load helpers/modes

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(room)
}

teardown() {
  end_spawned
}

events=/chat/room/events

# fill N: entries 1-0 to N-0 with the texts m1 to mN.
fill() {
  local i
  for ((i = 1; i <= $1; i++)); do
    echo "xadd chat:room $i-0 data m$i"
  done | r >/dev/null
}

# typed TYPE...: entries 1-0, 2-0 and so on of these types, which are their
# texts, too; `-` for none.
typed() {
  local i=0 type
  for type; do
    if [ "$type" = - ]; then
      r xadd chat:room "$((++i))-0" data "$type"
    else
      r xadd chat:room "$((++i))-0" event "$type" data "$type"
    fi
  done >/dev/null
}

# gets TEXTS PATH [HEADER...]: these messages, in order.
gets() {
  local got
  got=$(get "${@:2}" | messages | xargs)
  [ "$got" = "$1" ] || {
    echo "'$got' instead of '$1' for: $2" >&2
    return 1
  }
}

# follow PATH [CURL-OPTION...]: a client of the server, its answer in curl.out.
follow() {
  rm -f curl.out
  spawn curl curl -sSNi --noproxy '*' "${@:2}" "http://127.0.0.1:$PORT$1"
  wait_until 10 grep -q chat-open curl.out
}

# has PATTERN: a line in that answer.
has() {
  grep -q -- "$1" curl.out
}

unfollow() {
  end "$SPAWNED"
}

# ids and types of the events of an SSE answer, `ID TYPE` a line.
events_of() {
  body_of | awk '
    /^id: / { id = substr($0, 5) }
    /^event: / { type = substr($0, 8) }
    /^data: / { data = 1 }
    /^$/ { if (data) print id, type == "" ? "message" : type; type = ""; data = 0 }'
}

# --- Bad queries --------------------------------------------------------------

refused() {
  get "$events?$1" >answer
  [ "$(status <answer)" = 400 ] && [ "$(body_of <answer)" = "$2" ] || {
    echo "$1: $(body_of <answer)" >&2
    return 1
  }
}

all_refused() {
  local value many
  for value in x -1 1.5 1%2B; do
    refused "last=$value" 'last: not a number'
  done
  for value in x 2026-13-01 2h +1 now- 2026-09-01T10:00:00+02:00; do
    refused "since=$value" 'since: not a time'
  done
  for value in a%0Ab %0d %ff; do
    refused "filter=$value" 'filter: not a type, or too many'
  done
  many=$(seq -f 'filter=t%g&' 1 65 | tr -d '\n')
  refused "$many" 'filter: not a type, or too many'
  refused format=json 'format: not sse, envelope or ndjson'
  refused on_gap=continue 'on_gap: neither report nor stop'
  refused marker=yes 'marker: neither 0 nor 1'
  refused strict=2 'strict: neither 0 nor 1'
  refused last_event_id=5 'last_event_id: not a cursor'
  refused lastEventId=x 'last_event_id: not a cursor'
  for value in last=1 since=now format=sse on_gap=stop marker=0 strict=1; do
    refused "$value&x=y&$value" 'a parameter is given twice'
  done
  refused 'lastEventId=1-0&last_event_id=1-0' 'a parameter is given twice'
  refused 'since=now&last=1' 'last and since exclude each other'
}

@test "R12 R20 a bad query is refused with a text that says what is bad" {
  in_both_modes all_refused
}

not_refused() {
  gets 'm1 m2' "$events?last=9&unknown=x&Last=x&=&&since=&filter=&format=&on_gap=&marker="
  gets 'm1 m2' "$events?last=&last=9"
  gets 'm1 m2' "$events?last=9&$(seq -f 'filter=t%g&' 1 63 | tr -d '\n')filter=message"
}

@test "what is empty or unknown says nothing" {
  fill 2
  in_both_modes not_refused
}

# --- since --------------------------------------------------------------------

since() {
  local time now=$1
  gets 'a b c' "$events?since=1970-01-01"
  gets 'b c' "$events?since=2020-09-01T10:00:00Z"
  gets 'b c' "$events?since=2020-09-01T12:00:00%2B02:00"
  gets 'b c' "$events?since=2020-09-01+10:00:00"
  gets 'c' "$events?since=1598954400.001"
  gets 'b c' "$events?since=1598954400000"
  gets 'c' "$events?since=-1h"
  gets '' "$events?since=now"
  gets '' "$events?since=2199-01-01"
  for time in 1970-01-01 2020-09-01T10:00:00Z 1598954400001 "$now"; do
    gets "$(chat-replay -S "$time" room | xargs)" "$events?since=$time"
  done
}

@test "R10 since: where a time is, as with the option" {
  local now=$(($(now_ms) - 10000))
  r xadd chat:room 1598954399999-7 data a
  r xadd chat:room 1598954400000-0 data b
  r xadd chat:room "$now-0" data c
  in_both_modes since "$now"
}

since_and_cursor() {
  gets 'm5' "$events?since=1970-01-01&last_event_id=4-0"
  gets 'm5' "$events?last_event_id=4-0&since=1970-01-01"
  gets 'm5' "$events?since=1970-01-01" 'Last-Event-ID: 4-0'
  gets 'm5' "$events?last_event_id=1-0" 'Last-Event-ID: 4-0'
  gets 'm1 m2 m3 m4 m5' "$events?since=now" 'Last-Event-ID: 0-0'
  gets 'm1 m2 m3 m4 m5' "$events?since=0.001"
  gets 'm4 m5' "$events?since=0.004"
}

@test "R04 R10 since: a cursor counts more, and the header most" {
  fill 5
  in_both_modes since_and_cursor
}

# What came before is not wanted, even by who comes back.
since_future() {
  r flushall
  fill 3
  follow "$events?since=2199-01-01"
  has '^id: 7226582399999-18446744073709551615$'
  r xadd chat:room 7226582399999-0 data before
  wait_until 5 grep -qx : curl.out
  run ! has chat-cursor
  r xadd chat:room 7226582400000-0 data after
  wait_until 5 has '^data: after$'
  [ "$(messages <curl.out)" = after ]
  unfollow
}

@test "R10 since: a time to come" {
  ARGS=(--heartbeat 300ms room)
  over_sockets since_future
}

# --- filter -------------------------------------------------------------------

filters() {
  gets 'a a' "$events?last=9&filter=a"
  gets 'a b a' "$events?last=9&filter=a&filter=b"
  gets 'a b a' "$events?last=9&filter=b&filter=a&filter=b"
  gets 'A' "$events?last=9&filter=A"
  gets 'ä,b' "$events?last=9&filter=%C3%A4,b"
  gets '' "$events?last=9&filter=a,b"
  gets '' "$events?last=9&filter=aa"
  gets '-' "$events?last=9&filter=message"
  gets 'b a' "$events?last=3&filter=a&filter=b"
  gets 'b a' "$events?filter=a&filter=b" 'Last-Event-ID: 1-0'
}

@test "filter: only messages of these types" {
  typed a A ä,b - b a
  in_both_modes filters
}

filters_not_ours() {
  get "$events?filter=b&marker=1" 'Last-Event-ID: 1-0' | events_of >got
  [ "$(cut -d ' ' -f 2 got | xargs)" = 'chat-open chat-gap b chat-live' ]
}

@test "filter: our own events always come" {
  typed a a a b a
  r xtrim chat:room minid 4-0
  in_both_modes filters_not_ours
}

filter_moves_cursor() {
  local id
  r flushall
  typed a b a a
  follow "$events?last=9&filter=b"
  wait_until 5 has chat-cursor
  [ "$(events_of <curl.out | xargs)" = '0-0 chat-open 2-0 b 4-0 chat-cursor' ]
  grep -A 1 -x 'event: chat-cursor' curl.out | grep -qx \
    'data: {"channels":\["room"\],"cursor":"4-0"}'
  # Once is enough.
  wait_until 5 grep -qx : curl.out
  [ "$(grep -c chat-cursor curl.out)" = 1 ]
  r xadd chat:room 5-0 event a data x
  wait_until 5 has '^id: 5-0$'
  r xadd chat:room 6-0 event b data y
  wait_until 5 has '^data: y$'
  [ "$(events_of <curl.out | tail -n 2 | xargs)" = '5-0 chat-cursor 6-0 b' ]
  unfollow
  # It can be gone on from, though all that was wanted before is gone.
  r xtrim chat:room minid 5-0
  get "$events?last=9&filter=b" 'Last-Event-ID: 5-0' | events_of >got
  [ "$(xargs <got)" = '5-0 chat-open 6-0 b' ]
}

@test "R19 filter: the cursor moves all the same, and is told when idle" {
  ARGS=(--heartbeat 300ms room)
  over_sockets filter_moves_cursor
}

deletions_move_cursor() {
  r flushall
  fill 5
  r xdel chat:room 4-0 5-0
  follow $events -H 'Last-Event-ID: 3-0'
  wait_until 5 has chat-cursor
  [ "$(events_of <curl.out | xargs)" = '3-0 chat-open 5-0 chat-cursor' ]
  unfollow
}

@test "a cursor that deletions have moved is told when idle" {
  ARGS=(--heartbeat 300ms room)
  over_sockets deletions_move_cursor
}

# flood N: messages of the types a, b and none, in turn.
flood() {
  local i pad
  pad=$(printf %02000d 0)
  for ((i = 0; i < $1; i++)); do
    echo "xadd chat:room * event a data a$i-$pad"
    echo "xadd chat:room * event b data b$i-$pad"
    echo "xadd chat:room * data c$i-$pad"
  done | r >/dev/null
}

ids_of() {
  body_of <"$1" | grep -aB 1 -x "event: $2" | sed -n 's/^id: //p'
}

# A client that takes little at a time, and now and then nothing, of a history
# and of what comes meanwhile. One more with another filter, one without.
slow_filters() {
  local i n nc
  local -a clients=()
  r flushall
  flood 1000
  for i in a b 'a&filter=b' ''; do
    printf 'GET %s?last_event_id=0-0%s HTTP/1.0\r\n\r\n' \
      "$events" "${i:+&filter=}$i" >"request.$i"
    rm -f "in.$i"
    mkfifo "in.$i"
    # shellcheck disable=SC2016
    spawn "slow.$i" sh -c 'cat "$2" - <"$3" | nc -I 2048 127.0.0.1 "$1"' sh \
      "$PORT" "request.$i" "in.$i"
    clients+=("$SPAWNED")
    exec {nc}>"in.$i"
  done
  # Each time from where they are live.
  for n in 1 2; do
    r xadd chat:room '*' event a data "READY $n" >/dev/null
    r xadd chat:room '*' event b data "READY $n" >/dev/null
    for i in a b 'a&filter=b' ''; do
      wait_until 60 eval "tail -n 20 'slow.$i.out' | grep -q 'READY $n'"
    done
    for nc in "${clients[@]}"; do
      kill -s STOP -- "-$nc"
    done
    flood 1000
    for nc in "${clients[@]}"; do
      kill -s CONT -- "-$nc"
    done
  done
  r xadd chat:room '*' event a data END
  r xadd chat:room '*' event b data END
  for i in a b 'a&filter=b' ''; do
    wait_until 60 eval "tail -n 2 'slow.$i.out' | grep -q END"
  done
  # They were slow indeed, also when live: not only the starts are catching up.
  [ "$SERVE_MODE" = accept ] || http /stats | jq -e '.catchups > 4'
  for nc in "${clients[@]}"; do
    end "$nc"
  done
  for i in a b; do
    chat-replay --event $i -F %o room >"$i.ids"
    ids_of slow.$i.out $i | cmp - $i.ids
    ids_of 'slow.a&filter=b.out' $i | cmp - $i.ids
    ids_of slow..out $i | cmp - $i.ids
    [ "$(grep -ac '^data: ' slow.$i.out)" = $(($(wc -l <$i.ids) + 1)) ]
  done
}

@test "W15 filter: slow clients with tiny buffers get each message once, in order" {
  ARGS=(--stats room)
  over_sockets slow_filters
}

# Cut at random, they come back with Last-Event-ID.
storm() {
  r flushall
  rm -rf seen
  mkdir seen
  spawn herd "$BUILD/tests/bench/herd" "$PORT" \
    "$events?last_event_id=0-0&filter=b" "$1" 4000 seen
  flood_small
  wait_until 100 gone "$SPAWNED"
  chat-replay --event b -F %o room >b.ids
  for i in seen/*; do
    cmp b.ids "$i"
  done
}

flood_small() {
  local i
  for ((i = 0; i < 3000; i++)); do
    echo "xadd chat:room * event a data a$i"
    ((i % 3)) || echo "xadd chat:room * event b data b$i"
  done | r >/dev/null
  r xadd chat:room '*' event b data END >/dev/null
}

@test "filter: clients cut at random see every message once, in order" {
  over_sockets storm 20
}

# --- format=ndjson ------------------------------------------------------------

# The envelopes of an answer that are not ours.
envelopes() {
  body_of | grep -v '"event":"chat-' | grep -v '^$'
}

envelopes_as_tail() {
  chat-replay -j room >expected
  for path in "$events?last=99&format=ndjson" \
    "$events?last_event_id=0-0&format=ndjson"; do
    get "$path" >answer
    [ "$(field Content-Type <answer)" = application/x-ndjson ]
    [ -n "$(field Chat-Cursor <answer)" ]
    envelopes <answer | cmp - expected
    body_of <answer | jq -es 'all(has("id") and has("channel"))'
  done
  [ "$(ask 'HEAD %s?format=ndjson HTTP/1.0\r\n\r\n' $events |
    field Content-Type)" = application/x-ndjson ]
}

@test "format=ndjson: an envelope a line, as the readers print it" {
  r xadd chat:room 1-0 data plain
  r xadd chat:room 2-0 event t data $'two\nlines' mid m key k other x other y
  r xadd chat:room 3-0 other x
  printf 'xadd chat:room 4-0 data "\\xff\\x00" event "\\xfe" "\\xfd" x\n' | r
  r xadd chat:room 5-0 event '' data "$(printf '\u2028"\\')"
  in_both_modes envelopes_as_tail
}

own_envelopes() {
  get "$events?format=ndjson&marker=1" 'Last-Event-ID: 1-0' | body_of >body
  jq -r '[.id, .event, .channel] | join(" ")' <body | diff - <(
    printf '%s\n' '1-0 chat-open room' '3-18446744073709551615 chat-gap room' '4-0  room' \
      '5-0  room' '5-0 chat-live room'
  )
  [ "$(head -n 1 body)" = '{"channel":"room","id":"1-0","event":"chat-open","data":"{\"channels\":[\"room\"],\"cursor\":\"1-0\"}"}' ]
  sed -n 2p body | jq -e '.data | fromjson |
    .reason == "trimmed" and .after == "1-0" and .first == "4-0"'
  # The data is that of the event.
  get "$events?marker=1" 'Last-Event-ID: 1-0' | body_of |
    sed -n '/^event: chat-/{ n; s/^data: //p; }' |
    diff - <(jq -r 'select(.event // "" | startswith("chat-")).data' <body)
}

@test "format=ndjson: our own events are envelopes, too" {
  fill 5
  r xtrim chat:room minid 4-0
  in_both_modes own_envelopes
}

accepts() {
  is_type() {
    get "$2" "${@:3}" >answer
    [ "$(field Content-Type <answer)" = "$1" ]
  }
  local sse=text/event-stream ndjson=application/x-ndjson
  is_type $sse $events
  is_type $sse $events 'Accept: */*'
  is_type $sse $events 'Accept: application/*'
  is_type $ndjson $events "Accept: $ndjson"
  is_type $ndjson $events "accept: Application/X-NDJSON;q=0.1, */*"
  is_type $ndjson $events "Accept: text/html" "Accept: $ndjson"
  is_type $ndjson $events "Accept: $sse;q=0.5, $ndjson"
  is_type $sse $events "Accept: $sse, $ndjson"
  is_type $sse $events "Accept: $sse, $ndjson;q=0.9"
  is_type $sse $events "Accept: $ndjson;q=0"
  is_type $sse "$events?format=sse" "Accept: $ndjson"
  is_type $ndjson "$events?format=ndjson" "Accept: $sse"
  is_type $ndjson "$events?format=" "Accept: $ndjson"
}

@test "format=ndjson: Accept asks for it, too, and the query counts more" {
  in_both_modes accepts
}

live_envelopes() {
  local i
  r flushall
  follow "$events?format=ndjson"
  for i in 1 2 3; do
    r xadd chat:room "$i-0" data "live $i" event x
    wait_until 5 has "live $i"
  done
  # An empty line when idle, and nothing else that is not JSON.
  wait_until 5 eval '[ "$(body_of <curl.out | grep -c "^$")" -ge 2 ]'
  envelopes <curl.out | cmp - <(chat-replay -j room)
  body_of <curl.out | jq -es 'length == 4'
  run ! has '^:'
  run ! has retry
  unfollow
}

@test "format=ndjson: live, and an empty line when idle" {
  ARGS=(--heartbeat 300ms room)
  over_sockets live_envelopes
}

ndjson_filter() {
  r flushall
  follow "$events?format=ndjson&filter=b&filter=c"
  typed a b c a
  wait_until 5 has chat-cursor
  [ "$(body_of <curl.out | grep . | jq -r '[.id, .event] | join(" ")' | xargs)" = \
    '0-0 chat-open 2-0 b 3-0 c 4-0 chat-cursor' ]
  unfollow
}

@test "format=ndjson: with a filter" {
  ARGS=(--heartbeat 300ms room)
  over_sockets ndjson_filter
}

# All at once on one channel, so that what is formatted for one is not taken for
# another.
styles() {
  local i n
  local -a clients=() paths=("?x=y" "?format=ndjson" "?filter=a" "?filter=b&filter=a"
    "?filter=a&format=ndjson" "?filter=nothing" "?filter=message"
    "?filter=b&format=ndjson" "?filter=b" "?filter=c" "?filter=a&filter=c")
  r flushall
  for ((i = 0; i < ${#paths[@]}; i++)); do
    for n in 1 2; do
      spawn "s$i.$n" curl -sSN --noproxy '*' \
        "http://127.0.0.1:$PORT$events${paths[i]}"
      clients+=("$SPAWNED")
    done
  done
  for ((i = 0; i < ${#paths[@]}; i++)); do
    wait_until 10 grep -q chat-open "s$i.1.out"
    wait_until 10 grep -q chat-open "s$i.2.out"
  done
  # Batches: many of them in one reply of Redis.
  for ((i = 0; i < 300; i++)); do
    for n in 1 2 3; do
      echo "xadd chat:room * event a data a$i.$n"
      echo "xadd chat:room * event b data b$i.$n"
      echo "xadd chat:room * event c data c$i.$n"
      echo "xadd chat:room * data -$i.$n"
    done
  done | r --pipe >/dev/null
  for i in a b c message; do
    r xadd chat:room '*' event $i data END
  done
  for ((i = 0; i < ${#paths[@]}; i++)); do
    [ $i = 5 ] || wait_until 10 grep -q END "s$i.1.out"
    [ $i = 5 ] || wait_until 10 grep -q END "s$i.2.out"
  done
  # The last of those without a filter is of the type message.
  wait_until 10 eval '[ "$(grep -c END s0.1.out)$(grep -c END s1.1.out)" = 44 ]'
  wait_until 10 eval '[ "$(grep -c END s3.1.out)$(grep -c END s10.1.out)" = 22 ]'
  for n in "${clients[@]}"; do
    end "$n"
  done
  chat-replay -j room >all
  for n in 1 2; do
    is_sse "s0.$n" .
    is_ndjson "s1.$n" .
    is_sse "s2.$n" 'select(.event == "a")'
    is_sse "s3.$n" 'select(.event == "a" or .event == "b")'
    is_ndjson "s4.$n" 'select(.event == "a")'
    is_sse "s5.$n" 'empty'
    is_sse "s6.$n" 'select((.event // "message") == "message")'
    is_ndjson "s7.$n" 'select(.event == "b")'
    is_sse "s8.$n" 'select(.event == "b")'
    is_sse "s9.$n" 'select(.event == "c")'
    is_sse "s10.$n" 'select(.event == "a" or .event == "c")'
  done
}

# is_sse NAME JQ: the messages of this stream are those that jq takes.
is_sse() {
  awk '
    /^id: / { id = substr($0, 5) }
    /^event: / { own = /^event: chat-/ }
    /^data: / && !own { print id, substr($0, 7) }
    /^$/ { own = 0 }' "$1.out" | diff - <(jq -r "$2 | .id + \" \" + .data" all)
}

is_ndjson() {
  grep -v '"event":"chat-' "$1.out" | grep . | diff - <(jq -c "$2" all)
}

@test "streams of all formats and filters share what is formatted" {
  over_sockets styles
}

# --- on_gap -------------------------------------------------------------------

stops() {
  local -a own=("$events?on_gap=stop" 'Last-Event-ID: 2-0')
  get "${own[@]}" >answer
  [ "$(status <answer)" = 200 ]
  # Its id is before the gap: who comes back with it is told again.
  [ "$(events_of <answer | xargs)" = '2-0 chat-open 2-0 chat-gap' ]
  gets 'm5 m6' "$events?on_gap=report" "${own[@]:1}"
  gets 'm6' "$events?on_gap=stop" 'Last-Event-ID: 5-0'
  gets 'm6' "$events?on_gap=stop&last_event_id=5-0"
  # It is the server that ends it.
  [ "$OVER" != socket ] || curl -sSN --noproxy '*' -m 5 \
    "http://127.0.0.1:$PORT$events?on_gap=stop&last_event_id=1-0" >body
  get "$events?on_gap=stop&last=1" 'Last-Event-ID: x' | events_of >got
  [ "$(xargs <got)" = '5-0 chat-open 5-0 chat-gap' ]
  get "$events?on_gap=stop&format=ndjson" "${own[@]:1}" | body_of |
    jq -es 'length == 2 and .[1].event == "chat-gap" and .[1].id == "2-0"'
}

@test "G11 on_gap=stop: the gap is the last event" {
  fill 6
  r xtrim chat:room minid 5-0
  OVER='' in_both_modes stops
}

stops_while_connected() {
  r flushall
  fill 3
  follow "$events?on_gap=stop&last_event_id=1-0"
  wait_until 5 has '^data: m3$'
  r del chat:room
  # It looks again when it is back.
  r client kill type normal
  wait_until 30 gone "$SPAWNED"
  [ "$(events_of <curl.out | tail -n 1)" = '3-0 chat-gap' ]
  has '"reason":"reset"'
  grep -q ' room gap [0-9]*B 2 events 1 gaps' "$SERVE_LOG"
}

@test "G11 on_gap=stop: while connected" {
  ARGS=(-v room)
  over_sockets stops_while_connected
}

# --- marker -------------------------------------------------------------------

marks() {
  local path
  get "$events?marker=1&last=2" | events_of >got
  [ "$(xargs <got)" = '1-0 chat-open 2-0 message 3-0 message 3-0 chat-live' ]
  get "$events?marker=1" | events_of >got
  [ "$(xargs <got)" = '3-0 chat-open 3-0 chat-live' ]
  get "$events?marker=1" 'Last-Event-ID: 2-0' >answer
  [ "$(events_of <answer | xargs)" = '2-0 chat-open 3-0 message 3-0 chat-live' ]
  grep -A 1 -x 'event: chat-live' answer | grep -qx \
    'data: {"channels":\["room"\],"cursor":"3-0"}'
  # It stands behind what is filtered.
  get "$events?marker=1&last=9&filter=x" | events_of >got
  [ "$(xargs <got)" = '0-0 chat-open 3-0 chat-live' ]
  for path in "$events?last=9" "$events?last=9&marker=0"; do
    get "$path" | run ! grep chat-live
  done
}

@test "J02 marker=1: behind the last message that there was, once" {
  fill 3
  in_both_modes marks
}

marks_once() {
  r flushall
  follow "$events?marker=1"
  wait_until 5 has chat-live
  [ "$(events_of <curl.out | xargs)" = '0-0 chat-open 0-0 chat-live' ]
  fill 2
  wait_until 5 has m2
  # Also when it catches up once more.
  r client kill type normal
  r xadd chat:room 3-0 data m3
  wait_until 10 has m3
  [ "$(grep -c chat-live curl.out)" = 1 ]
  [ "$(messages <curl.out | xargs)" = 'm1 m2 m3' ]
  unfollow
}

@test "J02 marker=1: before what comes live, and not again" {
  over_sockets marks_once
}

# --- Options ------------------------------------------------------------------

typeless() {
  get "$events?last=9" | events_of >got
  [ "$(sed 1d got | cut -d ' ' -f 2 | xargs)" = 'note a note note' ]
  gets '- - x' "$events?last=9&filter=note"
  gets '' "$events?last=9&filter=message"
  get "$events?last=9&format=ndjson" | envelopes | jq -r .event >got
  [ "$(xargs <got)" = 'note a note note' ]
}

@test "--event-type: the type of messages without one" {
  typed - a note
  r del chat:room
  typed - a -
  r xadd chat:room 4-0 event '' data x
  ARGS=(--event-type note room)
  in_both_modes typeless
}

beats() {
  local before after
  r flushall
  fill 3
  follow "$events?filter=x"
  before=$(now_ms)
  wait_until 5 has '^event: tick$'
  after=$(now_ms)
  [ "$(events_of <curl.out | head -n 2 | xargs)" = '3-0 chat-open 3-0 tick' ]
  grep -A 1 -x 'event: tick' curl.out | sed -n '2s/^data: //p' |
    jq -e ".cursor == \"3-0\" and
      .time >= $before - 1000 and .time <= $after + 1000"
  r xadd chat:room 4-0 data x
  wait_until 5 eval 'events_of <curl.out | grep -qx "4-0 tick"'
  run ! has '^:$'
  run ! has chat-cursor
  unfollow
  follow "$events?format=ndjson"
  wait_until 5 has '"event":"tick"'
  body_of <curl.out | jq -es '.[1].id == "4-0" and
    (.[1].data | fromjson | .cursor == "4-0")'
  unfollow
}

@test "--heartbeat-event: an event with the cursor instead of the comment" {
  ARGS=(--heartbeat 300ms --heartbeat-event tick room)
  over_sockets beats
}

@test "types for the options that cannot be are usage errors" {
  local option
  for option in --heartbeat-event --event-type; do
    run -64 chat-sse-serve -i $option '' room
    run -64 chat-sse-serve -i $option $'a\nb' room
    run -64 chat-sse-serve -i $option $'\xff' room
    [[ $output == *"$option"* ]]
  done
}

# --- Without Redis ------------------------------------------------------------

# A second server, which these tests start and stop.
use_other_redis() {
  export REDIS_DIR=$BATS_TEST_TMPDIR/redis REDIS_SOCK CHAT_URL
  REDIS_SOCK=$REDIS_DIR/redis.sock
  CHAT_URL=unix://$REDIS_SOCK
}

held() {
  spawn curl curl -sSNi --noproxy '*' "http://127.0.0.1:$PORT$events?$1"
  wait_until 5 eval '[ "$(body_of <curl.out | wc -l)" -ge 3 ]'
  [ "$(status <curl.out)" = 200 ]
}

held_without_redis() {
  held format=ndjson
  [ "$(field Content-Type <curl.out)" = application/x-ndjson ]
  [ -z "$(body_of <curl.out | tr -d '\n')" ]
  redis_start
  wait_until 10 has '"event":"chat-open"'
  body_of <curl.out | grep . | jq -e '.event == "chat-open"'
  unfollow
  redis_stop
}

@test "format=ndjson: who is held without Redis gets empty lines" {
  use_other_redis
  ARGS=(--heartbeat 200ms room)
  over_sockets held_without_redis
}

beats_without_redis() {
  held x
  has '^event: tick$'
  has '^data: {"cursor":null,"time":[0-9]*}$'
  run ! has '^id:'
  unfollow
}

@test "--heartbeat-event: without an id while there is no cursor" {
  use_other_redis
  ARGS=(--heartbeat 200ms --heartbeat-event tick room)
  over_sockets beats_without_redis
}

@test "format=ndjson: who is turned away gets an empty line" {
  SERVE_MODE=listen serve_start --max-conns 1 --drain 0 room
  follow "$events?format=ndjson"
  http -i "$events?format=ndjson" >answer
  [ "$(status <answer)" = 200 ]
  [ "$(field Content-Type <answer)" = application/x-ndjson ]
  body_of <answer | cmp - <(echo)
  end "$SERVE_GROUP"
  wait_until 5 gone "$SPAWNED"
  [ "$(body_of <curl.out | wc -l)" = 2 ]
  [ -z "$(body_of <curl.out | sed -n 2p)" ]
}

