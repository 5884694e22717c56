# chat-sse-serve --stats: what it says about itself is well-formed and true.

load helpers/common
load helpers/http
load helpers/follow

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  SERVE_MODE=listen
  OVER=socket
}

teardown() {
  end_spawned
}

# metric SAMPLE: its number.
metric() {
  http /metrics | awk -v name="$1" '$1 == name { print $2 }'
}

# counts SAMPLE NUMBER: it is so, soon.
counts() {
  wait_until 5 is_metric "$1" "$2" || {
    echo "$1 is $(metric "$1") instead of $2" >&2
    return 1
  }
}

is_metric() {
  [ "$(metric "$1")" = "$2" ]
}

# stats JQ-EXPRESSION [QUERY]: what it makes of the JSON.
stats() {
  http "/stats${2-}" | jq -c "$1"
}

well_formed() {
  awk -f "$BATS_TEST_DIRNAME/helpers/metrics.awk"
}

# fill N: entries 1-0 to N-0.
fill() {
  local i
  for ((i = 1; i <= $1; i++)); do
    echo "xadd chat:room $i-0 data m$i"
  done | r >/dev/null
}

# --- Requests -----------------------------------------------------------------

@test "they are answered under --stats only, and only where many are served" {
  serve_start room
  requests
  answers 404 'GET /metrics HTTP/1.0\r\n\r\n'
  answers 404 'GET /stats HTTP/1.0\r\n\r\n'
  OVER='' ARGS=(--stats room)
  answers 404 'GET /metrics HTTP/1.0\r\n\r\n'
  answers 404 'GET /stats HTTP/1.0\r\n\r\n'
}

@test "requests have their status" {
  local path
  serve_start --stats room
  requests
  for path in /metrics /stats; do
    answers 200 "GET $path HTTP/1.0\r\n\r\n"
    answers 200 "GET $path?unknown=1 HTTP/1.0\r\n\r\n"
    answers 404 "GET $path/ HTTP/1.0\r\n\r\n"
    answers 405 "POST $path HTTP/1.0\r\n\r\n"
    answers 400 "GET $path HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"
    [ "$(ask "DELETE $path HTTP/1.0\r\n\r\n" | field Allow)" = \
      'GET, HEAD, OPTIONS' ]
    ask "OPTIONS $path HTTP/1.0\r\n\r\n" >answer
    [ "$(status <answer)" = 204 ]
    [ "$(field Allow <answer)" = 'GET, HEAD, OPTIONS' ]
    get "$path" >answer
    [ "$(field Content-Length <answer)" = "$(body_of <answer | wc -c)" ]
    [ "$(field Cache-Control <answer)" = no-store ]
    ask "HEAD $path HTTP/1.0\r\n\r\n" >answer
    [ "$(status <answer)" = 200 ]
    [ -z "$(body_of <answer)" ]
  done
  for path in limit=-1 limit=x limit=10001 'limit=1&limit=1'; do
    answers 400 "GET /stats?$path HTTP/1.0\r\n\r\n"
  done
  answers 200 'GET /stats?limit=10000 HTTP/1.0\r\n\r\n'
  [ "$(get /metrics | field Content-Type)" = \
    'text/plain; version=0.0.4; charset=utf-8' ]
  [ "$(get /stats | field Content-Type)" = application/json ]
}

# --- Form ---------------------------------------------------------------------

