# A herd in small: hundreds of clients of one process that come back all at
# once, do not read, are sent away, lose Redis.

load helpers/common

setup() {
  cd "$BATS_TEST_TMPDIR"
  ulimit -n "$(ulimit -H -n)"
  SERVE_MODE=listen
  redis_start --appendonly yes --appendfsync always
}

teardown() {
  end_spawned
}

N=300
events=/chat/room/events

# put_load OPTION...: clients, and a publisher of messages of 200 bytes, in the
# background; what it finds will be in load.out.
put_load() {
  spawn load "$BUILD/tests/bench/load" --port "$PORT" --path $events \
    --key chat:room --xadd "$REDIS_SOCK" "$@"
  LOAD=$SPAWNED
}

measures() {
  grep -q measuring load.err || gone "$LOAD"
}

value() {
  awk -v name="$1" '$1 == name { print $2 }' load.out
}

# The load is over, and each client got each message once.
all_came() {
  wait_until 120 gone "$LOAD"
  cat load.err load.out >&2
  for name in not_joined missing doubled closed; do
    [ "$(value $name)" = 0 ]
  done
}

# How often Redis was asked for a page.
pages() {
  r info commandstats | awk -F '[=,]' '
    /^cmdstat_xrange:/ { n = $2 }
    END { print n + 0 }'
}

# follow CLIENTS [BUFFER]: in the background, from the path $FROM; what they get
# is in $DIR/.
follow() {
  rm -rf "${DIR:=got}"
  mkdir "$DIR"
  spawn follow "$BUILD/tests/bench/follow" "$PORT" "${FROM:-$events}" "$1" \
    "$DIR" "${@:2}"
  FOLLOW=$SPAWNED
}

# All of CLIENTS have a line that the pattern matches.
all_have() {
  [ "$(grep -lE "$2" "$DIR"/* | wc -l)" -eq "$1" ]
}

ids() {
  r --raw xrange chat:room - + | grep -E '^[0-9]+-[0-9]+$'
}

# The ids of the messages in a stream, of which the last one may be cut off.
ids_of() {
  awk '/^id: / { id = $2 }
    /^event: chat-/ { own = 1 }
    /^data: / { data = 1 }
    /^$/ { if (data && !own) print id; own = data = 0 }' "$@"
}

# --- They come back -----------------------------------------------------------

@test "300 who come back 1000 messages behind get each once" {
  serve_start room
  put_load -n $((N + 20)) --herd $N --back 1000 --prefill 1000 -r 30 -d 3s
  all_came
}

# How many have connected to the server, whether it accepts them or not?
connected() {
  [ "$(awk -v p="$(printf %04X "$PORT")" \
    '$3 ~ ":" p "$" && $4 == "01" { n++ } END { print n + 0 }' \
    /proc/net/tcp)" -ge "$1" ]
}

# asked CLIENTS: so many who come at the very same time ask for $ASKED pages.
asked() {
  r config resetstat
  kill -STOP "$SERVE_GROUP"
  FROM="$events?last_event_id=$CURSOR" follow "$1"
  wait_until 10 connected "$1"
  kill -CONT "$SERVE_GROUP"
  wait_until 60 gone "$FOLLOW"
  for i in $(seq 0 $(($1 - 1))); do
    ids_of got/$i | cmp - ids
  done
  ASKED=$(pages)
}

@test "what they ask Redis for they share" {
  local alone
  serve_start room
  (
    seq 1 1000
    echo END
  ) | chat-pub room
  ids >ids
  CURSOR=$(head -n 1 ids)
  sed -i 1d ids
  asked 1
  alone=$ASKED
  asked $N
  echo "$ASKED pages, alone $alone" >&2
  [ "$alone" -ge 2 ]
  [ "$ASKED" -lt $((N * alone / 2)) ]
}

# --- They do not read ---------------------------------------------------------

# publish_mb N: so many megabytes, in messages of 65000 bytes.
publish_mb() {
  local i
  for ((i = 0; i < $1; i++)); do
    r eval 'for i = 1, 16 do
      redis.call("xadd", KEYS[1], "*", "data", string.rep("0", 65000)) end' \
      1 chat:room
  done >/dev/null
}

