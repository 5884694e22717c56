# shellcheck shell=bash
# For the scripts beside this directory: servers of their own on free ports,
# the load on them, tables of medians. All that is started ends with the script.
#
# NS= numbers of clients, SECONDS_EACH= of a measurement, ROUNDS= of all of it,
# SIZE= bytes of a payload, DELIVERIES= a second. CORES=apart: the server has the
# first core to itself, Redis and the load have the others.

set -euo pipefail

: "${BUILD:=$PWD/build}" "${ROUNDS:=3}" "${SECONDS_EACH:=5}" "${SIZE:=200}"
: "${DELIVERIES:=50000}" "${CORES:=shared}"
here=$(dirname "${BASH_SOURCE[0]}")
tmp=$(mktemp -d)
dir=$tmp/run # of the servers that run
mkdir "$dir"
started=()
redis_aof=no
faults='^(not_joined|missing|doubled|closed) [^0]'
export CHAT_CONFIG=none

finish() {
  stop_all
  rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
  say "$*"
  exit 1
}

# wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS <= deadline)) || die "waited in vain for: $*"
    sleep 0.02
  done
}

# Those that we may use.
all_cores() {
  awk '/^Cpus_allowed_list:/ {
    n = split($2, list, ",")
    for (i = 1; i <= n; i++) {
      split(list[i] "-" list[i], end, "-")
      for (c = end[1]; c <= end[2]; c++)
        print c
    }
  }' /proc/self/status
}
mapfile -t cores < <(all_cores)

# place NAME: sets ${place[@]}, words before a command that say where it runs.
place() {
  place=()
  if [ "$CORES" != apart ] || ((${#cores[@]} < 2)); then
    return 0
  fi
  case $1 in
    redis | load) place=(taskset -c "$(IFS=, && echo "${cores[*]:1}")") ;;
    *) place=(taskset -c "${cores[0]}") ;;
  esac
}

# start NAME COMMAND...: in the background; its id is $started_pid, what it says
# is in $dir/NAME.log.
start() {
  local name=$1
  shift
  place "$name"
  "${place[@]}" "$@" </dev/null >"$dir/$name.log" 2>&1 &
  started_pid=$!
  started+=("$started_pid")
}

stop_all() {
  local pid
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || :
  done
  for pid in "${started[@]}"; do
    stop_one "$pid"
  done
  started=()
}

# It has been told to end; after 5 s it has to.
stop_one() {
  local deadline=$((SECONDS + 5))
  while kill -0 "$1" 2>/dev/null && ((SECONDS <= deadline)); do
    sleep 0.02
  done
  kill -KILL "$1" 2>/dev/null || :
  wait "$1" 2>/dev/null || :
}

listens() {
  awk -v p="$(printf ':%04X' "$1")" \
    '$4 == "0A" && index($2, p) { n++ } END { exit !n }' /proc/net/tcp
}

# Sets $free_port, below the ephemeral ones.
find_port() {
  local hex
  while :; do
    free_port=$((10240 + RANDOM % 22528))
    hex=$(printf ':%04X ' $free_port)
    grep -q "$hex" /proc/net/tcp || return 0
  done
}

# --- Servers --------------------------------------------------------------------
# Each sets $server_pid, $port and the words ${publish[@]} for the load.

# An empty one; sets $redis_pid, $redis_port, $redis_sock.
fresh_redis() {
  rm -rf "$dir"
  mkdir "$dir"
  find_port
  redis_port=$free_port
  redis_sock=$dir/redis.sock
  start_redis
}

start_redis() {
  start redis redis-server --port "$redis_port" --bind 127.0.0.1 \
    --unixsocket "$redis_sock" --dir "$dir" --save '' --appendonly "$redis_aof"
  redis_pid=$started_pid
  wait_until 10 redis_answers
}

redis_answers() {
  [ "$(redis-cli -s "$redis_sock" ping 2>/dev/null)" = PONG ]
}

# served [PATH]: it listens, and says 200 to a PATH.
served() {
  server_pid=$started_pid
  wait_until 10 listens "$port"
  [ $# = 0 ] || wait_until 10 answers "$1"
}

answers() {
  [ "$(curl -s --max-time 0.3 -H 'Accept: text/event-stream' -o /dev/null \
    -w '%{http_code}' "http://127.0.0.1:$port$1")" = 200 ]
}

start_ours() {
  find_port
  port=$free_port
  start ours "$BUILD/chat-sse-serve" -l "$port" --max-conns 100000 \
    -u "redis://127.0.0.1:$redis_port" "$@" '*'
  publish=(--path '/chat/%/events' --xadd "$redis_sock")
  served
}

start_nchan() {
  find_port
  port=$free_port
  sed -e "s|@PORT@|$port|; s|@REDIS@|127.0.0.1:$redis_port|; s|@DIR@|$dir|" \
    "$here/nchan.conf" >"$dir/nginx.conf"
  start nchan nginx -p "$dir" -c "$dir/nginx.conf"
  publish=(--path '/sub/%' --post '/pub/%')
  served /sub/ready # once it has a connection to Redis
}

start_node() {
  find_port
  port=$free_port
  start node env NODE_PATH="$BUILD/bench-node/node_modules" \
    node "$here/$1.js" "$port" "$redis_port"
  publish=(--path '/chat/%/events' --xadd "$redis_sock")
  served
}

start_better-sse() {
  start_node better-sse
}

start_xread() {
  start_node xread
}

start_bare() {
  find_port
  port=$free_port
  mkfifo "$dir/messages"
  start bare "$BUILD/tests/bench/bare" "$port" "$dir/messages"
  publish=(--pipe "$dir/messages")
  served
}

# Can it be started here?
have() {
  case $1 in
    nchan) [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] ;;
    better-sse | xread) [ -d "$BUILD/bench-node/node_modules/ioredis" ] ;;
  esac
}

# Those of the named servers that are here.
those_here() {
  local s
  for s; do
    if have "$s"; then
      echo "$s"
    else
      say "no $s here, its rows are left out: run \`make bench-deps\`"
    fi
  done
}

# --- Measuring ------------------------------------------------------------------

# load OPTION...: the load on the server; the results are in $dir/result.
load() {
  load_start "$@"
  load_end
}

load_start() {
  place load
  "${place[@]}" "$BUILD/tests/bench/load" --port "$port" "${publish[@]}" --size "$SIZE" \
    --server "$server_pid" --redis "$redis_pid" "$@" \
    >"$dir/result" 2>"$dir/load.log" &
  load_pid=$!
  started+=("$load_pid")
}

# Has the load come so far, or to an end?
load_measures() {
  grep -q measuring "$dir/load.log" || ! kill -0 "$load_pid"
}

load_end() {
  local status=0
  wait "$load_pid" || status=$?
  case $status in
    0) ;;
    1) say "not all came as it should: $(grep -E "$faults" "$dir/result" |
      tr '\n' ' ')" ;;
    *) die "$(cat "$dir"/*.log)" ;;
  esac
}