@test "what is not well-formed is noticed" {
  local text family=$'# HELP a b\n# TYPE a gauge\n'
  local hist=$'# HELP h b\n# TYPE h histogram\n'
  printf '%sa{x="\\\\\\"\\n"} 1\na 0.5\n' "$family" | well_formed
  printf '%sh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n' \
    "$hist" | well_formed
  for text in '' 'a 1' "$family" "${family}b 1" "${family}a x" "${family}a  1" \
    "${family}a 1 2 3" "$family"$'a 1\na 1' "$family"$'a 1\n'"${family}a{x=\"\"} 1" \
    "${family}a{x=\"\\x\"} 1" "${family}a{x=\"\"\"} 1" "${family}a{x=y} 1" \
    "${family}a{1x=\"\"} 1" "${family}# a comment" \
    $'# HELP a \\x\n# TYPE a gauge\na 1' $'# TYPE a gauge\na 1' \
    $'# HELP a b\na 1' $'# HELP a b\n# TYPE a counter\na 1' \
    $'# HELP a_total b\n# TYPE a_total gauge\na_total 1' \
    "${hist}h 1" "${hist}h_bucket{le=\"+Inf\"} 1" \
    "$hist"$'h_bucket{le="+Inf"} 1\nh_sum 3\nh_count 2' \
    "$hist"$'h_bucket{le="1"} 1\nh_sum 3\nh_count 1' \
    "$hist"$'h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1' \
    "$hist"$'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1'; do
    run ! well_formed <<<"$text"
  done
}

@test "the metrics are well-formed, and the JSON says the same" {
  serve_start --stats --publish room
  follow_all 2
  chat-pub room hello
  wait_until 5 has c2 'data: hello'
  http /metrics >metrics
  well_formed <metrics
  http /stats >json
  # The names and labels of one are those of the other.
  jq -r '
    del(.version, .channels, .channels_total, .publish_to_write_seconds) |
    to_entries[] |
    if .value | type == "object"
    then .key as $k | .value | keys[] | "\($k) \(.)"
    else .key end' json | sort >of-json
  grep -v -e '^#' -e publish_to_write -e build_info metrics |
    sed -E 's/^chat_//; s/_total([{ ])/\1/; s/\{.*="(.*)"\}/ \1/; s/ [0-9.]+$//' |
    sort | diff of-json -
  jq -e '.publish_to_write_seconds | .count == 1 and .le."10" == 1' json
  jq -e --arg version "$(chat-sse-serve -V)" \
    '"chat-sse-serve " + .version == $version' json
  grep -qxF "chat_build_info{version=\"$(jq -r .version json)\"} 1" metrics
}

@test "the man page has exactly the metrics that there are" {
  serve_start --stats room
  http /metrics | awk '/^# TYPE/ { print $3 }' | sort >names
  sed -En 's/^\.It Li ((chat|process)_[a-z_]*).*/\1/p' \
    "$BATS_TEST_DIRNAME/../man/chat-sse-serve.1" | sort | diff names -
}

# --- Truth --------------------------------------------------------------------

@test "deliveries, bytes and clients are counted" {
  local i
  serve_start --stats room
  follow_all 3
  counts chat_clients 3
  counts chat_streams_total 3
  counts chat_members 3
  counts chat_topics 1
  counts chat_catching_up 0
  for i in {1..10}; do
    chat-pub room "m$i"
  done
  for i in 1 2 3; do
    wait_until 5 has "c$i" 'data: m10'
  done
  counts chat_deliveries_total 30
  counts 'chat_messages_received_total{source="live"}' 10
  counts 'chat_messages_received_total{source="history"}' 0
  counts 'chat_requests_total{status="404"}' 0
  http /nowhere
  counts 'chat_requests_total{status="404"}' 1
  end "$SPAWNED"
  counts chat_clients 2
  counts chat_members 2
  counts chat_streams_total 3
  counts 'chat_connections_ended_total{reason="client-gone"}' 1
  counts chat_deliveries_total 30
  counts chat_connections 3
}

@test "bytes are those that the clients have got" {
  local before after
  serve_start --stats room
  fill 1000
  before=$(stats .sent_bytes)
  follow c -i "$events?last_event_id=0-0"
  wait_until 5 has c 'data: m1000'
  after=$(stats .sent_bytes)
  # Three things were answered since: this stream and the JSON before.
  [ $((after - before)) -ge "$(wc -c <c.out)" ]
  [ $((after - before)) -le $(($(wc -c <c.out) + 4096)) ]
  counts 'chat_messages_received_total{source="history"}' 1000
  counts chat_deliveries_total 1000
  counts chat_publish_to_write_seconds_count 0
}