# memory NAME: of the server, in kB: VmRSS, or VmHWM, the most so far.
memory() {
  awk -v name="$1:" '$1 == name { print $2 }' "/proc/$SERVE_GROUP/status"
}

members() {
  [ "$(http /metrics | awk '$1 == "chat_members" { print $2 }')" = "$1" ]
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

# Three clients read, one more does not (on fd 9) while 100 MB are published.
get_stuck() {
  serve_start -v --stats "$@" room
  follow 3
  wait_until 10 members 3
  publish_mb 20
  BEFORE=$(memory VmRSS)
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >&9
  wait_until 10 members 4
  publish_mb 100
  chat-pub room END
}

# $FOLLOW is at its end: each of CLIENTS got those messages.
followed() {
  local i
  wait_until 120 gone "$FOLLOW"
  for ((i = 0; i < $1; i++)); do
    ids_of got/$i | cmp - "$2"
    run ! grep -nEv '^(data: (0{65000}|END|\{.*\})|id: [0-9]+-[0-9]+|retry: [0-9]+|event: chat-open|:|)$' got/$i
  done
}

@test "D03 one who does not read costs no memory" {
  if grep -q __asan_init "$BUILD/chat-sse-serve"; then
    skip 'with a sanitizer what is freed is kept for a while'
  fi
  get_stuck --stall inf
  ids >ids
  followed 3 ids
  wait_until 5 members 1
  echo "$BEFORE kB before, $(memory VmRSS) now, $(memory VmHWM) at most" >&2
  [ "$(memory VmHWM)" -lt $((BEFORE + 4096)) ]
  exec 9>&-
}

@test "D03 one who does not read is closed, and resumes where it was" {
  local cursor
  get_stuck --stall 1s
  ids >ids
  followed 3 ids
  wait_until 10 logged ' room stalled '
  wait_until 5 members 0
  cat <&9 >stuck || true # reset
  exec 9>&-
  cursor=$(sed -n 's/^id: //p' stuck | head -n 1)
  sed "1,/^$cursor\$/d" ids >missed
  ids_of stuck >seen
  [ "$(wc -l <seen)" -ge 1 ]
  [ "$(wc -l <seen)" -lt 1600 ]
  FROM="$events?last_event_id=$(tail -n 1 seen)" follow 1
  grep -vxFf seen missed >rest
  followed 1 rest
  cat seen rest | cmp - missed
}

# --- They read slowly ---------------------------------------------------------

# letters N: so many lines of 1 to 20000 letters, of no pattern.
letters() {
  awk -v n="$1" 'BEGIN {
    srand(1)
    while (length(pool) < 40000)
      pool = pool sprintf("%c", 97 + int(26 * rand()))
    for (i = 0; i < n; i++)
      print substr(pool, 1 + int(20000 * rand()), 1 + int(20000 * rand()))
  }'
}

metric() {
  http /metrics | awk -v name="$1" '$1 == name { print $2 }'
}

# expect CHANNEL FILE: the frames of these messages, which all are there.
expect() {
  local ids
  ids=$(r --raw xrange "chat:$1" - + | grep -E '^[0-9]+-[0-9]+$')
  [ "$(wc -l <<<"$ids")" = "$(wc -l <"$2")" ]
  paste -d '\n' - "$2" <<<"$ids" |
    awk 'NR % 2 { print "id: " $0; next } { print "data: " $0 "\n" }'
}

