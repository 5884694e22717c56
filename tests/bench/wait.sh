#!/bin/bash
# One process for all clients: what a delivery costs, how long it takes, how
# fast it goes, beside nginx with nchan, two servers for Node, and a bare loop
# of write(2).

. "$(dirname "$0")/lib/common.bash"
: "${NS=100 1000 5000 10000}" "${FLAT_NS=100 1000}" "${WINDOW:=256}"
: "${SERVERS:=ours nchan xread better-sse bare}" "${NODE_MAX:=1000}"

steady=$tmp/steady flat=$tmp/flat
# shellcheck disable=SC2086 # a list of words
here_now=$(those_here $SERVERS)

# Those that are measured with so many clients.
servers_for() {
  local s
  for s in $here_now; do
    case $s in
      xread | better-sse) (($1 > NODE_MAX)) || echo "$s" ;;
      *) echo "$s" ;;
    esac
  done | tr '\n' ' '
}

for n in $NS; do
  CORES=apart rounds "$steady" "$n" "$(servers_for "$n")" \
    -n "$n" -r $(((DELIVERIES + n - 1) / n)) -d "${SECONDS_EACH}s"
done
for n in $FLAT_NS; do
  rounds "$flat" "$n" "$(servers_for "$n")" \
    -n "$n" -r 0 -w "$WINDOW" -d "${SECONDS_EACH}s"
done

if [ -s "$steady" ]; then
  echo "One channel, $DELIVERIES deliveries a second of $SIZE bytes:"
  echo
  table "$steady" clients server_us redis_us latency_p50_ms latency_p99_ms \
    private_kb first_byte_p50_ms first_byte_p99_ms missing doubled
  echo
fi
if [ -s "$flat" ]; then
  echo "As fast as it goes, at most $WINDOW messages on their way:"
  echo
  table "$flat" clients deliveries_per_s server_us redis_us latency_p99_ms \
    missing doubled
  echo
fi
