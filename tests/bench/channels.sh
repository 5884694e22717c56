#!/bin/bash
# As many channels as clients beside one channel for all, at the same number of
# deliveries a second: what does a channel cost?

. "$(dirname "$0")/lib/common.bash"
: "${N:=10000}" "${SERVER:=ours}"
export OURS=many

# one_of WHAT OPTION...
one_of() {
  local what=$1
  shift
  say "$N clients, round $round of $ROUNDS: $what"
  fresh_redis
  "start_$SERVER"
  load_start -n "$N" -d "${SECONDS_EACH}s" "$@"
  wait_until 60 load_measures
  connections=$(redis_connections)
  load_end
  note redis_connections "$connections"
  keep "$tmp/all" "$N" "$round" "$what"
  stop_all
}

for ((round = 1; round <= ROUNDS; round++)); do
  one_of one -c 1 -r $(((DELIVERIES + N - 1) / N))
  one_of many -c "$N" -r "$DELIVERIES"
done

echo "One channel, and one for each client; $DELIVERIES deliveries a second:"
echo
table "$tmp/all" clients server_us redis_us latency_p50_ms latency_p99_ms \
  open_s open_server_us open_redis_us private_kb redis_connections missing \
  doubled