@test "connections are counted, and how they end" {
  serve_start --stats --request-timeout 1s room
  [ "$(stats .connections_accepted)" = 1 ]
  [ "$(stats .connections_accepted)" = 2 ]
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  counts 'chat_connections_ended_total{reason="no-request"}' 1
  exec 9>&-
  follow_all 2
  end "$SPAWNED"
  counts 'chat_connections_ended_total{reason="client-gone"}' 1
  [ "$(stats '.connections_accepted - .connections -
    ([.connections_ended[]] | add)')" = 0 ]
  [ "$(stats '.connections_ended.answered > 3')" = true ]
}

@test "messages that were posted are counted by what became of them" {
  serve_start --stats --publish room
  http -d data=one /chat/room/messages
  http -d data=two /chat/room/messages
  http -d nothing=x /chat/room/messages
  counts 'chat_posts_total{result="stored"}' 2
  counts 'chat_posts_total{result="refused"}' 1
  counts 'chat_requests_total{status="202"}' 2
  # Closed with input that was not read, it is reset.
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'POST /chat/room/messages HTTP/1.1\r\nHost: x\r\n' >&9
  printf 'Content-Length: 9\r\nContent-Type: text/plain\r\n' >&9
  printf 'Expect: 100-continue\r\n\r\n' >&9
  wait_until 5 has_input 9
  exec 9>&-
  counts 'chat_posts_total{result="abandoned"}' 1
  counts 'chat_posts_total{result="refused"}' 1
}

has_input() {
  read -r -t 0 -u "$1"
}

@test "gaps are counted by their reason" {
  serve_start --stats room
  fill 10
  r xtrim chat:room maxlen 2
  follow trimmed "$events?last_event_id=3-0"
  follow bad -H 'Last-Event-ID: nonsense' $events
  follow rewound "$events?last_event_id=99-0"
  counts 'chat_gaps_total{reason="trimmed"}' 1
  counts 'chat_gaps_total{reason="bad-cursor"}' 1
  counts 'chat_gaps_total{reason="rewound"}' 1
  counts 'chat_gaps_total{reason="reset"}' 0
}

@test "the time from publishing to writing is measured" {
  local before i
  serve_start --stats room
  follow_all 2
  before=$(metric 'chat_publish_to_write_seconds_bucket{le="1"}')
  [ "$before" = 0 ]
  for i in {1..5}; do
    chat-pub room "m$i"
  done
  wait_until 5 has c2 'data: m5'
  counts 'chat_publish_to_write_seconds_bucket{le="5"}' 5
  counts chat_publish_to_write_seconds_count 5
}

@test "what was long on its way is measured as such" {
  serve_start --stats room
  follow_all 1
  r xadd chat:room "$(($(now_ms) - 7000))-0" data seven
  wait_until 5 has c1 'data: seven'
  counts 'chat_publish_to_write_seconds_bucket{le="5"}' 0
  counts 'chat_publish_to_write_seconds_bucket{le="10"}' 1
  [[ $(metric chat_publish_to_write_seconds_sum) =~ ^7(\.|$) ]]
}

@test "ids that are no times say nothing of how long it took" {
  serve_start --stats room
  fill 1
  follow_all 1
  r xadd chat:room 2-0 data two
  wait_until 5 has c1 'data: two'
  counts 'chat_messages_received_total{source="live"}' 1
  counts chat_publish_to_write_seconds_count 0
}

@test "who is slow catches up once more" {
  local line i before
  serve_start --stats room
  exec 9<>"/dev/tcp/127.0.0.1/$PORT"
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >&9
  counts chat_members 1
  counts chat_catching_up 0
  before=$(metric chat_catchups_total)
  line=$(printf %060000d 0)
  for ((i = 0; i < 300; i++)); do
    printf 'xadd chat:room maxlen 100 * data %s\n' "$line"
  done | r >/dev/null
  counts chat_catching_up 1
  counts chat_catchups_total $((before + 1))
  exec 9>&-
  counts chat_catching_up 0
}

@test "the state of Redis, and that it came back" {
  local id
  serve_start --stats room
  follow_all 2
  counts chat_redis_up 1
  counts chat_redis_reconnects_total 0
  id=$(r client list | sed -n 's/^id=\([0-9]*\).* cmd=xread.*/\1/p')
  r client kill id "$id"
  counts chat_redis_reconnects_total 1
  counts chat_redis_up 1
  chat-pub room hello
  wait_until 5 has c1 'data: hello'
  counts chat_catching_up 0
}

@test "they are told without Redis, too" {
  REDIS_DIR=$PWD/redis
  redis_start
  serve_start --stats --drain 0 room
  follow_all 1
  redis_kill
  counts chat_redis_up 0
  [ "$(stats .clients)" = 1 ]
  redis_restart
  counts chat_redis_up 1
  counts chat_redis_reconnects_total 1
}

@test "who is one too many is counted" {
  serve_start --stats --max-conns-per-peer 2 room
  follow_all 2
  http --interface 127.0.0.2 /metrics >before
  http $events >/dev/null
  http "$events?strict=1" >/dev/null
  http --interface 127.0.0.2 /metrics >after
  grep -qx 'chat_declined_total 0' before
  wait_until 5 ended_too_many 1
  http --interface 127.0.0.2 /metrics | grep -qx 'chat_declined_total 2'
}

ended_too_many() {
  http --interface 127.0.0.2 /stats |
    jq -e ".connections_ended.\"too-many\" == $1 and .requests.\"429\" == 1"
}

@test "the process is described" {
  local pid
  serve_start --stats room
  pid=$SERVE_GROUP
  [ "$(stats .process_open_fds)" -ge 4 ]
  [ "$(stats ".process_open_fds - $(find "/proc/$pid/fd" -mindepth 1 | wc -l) |
    fabs <= 1")" = true ]
  [ "$(stats .process_max_fds)" = \
    "$(awk '/^Max open files/ { print $4 }' "/proc/$pid/limits")" ]
  [ "$(stats ".process_resident_memory_bytes / 1024 -
    $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status") | fabs < 1024")" = true ]
  [ "$(stats "$(date +%s.%N) - .process_start_time_seconds |
    . > 0 and . < 10")" = true ]
  [ "$(stats '.process_cpu_seconds < 5')" = true ]
}

# --- Channels -----------------------------------------------------------------

@test "channels are listed, the busiest first" {
  serve_start --stats '*'
  [ "$(stats '[.channels_total, .channels]')" = '[0,[]]' ]
  r xadd chat:b 7-1 data x
  follow a1 /chat/a/events
  follow b1 /chat/b/events
  follow b2 /chat/b/events
  follow q '/chat/%22%5C%F0%9F%98%80/events'
  counts chat_members 4
  wait_until 5 heads_are_known
  [ "$(stats .channels[0])" = \
    '{"channel":"b","subscribers":2,"head":"7-1"}' ]
  [ "$(stats '[.channels[].subscribers]')" = '[2,1,1]' ]
  [ "$(stats '[.channels[].channel] | sort')" = '["\"\\😀","a","b"]' ]
  [ "$(stats '[.channels_total, (.channels | length)]' '?limit=2')" = '[3,2]' ]
  [ "$(stats '[.channels_total, (.channels | length)]' '?limit=0')" = '[3,0]' ]
  [ "$(stats '.channels_total' '?limit=')" = 3 ]
  end_spawned
}

heads_are_known() {
  [ "$(stats '[.channels[].head] | all')" = true ]
}

@test "a channel that nobody follows any more is not listed" {
  serve_start --stats '*'
  follow a /chat/a/events
  wait_until 5 has a 'event: chat-open'
  counts chat_topics 1
  end "$SPAWNED"
  counts chat_topics 0
  [ "$(stats .channels)" = '[]' ]
}
