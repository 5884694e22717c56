#!/bin/bash
# curl.sh URL: follow it as a browser does, with curl and jq: each event is
# printed as a line of JSON; when the connection ends, go on behind the last one.
set -u

# Fields as in WHATWG HTML 9.2.6; the state is the event so far.
# shellcheck disable=SC2016
parse='
  def value: sub("^[a-z]+: ?"; "");
  foreach inputs as $line ({data: null};
    if .done then {id, data: null} else . end |
    if $line == "" then .done = true
    elif $line | startswith("data:") then
      .data = (if .data then .data + "\n" else "" end) + ($line | value)
    elif $line | startswith("event:") then .type = ($line | value)
    elif $line | startswith("id:") then .id = ($line | value)
    else . end;
    select(.done and .data) | {type: (.type // "message"), data, id})'

last=()
while :; do
  while IFS= read -r event; do
    printf '%s\n' "$event"
    last=(-H "Last-Event-ID: $(jq -r .id <<<"$event")")
  done < <(curl -sSfN --noproxy '*' "${last[@]}" "$1" |
    jq --unbuffered -Rnc "$parse")
  sleep 0.2
done
