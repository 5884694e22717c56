# What the clients that people use make of a stream: each gets every message,
# once and in order, and nothing else, however often it is cut off.

load helpers/common
load helpers/http
load browser/webdriver

MODULES=${CLIENTS:-${BUILD:-$BATS_TEST_DIRNAME/../build}/clients-node}/node_modules
CLIENTS_DIR=$BATS_TEST_DIRNAME/clients

setup_file() {
  redis_start
  # Where modules are looked for: beside the script.
  cp "$CLIENTS_DIR/follow.mjs" "$BATS_FILE_TMPDIR"
  ln -s "$(realpath -m "$MODULES")" "$BATS_FILE_TMPDIR/node_modules"
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  SERVE_MODE=listen
}

teardown() {
  if [ -z "${BATS_TEST_COMPLETED-}" ]; then
    tail -n 40 client.out client.err expected "$SERVE_LOG" | cut -c 1-200 || :
  fi
  browser_stop
  end_spawned
}

need() {
  command -v "$1" >/dev/null || skip "no $1"
}

need_module() {
  need node
  [ -d "$MODULES/$1" ] || skip "no module $1: make clients-deps installs it"
}

# --- The stream ---------------------------------------------------------------

# The next one has the same port.
server_start() {
  PORT=${PORT:-$(free_port)}
  SERVE_LOG=$PWD/serve.err
  rm -f "$SERVE_LOG"
  serve_listen -v --reuse-port --heartbeat 100ms \
    --page "$CLIENTS_DIR/page.html" "$@" room
  SERVE_GROUP=$SPAWNED
  wait_until 10 server_listens
}

# Another one may do so, too.
server_listens() {
  local inode
  inode=$(find "/proc/$SERVE_GROUP/fd" -lname 'socket:*' -printf '%l\n' |
    tr -dc '0-9\n')
  awk -v port="$(printf :%04X "$PORT")" '
    $2 ~ port "$" && $4 == "0A" { print $10 }' /proc/net/tcp |
    grep -qxF "$inode"
}

server_kill() {
  kill -s KILL -- "-$1"
  wait_until 10 gone "$1"
}

# Cut all clients off and store the messages of store_all N meanwhile: while
# there is no server at all, or so that the next one is there already.
restart() {
  server_kill "$SERVE_GROUP"
  store_all "$1"
  server_start "${@:2}"
}

replace() {
  local old=$SERVE_GROUP
  kill -s STOP -- "-$old"
  store_all "$1"
  server_start "${@:2}"
  server_kill "$old"
}

# store ID TYPE DATA: a message that is to arrive; `-` for no type.
store() {
  local type=message
  local -a event=()
  if [ "$2" != - ]; then
    type=$2
    event=(event "$2")
  fi
  r xadd chat:room "$1" "${event[@]}" data "$3" >/dev/null
  jq -nc --arg type "$type" --arg data "$3" --arg id "$1" \
    '{type: $type, data: $data, id: $id}' >>expected
}

# store_all N: messages N-1 and so on, one of each kind, and among them some
# that the filter holds back.
store_all() {
  store "$1-1" - 'one line'
  store "$1-2" - $'two\nlines'
  store "$1-3" - ''
  store "$1-4" - $'gr\u00fc\u00df \u4f60\u597d \U1f600 \u2028 \ufeff.'
  r xadd chat:room "$1-5" event other data 'held back' >/dev/null
  store "$1-6" note 'with a type'
  store "$1-7" - '  two blanks before, two behind  '
  store "$1-8" - ': a colon before'
  store "$1-9" - $'ends of lines behind\n\n'
  store "$1-10" - $'data: x\nid: 99-0\nevent: note\nretry: 1\n:\n\ndata: y'
  store "$1-11" note "$(printf 'long %.0s' {1..20000})"
  r xadd chat:room "$1-12" event other data 'held back' >/dev/null
}

# --- What the client has had of it --------------------------------------------

# Chromium is asked, the others have told.
collect() {
  [ -z "${WEBDRIVER-}" ] || browser_js 'return lines.join("\n")' >client.out
  grep -v '"type":"chat-' client.out >got
}

has_own() {
  collect
  grep -q "\"type\":\"chat-$1\"" client.out
}

# The last one is there; what is missing is seen at the end.
has_last() {
  collect
  [ "$(tail -n 1 got)" = "$(tail -n 1 expected)" ]
}

count() {
  grep -cxF "$@" || :
}

# Prints a row of the table, and fails unless it is as it should be.
verdict() {
  local all received away resumed phantom order=ok
  collect
  all=$(wc -l <expected)
  received=$(count -f got expected)
  away=$(wc -l <away)
  resumed=$(count -f got away)
  phantom=$(count -v -f expected got)
  cmp -s got expected || order=wrong
  printf '# %-32s received %s/%s, resumed %s/%s, phantom %s, order %s\n' \
    "$BATS_TEST_DESCRIPTION:" "$received" "$all" "$resumed" "$away" \
    "$phantom" "$order" >&3
  [ "$received/$resumed/$phantom/$order" = "$all/$away/0/ok" ]
}

ended_often() {
  [ "$(grep -c 'room lifetime' "$SERVE_LOG")" -ge 2 ]
}

# whole COMMAND...: with a server, let the command start the client, and then
# - cut it off before its first message,
# - send it some as they come,
# - cut it off, and send more while it is away,
# - let the server end its stream again and again.
whole() {
  unset PORT
  r xadd chat:room 0-1 data 'before its time' >/dev/null
  server_start
  "$@"
  wait_until 20 has_own open

  restart 1
  wait_until 20 has_last

  store_all 2
  wait_until 20 has_last
  wait_until 5 has_own cursor

  replace 3 --max-lifetime 500ms
  wait_until 20 has_last
  grep -E '"id":"(1|3)-' expected >away

  wait_until 20 ended_often
  store_all 4
  wait_until 20 has_last
  verdict
}

url() {
  echo "http://127.0.0.1:$PORT/chat/room/events?filter=message&filter=note"
}

in_chromium() {
  browser_start
  browser_open "http://127.0.0.1:$PORT/"
}

# in_node CLIENT URL
in_node() {
  spawn client node "$BATS_FILE_TMPDIR/follow.mjs" "$@"
}

module() {
  in_node "$1" "$(url)"
}

@test "Chromium" {
  need chromium
  need chromedriver
  whole in_chromium
}

in_firefox() {
  export FIREFOX
  FIREFOX=$(command -v firefox-esr || command -v firefox)
  in_node firefox "http://127.0.0.1:$PORT/"
}

@test "Firefox" {
  need_module puppeteer-core
  command -v firefox-esr firefox >/dev/null || skip 'no firefox-esr'
  whole in_firefox
}

in_curl() {
  spawn client "$CLIENTS_DIR/curl.sh" "$(url)"
}

@test "curl" {
  need curl
  whole in_curl
}

@test "eventsource" {
  need_module eventsource
  whole module eventsource
}

@test "undici" {
  need_module undici
  whole module undici
}

@test "launchdarkly-eventsource" {
  need_module launchdarkly-eventsource
  whole module launchdarkly-eventsource
}

@test "@microsoft/fetch-event-source" {
  need_module @microsoft/fetch-event-source
  whole module @microsoft/fetch-event-source
}
