# chat-sse-serve: messages of a command before those of Redis: the same with a
# process for each connection and with one for all.

# SERVE_MODE is for helpers/common.
# shellcheck disable=SC2034

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
  OVER=socket
}

teardown() {
  touch go
  end_spawned
}

events=/chat/room/events

# in_both_modes TEST [ARG...]: a server with these arguments, and the test.
in_both_modes() {
  local test=$1
  shift
  for SERVE_MODE in accept listen; do
    r flushall
    rm -f asked started finished go pids
    serve_start -v --drain 0 "$@"
    "$test"
    serve_stop
  done
}

# --- Commands -------------------------------------------------------------------

# command_file NAME <script: it says what it is asked in the file asked, a line
# for each time.
command_file() {
  {
    echo '#!/bin/sh'
    echo 'echo "$CHAT_CHANNEL|$CHAT_LAST_EVENT_ID|$CHAT_CURSOR" >>asked'
    cat
  } >"$1"
  chmod +x "$1"
}

# prints NAME LINE...: a command that prints these.
prints() {
  local name=$1
  shift
  printf '%s\n' "$@" >"$name.lines"
  command_file "$name" <<<"cat $name.lines"
}

# waits NAME BEFORE AFTER: one that prints a part, and the other part when there
# is a file go.
waits() {
  printf '%s' "$2" >"$1.before"
  printf '%s' "$3" >"$1.after"
  command_file "$1" <<END
echo \$\$ >>started
cat $1.before
until [ -e go ]; do sleep 0.05; done
cat $1.after
END
}

# asked LINE...: and that is all; the questions are forgotten.
asked() {
  local got=
  [ ! -e asked ] || got=$(cat asked)
  rm -f asked
  [ "$got" = "$(printf '%s\n' "$@")" ] || {
    echo "asked: $got" >&2
    return 1
  }
}

# --- Clients --------------------------------------------------------------------

# fill N [FROM]: entries up to N-0, with the texts r1, r2 and so on.
fill() {
  local i
  for ((i = ${2:-1}; i <= $1; i++)); do
    r xadd chat:room "$i-0" data "r$i"
  done >/dev/null
}

# A line for each event: its id, as the client has it then, type and data.
events_of() {
  body_of | awk '
    /^id: / { id = substr($0, 5) }
    /^event: / { type = substr($0, 8) }
    /^data: / { data = data substr($0, 7) }
    /^$/ {
      if (type == "chat-open" || type == "chat-cursor")
        data = ""
      if (type == "chat-gap")
        data = data ~ /"reason":"history","certain":false/ ? "history" : "other"
      print (id == "" ? "-" : id), (type == "" ? data : type " " data)
      type = data = ""
    }' | sed 's/ *$//'
}

# shows PATH [HEADER...] <lines: exactly these events.
shows() {
  get "$@" >answer
  diff <(events_of <answer) - || {
    echo "for: $*" >&2
    return 1
  }
}

# follow NAME PATH [CURL-OPTION...]: a client that stays, its answer in NAME.out.
follow() {
  spawn "$1" curl -sSNi --noproxy '*' "${@:3}" "http://127.0.0.1:$PORT$2"
  wait_until 10 grep -q chat-open "$1.out"
}

