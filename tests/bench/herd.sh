#!/bin/bash
# A herd: N clients leave and come back all at once, BACK messages behind, while
# messages flow to LIVE others. Does each get every message once, how long does
# it take, and what do the others notice?

. "$(dirname "$0")/lib/common.bash"
: "${N:=10000}" "${BACK:=1000}" "${LIVE:=100}" "${RATE:=5}" "${SERVER:=ours}"
: "${HERD_SECONDS:=9}"

for ((round = 1; round <= ROUNDS; round++)); do
  say "$N clients, round $round of $ROUNDS"
  fresh_redis
  "start_$SERVER"
  load -n $((N + LIVE)) --herd "$N" --back "$BACK" --prefill "$BACK" \
    -r "$RATE" -d "${HERD_SECONDS}s" --deadline 300s
  keep "$tmp/all" "$N" "$round" "$SERVER"
  stop_all
done

echo "$N clients come back $BACK messages behind; $LIVE others, $RATE messages"
echo 'a second:'
echo
table "$tmp/all" clients herd_s deliveries_per_s latency_p50_ms latency_p99_ms \
  during_herd_p50_ms during_herd_p99_ms during_herd_max_ms rss_before_mb \
  rss_peak_mb missing doubled