# run SERVER OPTION...: load on a fresh server and a fresh Redis.
run() {
  local server=$1
  shift
  fresh_redis
  "start_$server"
  load "$@"
  stop_all
}

# value NAME: of the last result.
value() {
  awk -v name="$1" '$1 == name { print $2 }' "$dir/result"
}

# note NAME VALUE: one more result.
note() {
  echo "$1 $2" >>"$dir/result"
}

# Connections that the server has to Redis.
redis_connections() {
  redis-cli -s "$redis_sock" client list 2>/dev/null |
    grep -c 'name=chat-sse-serve' || :
}

# keep FILE WORD...: add the last result's lines to FILE behind these words.
keep() {
  local file=$1
  shift
  sed "s|^|$* |" "$dir/result" >>"$file"
}

# rounds FILE KEY SERVERS LOAD-OPTION...: ROUNDS times each server in turn.
rounds() {
  local file=$1 key=$2 round server
  local -a servers
  read -ra servers <<<"$3"
  shift 3
  for ((round = 1; round <= ROUNDS; round++)); do
    for server in "${servers[@]}"; do
      say "$key, round $round of $ROUNDS: $server"
      run "$server" "$@"
      keep "$file" "$key" "$round" "$server"
    done
  done
}

# Lines KEY ROUND SERVER NAME VALUE -> the same with, for each round, what $OURS
# has in proportion to each other one, as SERVER ours/OTHER. (A bare loop has no
# Redis and keeps nothing.)
ratios() {
  awk -v us="${OURS:-ours}" '
    { print; value[$1, $2, $3, $4] = $5; servers[$3]; cells[$1 " " $2 " " $4] }
    END {
      for (cell in cells) {
        split(cell, c, " ")
        ours = value[c[1], c[2], us, c[3]]
        for (s in servers) {
          theirs = value[c[1], c[2], s, c[3]]
          if (s == "bare" && c[3] ~ /^(redis|private)/)
            continue
          if (s != us && ours != "" && theirs > 0)
            print c[1], c[2], us "/" s, c[3], ours / theirs
        }
      }
    }'
}

# Lines KEY ROUND SERVER NAME VALUE -> KEY SERVER NAME MEDIAN.
medians() {
  sort -k1,1 -k3,3 -k4,4 -k5,5g | awk '
    function flush() {
      if (n)
        print row, n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
      n = 0
    }
    $1 " " $3 " " $4 != row { flush(); row = $1 " " $3 " " $4 }
    { v[++n] = $5 }
    END { flush() }'
}

# table FILE TITLE NAME...: a Markdown table with a row for each key and server.
table() {
  local file=$1
  shift
  ratios <"$file" | medians | awk '{ print ($2 ~ "/"), $0 }' |
    sort -k1,1n -k2,2V -k3,3 | cut -d ' ' -f 2- | awk -v head="$*" '
    BEGIN {
      n = split(head, names, " ")
      rule = "|---|---|"
      printf "| %s | server |", names[1]
      for (i = 2; i <= n; i++) {
        printf " %s |", names[i]
        rule = rule "---|"
      }
      print "\n" rule
    }
    !(($1, $2) in seen) { seen[$1, $2]; keys[++rows] = $1; server[rows] = $2 }
    { value[$1, $2, $3] = $4 }
    END {
      for (r = 1; r <= rows; r++) {
        printf "| %s | %s |", keys[r], server[r]
        for (i = 2; i <= n; i++) {
          v = value[keys[r], server[r], names[i]]
          printf " %s |", v == "" ? "" : sprintf("%.3g", v) + 0
        }
        print ""
      }
    }'
}
