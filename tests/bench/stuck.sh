#!/bin/bash
# One client never reads while MB megabytes are published: does the server's
# memory stay as it is, and do the N others notice?

. "$(dirname "$0")/lib/common.bash"
: "${MB:=1024}" "${N:=10}" "${RATE:=1000}" "${SERVER:=ours}"
SIZE=65536
export OURS=stuck

# measured WHAT OPTION...
measured() {
  local what=$1
  shift
  say "round $round of $ROUNDS: $what"
  fresh_redis
  "start_$SERVER"
  load -r "$RATE" --maxlen 1000 -d $((MB * 16 * 1000 / RATE))ms \
    --deadline 300s "$@"
  keep "$tmp/all" "$N" "$round" "$what"
  stop_all
}

for ((round = 1; round <= ROUNDS; round++)); do
  measured none -n "$N"
  measured stuck -n $((N + 1)) --stuck 1
done

echo "$MB MB to $N clients that read, beside none and one that does not:"
echo
table "$tmp/all" clients deliveries_per_s latency_p50_ms latency_p99_ms \
  latency_max_ms rss_before_mb rss_after_mb rss_peak_mb missing doubled