# has NAME LINE
has() {
  grep -qxF -- "$2" "$1.out"
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

# --- History --------------------------------------------------------------------

in_order() {
  fill 2
  shows $events <<'END'
- chat-open
db:1 one
db:2 typ two
db:é 3 three
7 {"a":[1,"x"]}
2-0 chat-cursor
END
  asked 'room||2-0'
  [ "$(field Chat-Cursor <answer)" = 2-0 ]
  grep -qxF 'data: {"channels":["room"],"cursor":"2-0"}' answer
}

@test "history comes before Redis, with any ids" {
  prints hist '{"id":"db:1","data":"one"}' \
    '{"data":"two","event":"typ","id":"db:2","channel":"other"}' '' \
    '{"id":"db:é 3","data":"three","x":{}}' '{"id":7,"data":{"a":[1,"x"]}}'
  in_both_modes in_order --history-cmd ./hist room
}

foreign() {
  fill 2
  shows $events 'Last-Event-ID: db:1' <<'END'
db:1 chat-open
db:2 two
2-0 chat-cursor
END
  asked 'room|db:1|2-0'
  shows "$events?last_event_id=db:%201%C3%A9%22%24x" <<'END'
db: 1é"$x chat-open
db:2 two
2-0 chat-cursor
END
  asked 'room|db: 1é"$x|2-0'
  # The header is newer.
  shows "$events?last_event_id=db:0" 'Last-Event-ID: db:1' <<'END'
db:1 chat-open
db:2 two
2-0 chat-cursor
END
  asked 'room|db:1|2-0'
  shows "$events?last_event_id=1-0" 'Last-Event-ID: db:1' <<'END'
db:1 chat-open
db:2 two
2-0 chat-cursor
END
  asked 'room|db:1|2-0'
  shows "$events?last_event_id=db:0" 'Last-Event-ID: 1-0' <<'END'
1-0 chat-open
1-0 two
2-0 r2
END
  asked 'room|1-0|1-0'
  get $events "Last-Event-ID: $(printf %01024d 0)" >answer
  asked "room|$(printf %01024d 0)|2-0"
}

@test "a cursor may be of any form, and the command gets it" {
  prints hist '{"id":"db:2","data":"two"}'
  in_both_modes foreign --history-cmd ./hist room
}

no_cursor() {
  local bad
  fill 1
  for bad in "$(printf %01025d 0)" $'a\tb' $'a\xff' $'\xc2\x85'; do
    shows $events "Last-Event-ID: $(printf %s "$bad" | sed 's/\\/&&/g')" <<'END'
- chat-open
- chat-gap other
db:2 two
1-0 chat-cursor
END
    asked 'room||1-0'
  done
  for bad in %00 a%0ab a%0d %ff %20a "$(printf %01025d 0)"; do
    get "$events?last_event_id=$bad" >answer
    [ "$(status <answer)" = 400 ]
  done
  asked
}

@test "what cannot be a cursor is none" {
  prints hist '{"id":"db:2","data":"two"}'
  in_both_modes no_cursor --history-cmd ./hist room
}

from_redis() {
  fill 4
  shows $events 'Last-Event-ID: 2-0' <<'END'
2-0 chat-open
2-0 x
2-0 y
2-0 z
3-0 r3
4-0 r4
END
  asked 'room|2-0|2-0'
  # Nothing is doubled or lost by those who come back from within.
  shows $events <<'END'
- chat-open
db:1 x
1-0 y
1-0 z
2-0 r2
3-0 r3
4-0 r4
END
}

@test "a cursor of Redis is not given up for another one" {
  prints hist '{"id":"db:1","data":"x"}' '{"id":"1-0","data":"y"}' \
    '{"id":"db:2","data":"z"}'
  in_both_modes from_redis --history-cmd ./hist room
}

archive() {
  touch go
  # The stream has been trimmed, and the archive lags behind it.
  fill 5
  r xtrim chat:room maxlen 2
  shows $events <<'END'
- chat-open
1-0 r1
2-0 r2
3-0 r3
4-0 a4
5-0 r5
END
  shows $events 'Last-Event-ID: 2-0' <<'END'
2-0 chat-open
2-0 r1
2-0 r2
3-0 r3
4-0 a4
5-0 r5
END
  # One ahead of what was the newest.
  r del chat:room
  r xadd chat:room 2-0 data r2
  rm go
  follow new $events
  fill 5 3
  touch go
  wait_until 5 has new 'data: r5'
  [ "$(events_of <new.out | tail -n 3)" = '3-0 r3
4-0 a4
5-0 r5' ]
}

@test "an archive of the stream may print its ids" {
  local kept
  kept=$(printf '{"id":"%d-0","data":"r%d"}\n' 1 1 2 2 3 3)
  waits hist "$kept"$'\n' '{"id":"4-0","data":"a4"}'
  in_both_modes archive --history-cmd ./hist room
}

meanwhile() {
  local who
  fill 2
  follow new $events
  follow back "$events?last_event_id=db:0"
  wait_until 5 has new 'data: one'
  wait_until 5 has back 'data: one'
  fill 100 3
  touch go
  {
    printf '%s\n' 'db:1 one' 'db:2 two' '2-0 chat-cursor'
    seq 3 100 | sed 's/.*/&-0 r&/'
  } >want
  for who in new back; do
    wait_until 10 has $who 'data: r100'
    events_of <$who.out | tail -n +2 | diff - want
  done
}

@test "what is stored while the command runs is neither lost nor doubled" {
  waits hist '{"id":"db:1","data":"one"}'$'\n' '{"id":"db:2","data":"two"}'
  in_both_modes meanwhile --history-cmd ./hist room
}

cut_off() {
  local last
  fill 2
  # In the middle of the history; a message comes that is in Redis only.
  follow one $events
  wait_until 5 has one 'data: one'
  end "$SPAWNED"
  last=$(events_of <one.out | tail -n 1 | cut -d ' ' -f 1)
  [ "$last" = db:1 ]
  touch go
  shows $events "Last-Event-ID: $last" <<'END'
db:1 chat-open
db:1 one
db:2 two
2-0 chat-cursor
END
  # Behind it, where Redis goes on.
  fill 3 3
  shows $events 'Last-Event-ID: 2-0' <<'END'
2-0 chat-open
2-0 one
2-0 two
3-0 r3
END
}

@test "who is cut off has the id with which the rest comes" {
  waits hist '{"id":"db:1","data":"one"}'$'\n' '{"id":"db:2","data":"two"}'
  in_both_modes cut_off --history-cmd ./hist room
}

forms() {
  fill 2
  get "$events?format=ndjson&last_event_id=db:0" | body_of |
    jq -c '[.channel,.id,.event,.data,.mid,.headers,(.ts|type)]' >lines
  diff lines - <<'END'
["room","db:0","chat-open","{\"channels\":[\"room\"],\"cursor\":\"2-0\"}",null,null,"null"]
["room","db:1",null,"one","m",{"h":"v"},"number"]
["room",null,"t",null,null,null,"number"]
["room","2-0","chat-cursor","{\"channels\":[\"room\"],\"cursor\":\"2-0\"}",null,null,"null"]
END
  get "$events?format=envelope" >answer
  grep -qxF 'id: db:1' answer
  grep -qxF 'data: {"channel":"room","id":"db:1","ts":5,"mid":"m","headers":{"h":"v"},"data":"one"}' \
    answer
  shows "$events?filter=t" <<'END'
- chat-open
- t
2-0 chat-cursor
END
  shows "$events?marker=1&last_event_id=1-0" <<'END'
1-0 chat-open
1-0 one
1-0 t
2-0 r2
2-0 chat-live {"channels":["room"],"cursor":"2-0"}
END
}

@test "other forms, filters and the marker work, too" {
  prints hist '{"id":"db:1","ts":5,"data":"one","mid":"m","headers":{"h":"v"}}' \
    '{"id":"db\n2","event":"t"}'
  in_both_modes forms --history-cmd ./hist room
}

bad_ids() {
  fill 1
  shows $events <<'END'
- chat-open
- a
- b
- c
- d
- e
db:6 f
1-0 chat-cursor
END
  [ "$(grep -c '^id: ' answer)" = 2 ]
}

@test "an id that could not come back is not sent" {
  prints hist '{"id":"db:\n1\nevent: x","data":"a"}' \
    '{"id":"db:\r2","data":"b"}' '{"id":"db:\u00003","data":"c"}' \
    "{\"id\":\"$(printf %01025d 0)\",\"data\":\"d\"}" \
    '{"id":"","data":"e"}' '{"id":"db:6","data":"f"}'
  in_both_modes bad_ids --history-cmd ./hist room
}

elsewhere() {
  fill 3
  for query in last=2 since=1970-01-01 'last=2&marker=0'; do
    shows "$events?$query" <<'END'
- chat-open
db:1 one
3-0 chat-cursor
END
  done
}

@test "who has a history is not sent it by Redis, too" {
  prints hist '{"id":"db:1","data":"one"}'
  in_both_modes elsewhere --history-cmd ./hist -n all room
  in_both_modes elsewhere --history-cmd ./hist -a 1-0 room
}

not_run() {
  fill 1
  ask 'HEAD %s HTTP/1.0\r\n\r\n' $events >answer
  [ "$(status <answer)" = 200 ]
  [ "$(field Chat-Cursor <answer)" = 1-0 ]
  ask 'HEAD %s HTTP/1.0\r\n\r\n' "$events?last_event_id=db:1" >answer
  [ "$(field Chat-Cursor <answer)" = 1-0 ]
  get '/events?channel=room&channel=other' >answer
  [ "$(status <answer)" = 400 ]
  [ "$(body_of <answer)" = 'one channel only' ]
  get /events >answer
  [ "$(status <answer)" = 400 ]
  asked
  get '/events?channel=other' >answer
  [ "$(status <answer)" = 200 ]
  asked 'other||0-0'
}

@test "HEAD runs no command, and several channels have no history" {
  prints hist '{"id":"db:1","data":"one"}'
  in_both_modes not_run --history-cmd ./hist room other
}

# --- A state --------------------------------------------------------------------

state() {
  fill 2
  shows $events <<'END'
- chat-open
- s1
- t s2
2-0 chat-cursor
END
  asked 'room||2-0'
  [ "$(field Chat-Cursor <answer)" = 2-0 ]
  shows "$events?last=1" <<'END'
- chat-open
- s1
- t s2
2-0 chat-cursor
END
  asked 'room||2-0'
  shows $events 'Last-Event-ID: 1-0' <<'END'
1-0 chat-open
2-0 r2
END
  shows "$events?last_event_id=1-0" <<'END'
1-0 chat-open
2-0 r2
END
  get "$events?last_event_id=db:1" >answer
  [ "$(status <answer)" = 400 ]
  asked
  shows $events 'Last-Event-ID: db:1' <<'END'
- chat-open
- chat-gap other
- s1
- t s2
2-0 chat-cursor
END
  get "$events?format=ndjson" | body_of | jq -c '[.id,.data]' >lines
  diff lines - <<'END'
[null,"{\"channels\":[\"room\"],\"cursor\":\"2-0\"}"]
[null,"s1"]
[null,"s2"]
["2-0","{\"channels\":[\"room\"],\"cursor\":\"2-0\"}"]
END
}

@test "a state is for clients without a cursor" {
  prints snap '{"id":"db:1","data":"s1"}' '{"id":"9-0","event":"t","data":"s2"}'
  in_both_modes state --snapshot-cmd ./snap room
}

both() {
  fill 2
  shows $events <<'END'
- chat-open
- s1
2-0 chat-cursor
END
  shows $events 'Last-Event-ID: db:1' <<'END'
db:1 chat-open
db:2 h2
2-0 chat-cursor
END
  shows $events 'Last-Event-ID: 1-0' <<'END'
1-0 chat-open
1-0 h2
2-0 r2
END
}

@test "with both, a state for new clients, and history for the others" {
  prints snap '{"id":"db:1","data":"s1"}'
  prints hist '{"id":"db:2","data":"h2"}'
  in_both_modes both --snapshot-cmd ./snap --history-cmd ./hist room
}

state_meanwhile() {
  fill 2
  follow new $events
  wait_until 5 has new 'data: s1'
  # Cut off now, it would have no cursor.
  [ "$(grep -c '^id:' new.out)" = 0 ]
  fill 3 3
  touch go
  wait_until 5 has new 'data: r3'
  events_of <new.out | diff - <(printf '%s\n' '- chat-open' '- s1' '- s2' \
    '2-0 chat-cursor' '3-0 r3')
}

@test "until a state is whole, the client has no cursor" {
  waits snap '{"data":"s1"}'$'\n' '{"data":"s2"}'
  in_both_modes state_meanwhile --snapshot-cmd ./snap room
}

# --- While the command runs -------------------------------------------------------

beating() {
  fill 1
  follow new "$events?last_event_id=db:0"
  wait_until 5 eval '[ "$(grep -cx : new.out)" -ge 3 ]'
  [ "$(events_of <new.out)" = 'db:0 chat-open' ]
  touch go
  wait_until 5 has new 'data: one'
}

@test "there are heartbeats while the command runs" {
  waits hist '' '{"id":"db:1","data":"one"}'
  in_both_modes beating --heartbeat 100ms --history-cmd ./hist room
}

beating_aloud() {
  fill 1
  follow new "$events?last_event_id=db:0"
  wait_until 5 grep -q '^data: {"cursor":null,' new.out
  run -1 grep '^id: 1-0' new.out
  touch go
  wait_until 5 grep -q '^data: {"cursor":"1-0",' new.out
  has new 'data: one'
}

@test "and they tell no cursor that is ahead of the history" {
  waits hist '' '{"id":"db:1","data":"one"}'
  in_both_modes beating_aloud --heartbeat 100ms --heartbeat-event beat \
    --history-cmd ./hist room
}

# sleeper: it and a child sleep; their numbers are in the file pids.
sleeper() {
  command_file hist <<'END'
sleep 60 &
echo $$ $! >pids.new
mv pids.new pids
wait
END
}

# Is none of those left?
slept() {
  ! ps -o pid= -p "$(tr ' ' , <pids)"
}

client_gone() {
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >request
  # It leaves with a reset.
  spawn client socat -u 'SYSTEM:cat request; sleep 60' \
    "TCP:127.0.0.1:$PORT,linger=0"
  wait_until 5 test -s pids
  end "$SPAWNED" KILL
  wait_until 5 slept
  wait_until 5 logged ' room client-gone '
}

@test "the command is killed when the client is gone" {
  sleeper
  in_both_modes client_gone --history-cmd ./hist room
}

server_stopped() {
  follow new $events
  wait_until 5 test -s pids
  end "$SERVE_GROUP"
  wait_until 5 slept
}

@test "the command is killed when the server is stopped" {
  sleeper
  SERVE_MODE=listen serve_start --drain 0 --history-cmd ./hist room
  server_stopped
  rm pids
  spawn one chat-sse-serve -i --history-cmd ./hist room < <(
    printf 'GET %s HTTP/1.0\r\n\r\n' $events)
  wait_until 5 test -s pids
  end "$SPAWNED"
  wait_until 5 slept
}

@test "the command is killed when the stream is at its end" {
  sleeper
  SERVE_MODE=listen serve_start -v --max-lifetime 1s --history-cmd ./hist room
  follow new $events
  wait_until 5 test -s pids
  wait_until 5 logged ' room lifetime '
  has new ': come back'
  wait_until 5 slept
}

@test "no more than 32 commands run at a time, and the others wait" {
  local i
  waits hist '' '{"data":"one"}'
  SERVE_MODE=listen serve_start --heartbeat 100ms --history-cmd ./hist room
  for i in {1..40}; do
    follow "c$i" $events
  done
  wait_until 5 eval '[ "$(wc -l <started)" = 32 ]'
  never_within 1 eval '[ "$(wc -l <started)" != 32 ]'
  for i in {1..40}; do
    has "c$i" :
  done
  touch go
  for i in {1..40}; do
    wait_until 10 has "c$i" 'data: one'
  done
  [ "$(wc -l <started)" = 40 ]
}

memory() {
  awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# The server's process that serves the client.
serving() {
  if [ $SERVE_MODE = listen ]; then
    echo "$SERVE_GROUP"
  else
    pgrep -P "$SERVE_GROUP" chat-sse
  fi
}

slow_client() {
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >&9
  wait_until 5 test -e started
  # Longer than it may run, which does not count.
  never_within 2 test -e finished
  [ "$(memory "$(serving)")" -lt "$limit" ]
  chat-pub room end
  timeout 60 sed '/^data: end$/q' <&9 >answer
  exec 9>&-
  [ -e finished ]
  [ "$(grep -c '^data: x' answer)" = 30000 ]
  [ "$(grep '^id: db:' answer)" = "$(seq -f 'id: db:%g' 30000)" ]
  run -1 grep chat-gap answer
}

@test "a slow client holds the command back, and costs no memory" {
  command_file hist <<'END'
touch started
awk 'BEGIN {
  x = sprintf("%1000s", ""); gsub(" ", "x", x)
  for (i = 1; i <= 30000; i++)
    printf "{\"id\":\"db:%d\",\"data\":\"%s\"}\n", i, x
}'
touch finished
END
  local time=1s
  limit=20000
  # A sanitizer takes time and memory itself.
  if grep -q __asan_init "$BUILD/chat-sse-serve"; then
    time=30s limit=200000
  fi
  in_both_modes slow_client --command-timeout $time --stall 60s \
    --history-cmd ./hist room
}

# --- Failures -------------------------------------------------------------------

# fails TEXT: the log has it, and a client has the gap and what comes live; what
# was before the failure is in the file want.
fails() {
  touch want
  : >go
  fill 2
  shows $events < <(
    echo '- chat-open'
    cat want
    echo "$last chat-gap history"
    echo '2-0 chat-cursor'
  )
  shows $events 'Last-Event-ID: 1-0' < <(
    echo '1-0 chat-open'
    sed 's/^[^ ]*/1-0/' want
    echo '1-0 chat-gap history'
    echo '2-0 r2'
  )
  shows "$events?on_gap=stop" < <(
    echo '- chat-open'
    cat want
    echo "$last chat-gap history"
  )
  wait_until 5 logged "--history-cmd: $text"
  wait_until 5 logged ' room gap '
  follow new $events
  wait_until 5 has new 'event: chat-cursor'
  fill 3 3
  wait_until 5 has new 'data: r3'
  ! alive_command
}

alive_command() {
  [ -e pid ] && ps -p "$(cat pid)"
}

# failing TEXT LAST [ARG...]
failing() {
  text=$1 last=$2
  in_both_modes fails "${@:3}" room
}

@test "a command with another status is a gap" {
  echo 'db:1 one' >want
  command_file hist <<<'echo "{\"id\":\"db:1\",\"data\":\"one\"}"; exit 3'
  failing 'exit status 3' db:1 --history-cmd ./hist
}

@test "one that is cut off is a gap, and no part of a line is taken" {
  echo 'db:1 one' >want
  command_file hist <<'END'
echo '{"id":"db:1","data":"one"}'
printf '{"id":"db:2","data":"two"}'
kill -9 $$
END
  failing 'killed by signal 9' db:1 --history-cmd ./hist
}

@test "one that cannot be run is a gap" {
  touch plain
  failing 'No such file' - --history-cmd ./nowhere
  failing 'Permission denied' - --history-cmd ./plain
}

@test "one that does not end in time is a gap" {
  echo 'db:1 one' >want
  command_file hist <<'END'
echo $$ >pid
echo '{"id":"db:1","data":"one"}'
exec sleep 60
END
  failing 'no answer in time' db:1 --command-timeout 300ms --history-cmd ./hist
}

@test "one that closes its output and stays is a gap, too" {
  echo 'db:1 one' >want
  command_file hist <<'END'
echo $$ >pid
echo '{"id":"db:1","data":"one"}'
exec sleep 60 >&-
END
  failing 'no answer in time' db:1 --command-timeout 300ms --history-cmd ./hist
}

@test "one that prints too much is a gap" {
  printf '%s\n' 'db:1 one' 'db:1 one' >want
  command_file hist <<'END'
echo $$ >pid
exec yes '{"id":"db:1","data":"one"}'
END
  failing 'it prints too much' db:1 --command-size 60 --history-cmd ./hist
}

@test "one that fails is a gap for who needs a state" {
  command_file snap <<<'echo "{\"data\":\"one\"}"; exit 3'
  serve_start -v --snapshot-cmd ./snap room
  fill 2
  shows $events <<'END'
- chat-open
- one
- chat-gap history
2-0 chat-cursor
END
  wait_until 5 logged '--snapshot-cmd: exit status 3'
}

bad_lines() {
  fill 2
  shows $events <<'END'
- chat-open
db:1 one
db:1 chat-gap history
db:2 two
db:2 chat-gap history
db:3 three
2-0 chat-cursor
END
  shows "$events?on_gap=stop" <<'END'
- chat-open
db:1 one
db:1 chat-gap history
END
  wait_until 5 logged '--history-cmd: not a JSON object'
  logged '--history-cmd: bad event type'
  logged '--history-cmd: a line is too long'
  [ "$(grep -c 'not a JSON object' "$SERVE_LOG")" -le 2 ]
}

@test "a bad line is passed over, and a gap" {
  prints hist '{"id":"db:1","data":"one"}' bad '[]' '{"event":"a\nb"}' \
    '{"id":"db:2","data":"two"}' "{\"data\":\"$(printf %01000d 0)\"}" \
    '{"id":"db:3","data":"three"}'
  in_both_modes bad_lines --max-size 1000 --history-cmd ./hist room
}

@test "a last line needs no end, and an empty output is fine" {
  command_file hist <<<'printf %s "{\"id\":\"db:1\",\"data\":\"one\"}"'
  command_file snap <<<'printf "\n\n"'
  serve_start --history-cmd ./hist --snapshot-cmd ./snap room
  fill 2
  shows $events 'Last-Event-ID: x' <<'END'
x chat-open
db:1 one
2-0 chat-cursor
END
  shows $events <<'END'
- chat-open
2-0 chat-cursor
END
}

@test "gaps of the history are counted" {
  command_file hist <<<'exit 1'
  SERVE_MODE=listen serve_start --stats --history-cmd ./hist room
  get $events >answer
  get $events >answer
  http /metrics | grep -qxF 'chat_gaps_total{reason="history"} 2'
  [ "$(http /stats | jq .gaps.history)" = 2 ]
}

@test "without Redis the command waits with the client" {
  prints hist '{"id":"db:1","data":"one"}'
  REDIS_DIR=$BATS_TEST_TMPDIR/redis
  redis_start
  for SERVE_MODE in accept listen; do
    rm -f asked
    r flushall
    redis_stop
    serve_start --history-cmd ./hist room
    spawn new curl -sSNi --noproxy '*' "http://127.0.0.1:$PORT$events"
    wait_until 10 grep -q 'waiting for Redis' new.out
    [ ! -e asked ]
    redis_restart
    fill 1
    wait_until 10 has new 'event: chat-cursor'
    has new 'data: one'
    serve_stop
  done
}

# --- Options --------------------------------------------------------------------

@test "options that make no sense are refused at the start" {
  run -64 chat-sse-serve -i --history-cmd ' ' room <<<''
  run -64 chat-sse-serve -i --snapshot-cmd '' room <<<''
  run -64 chat-sse-serve -i --history-cmd x --command-timeout 0 room <<<''
  run -64 chat-sse-serve -i --history-cmd x --command-timeout inf room <<<''
}

@test "the command has arguments, and no shell" {
  command_file hist <<<'printf "%s|" "$@" >args'
  in_both_modes arguments --history-cmd '  ./hist a  b"c $PATH ' room
}

arguments() {
  get $events >answer
  [ "$(cat args)" = 'a|b"c|$PATH|' ]
}

@test "another command holds after SIGHUP" {
  prints one '{"data":"one"}'
  prints two '{"data":"two"}'
  printf '%s\n' '[chat-sse-serve]' 'history-cmd = ./one' >conf
  CHAT_CONFIG=$PWD/conf SERVE_MODE=listen serve_start -v room
  get $events | grep -qx 'data: one'
  printf '%s\n' '[chat-sse-serve]' 'snapshot-cmd = ./two' >conf
  kill -s HUP "$SERVE_GROUP"
  wait_until 5 logged 'read again'
  get $events | grep -qx 'data: two'
}
