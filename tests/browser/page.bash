# shellcheck shell=bash
#
# The demo page, seen from a test: what it shows, and how its server is cut off.

# page_open [CHANNEL [NAME]]: show the page and wait for its stream.
page_open() {
  browser_open "$SITE/?channel=${1-$ROOM}#name=${2-ada}"
  wait_until 10 page_state open
}

page_state() {
  browser_is "document.body.dataset.state === '$1'"
}

# The ids of the messages shown, one a line, in the order of the page.
page_ids() {
  browser_js 'return [...document.querySelectorAll("#log .message")]
    .map((message) => message.dataset.id).join("\n")'
}

# page_texts [SELECTOR]: the texts shown, one a line.
page_texts() {
  browser_js 'return [...document.querySelectorAll(arguments[0] + " .text")]
    .map((node) => node.textContent).join("\n")' "${1-#log .message}"
}

# page_part SELECTOR: the text of the first such element.
page_part() {
  browser_js 'return document.querySelector(arguments[0])?.textContent ?? ""' \
    "$1"
}

page_count() {
  browser_js 'return document.querySelectorAll(arguments[0]).length' "$1"
}

# page_has SELECTOR N: exactly N elements.
page_has() {
  [ "$(page_count "$1")" -eq "$2" ]
}

page_shows() {
  page_texts | grep -qxF -e "$1"
}

page_send() {
  browser_type '#text' "$1$ENTER"
}

stream_ids() {
  r XRANGE "chat:${1-$ROOM}" - + | grep -Ex '[0-9]+-[0-9]+'
}

# The page shows the stream: every message, once, in order.
page_is_stream() {
  [ "$(page_ids)" = "$(stream_ids)" ]
}

# page_is_clean: nothing was out of order, and nothing refused by the policy.
page_is_clean() {
  page_has .fault 0
  ! browser_console | grep -E 'Content Security Policy|Uncaught'
}

# server_signal SIGNAL: to each process that serves a connection now; the one
# that accepts them leads their process group.
server_signal() {
  pgrep -g "$SERVE_GROUP" | grep -vx "$SERVE_GROUP" | xargs kill -s "$1"
}

# server_cut COMMAND...: the server hangs while COMMAND runs, then dies.
server_cut() {
  server_signal STOP
  "$@"
  server_signal KILL
}

# A forwarder before the server, with moods: `refuse` answers 503, `mute`
# hands over the request but not the answer. SITE becomes its address.
front_start() {
  local front=$BATS_TEST_TMPDIR/front port

  front_script >"$front"
  chmod +x "$front"
  export FRONT_MOOD=$front.mood
  port=$(free_port)
  spawn socat socat "TCP-LISTEN:$port,bind=127.0.0.1,fork" "EXEC:$front,nofork"
  wait_until 5 port_listens "$port"
  SITE=http://127.0.0.1:$port
}

front_mood() {
  printf '%s\n' "$1" >"$FRONT_MOOD"
}

front_script() {
  cat <<'SCRIPT'
#!/bin/bash
case $(cat "$FRONT_MOOD" 2>/dev/null) in
refuse)
  while IFS= read -r line && [ "$line" != $'\r' ]; do :; done
  printf 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
  ;;
mute) exec socat - "TCP:127.0.0.1:$PORT" >/dev/null ;;
*) exec socat - "TCP:127.0.0.1:$PORT" ;;
esac
SCRIPT
}