# slowly CLIENTS BUFFER: of one channel and as many of another; ten times a
# batch of messages that is too much for those who are live.
slowly() {
  local before c i
  serve_start --stats --heartbeat inf one two
  for c in one two; do
    FROM=/chat/$c/events DIR=$c follow "$@"
  done
  wait_until 10 members $((2 * $1))
  before=$(metric chat_catchups_total)
  letters 800 >lines
  sed -n '1~2p' lines >one.lines
  sed -n '2~2p' lines >two.lines
  for ((i = 0; i < 400; i += 40)); do
    sed -n "$((i + 1)),$((i + 40))p" two.lines >part
    spawn pub chat-pub two <part
    sed -n "$((i + 1)),$((i + 40))p" one.lines | chat-pub one
    wait_until 10 gone "$SPAWNED"
    for c in one two; do
      DIR=$c wait_until 60 all_have "$1" "^id: $(newest $c)\$"
    done
  done
  for c in one two; do
    echo END | tee -a $c.lines | chat-pub $c
    expect $c $c.lines >expected
    DIR=$c wait_until 60 all_have "$1" '^data: END'
    # The first frame is chat-open.
    for ((i = 0; i < $1; i++)); do
      sed '1,/^$/d' $c/$i | cmp - expected
    done
  done
  # They did not take all at once.
  echo "$(metric chat_catchups_total) after $before" >&2
  [ "$(metric chat_catchups_total)" -ge $((before + 6 * $1)) ]
}

newest() {
  r --raw xrevrange "chat:$1" + - count 1 | head -n 1
}

@test "W15 slow readers get every byte once, few of them" {
  slowly 3 4000
}

@test "W15 slow readers get every byte once, in a burst" {
  slowly 20 4000
}

# --- They are sent away -------------------------------------------------------

# The status of the server will be in the file `status`.
serve_to_end() {
  PORT=$(free_port)
  spawn serve sh -c '"$@"; echo $? >status' sh \
    chat-sse-serve -l "$PORT" --stats "$@" room
  wait_until 10 port_listens "$PORT"
  SERVER=$(pgrep -g "$SPAWNED" chat-sse)
}

# A stream of whole frames, none of which is missing, up to the farewell.
whole_stream() {
  awk '
    function bad(why) {
      print FILENAME ":" FNR ": " why
      exit failed = 1
    }
    /^data: [0-9]/ {
      if (length($0) != 206 || (n++ && $2 != sequence + 1))
        bad("after " sequence " this message: " $0)
      sequence = $2
    }
    !/^(id: [0-9-]+|data: ([0-9]+ [0-9]+ x+|\{.*\})|event: chat-open|retry: [0-9]+|:|: come back|)$/ {
      bad("no line of a frame: " $0)
    }
    { third = second; second = first; first = $0 }
    END {
      if (!failed && (third first != ": come back" || second !~ /^retry/ || !n))
        bad("no farewell behind a whole message")
      exit failed
    }' "$1"
}

@test "D08 TERM ends 300 behind an event, spread over the time" {
  local i
  serve_to_end --drain 1s
  follow $N
  wait_until 10 members $N
  put_load -n 1 -r 300 -d 60s
  wait_until 20 measures
  wait_until 10 all_have $N '^data: 1[0-9][0-9] '
  kill "$SERVER"
  wait_until 20 test -s status
  [ "$(cat status)" = 0 ]
  wait_until 20 gone "$FOLLOW"
  for ((i = 0; i < N; i++)); do
    whole_stream got/$i
  done
  # One line for each, with the milliseconds since the first.
  [ "$(wc -l <follow.out)" -eq $N ]
  [ "$(tail -n 1 follow.out | cut -d ' ' -f 1)" -ge 700 ]
  [ "$(awk '$1 < 500' follow.out | wc -l)" -le $((N * 2 / 3)) ]
}

# --- They lose Redis ----------------------------------------------------------

@test "300 stay when Redis is killed, and lose nothing" {
  serve_start room
  put_load -n $N -r 100 -d 4s
  wait_until 20 measures
  redis_kill
  redis_restart
  all_came
  echo "$(pages) pages" >&2
  [ "$(pages)" -lt $N ]
}

reading() {
  r client list | grep -q ' cmd=xread '
}

@test "those who have all need no page when Redis is back" {
  serve_start --stats room
  follow $N
  wait_until 10 members $N
  chat-pub room one
  wait_until 10 all_have $N '^data: one$'
  redis_kill
  redis_restart
  wait_until 10 reading
  chat-pub room two
  wait_until 10 all_have $N '^data: two$'
  echo "$(pages) pages" >&2
  [ "$(pages)" -le 2 ]
  chat-pub room END
  ids >ids
  wait_until 10 gone "$FOLLOW"
  for ((i = 0; i < N; i++)); do
    ids_of got/$i | cmp - ids
  done
}
