#!/bin/bash
# redis-server is restarted (with its append-only file) under N clients while
# messages flow: how many connections does the server make, is any client
# closed, is anything lost or doubled?

. "$(dirname "$0")/lib/common.bash"
: "${N:=5000}" "${SERVER:=ours}"
redis_aof=yes

restart_redis() {
  kill "$redis_pid"
  stop_one "$redis_pid"
  start_redis
}

# The most connections at a time, until the load ends.
watch_connections() {
  local n
  connections=0
  while kill -0 "$load_pid" 2>/dev/null; do
    n=$(redis_connections)
    ((n <= connections)) || connections=$n
    sleep 0.05
  done
}

for ((round = 1; round <= ROUNDS; round++)); do
  say "$N clients, round $round of $ROUNDS"
  fresh_redis
  "start_$SERVER"
  load_start -n "$N" -r $(((DELIVERIES + N - 1) / N)) -d "${SECONDS_EACH}s"
  wait_until 60 load_measures
  restart_redis
  watch_connections
  load_end
  note redis_connections "$connections"
  keep "$tmp/all" "$N" "$round" "$SERVER"
  stop_all
done

echo "Redis is restarted under $N clients; $DELIVERIES deliveries a second:"
echo
table "$tmp/all" clients deliveries latency_p50_ms latency_p99_ms \
  latency_max_ms redis_connections closed missing doubled
