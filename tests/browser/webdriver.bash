# shellcheck shell=bash
#
# Headless Chromium by the WebDriver protocol (W3C), with curl and jq alone.
# Goes with helpers/common, whose end_spawned ends what is started here. What
# the browser refuses is told on stderr, and fails.

ENTER=$'\xee\x80\x87'   # keys of the protocol: U+E007 and so on, as UTF-8
SHIFT=$'\xee\x80\x88'
RELEASE=$'\xee\x80\x80' # lets go of SHIFT

# Start chromedriver and a browser; WEBDRIVER becomes the session's address.
browser_start() {
  local log port

  spawn chromedriver chromedriver --port=0
  log=$(tmpdir)/chromedriver.out
  wait_until 20 grep -q 'started successfully on port' "$log"
  port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$log")
  WEBDRIVER=http://127.0.0.1:$port
  WEBDRIVER+=/session/$(browser_options | wd POST /session @- |
    jq -er .sessionId)
  export WEBDRIVER
}

browser_options() {
  jq -n --arg binary "$(command -v chromium)" \
    --arg profile "--user-data-dir=$(tmpdir)/profile" '
    {capabilities: {alwaysMatch: {
      browserName: "chrome",
      "goog:loggingPrefs": {browser: "ALL"},
      "goog:chromeOptions": {binary: $binary, args: [$profile,
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", "--lang=en-GB",
        "--window-size=900,700"]}}}}'
}

# Harmless when nothing was started.
browser_stop() {
  [ -z "${WEBDRIVER-}" ] || wd DELETE '' >/dev/null
}

# wd METHOD PATH [BODY]: one command; prints the value of the answer as JSON.
wd() {
  local body=()

  [ $# -lt 3 ] || body=(-H 'Content-Type: application/json' --data-binary "$3")
  curl -sS --noproxy '*' --max-time 30 -X "$1" "${body[@]}" "$WEBDRIVER$2" |
    jq -c 'if .value | type == "object" and has("error")
      then .value.message | halt_error else .value end'
}

browser_open() {
  jq -n --arg url "$1" '{$url}' | wd POST /url @- >/dev/null
}

# browser_js BODY [ARG...]: prints what the function's body returns; a string
# is printed as it is, anything else as JSON.
browser_js() {
  local script=$1

  shift
  jq -n --arg script "$script" '{$script, args: $ARGS.positional}' \
    --args -- "$@" | wd POST /execute/sync @- | jq -r .
}

# browser_is CONDITION: a JavaScript expression that must be true.
browser_is() {
  [ "$(browser_js "return Boolean($1)")" = true ]
}

# Prints the id of the first element that the CSS selector finds.
browser_find() {
  jq -n --arg value "$1" '{using: "css selector", $value}' |
    wd POST /element @- | jq -er '.[]'
}

browser_click() {
  wd POST "/element/$(browser_find "$1")/click" '{}' >/dev/null
}

# browser_type SELECTOR TEXT: as from a keyboard.
browser_type() {
  jq -n --arg text "$2" '{$text}' |
    wd POST "/element/$(browser_find "$1")/value" @- >/dev/null
}

# Prints what the console holds since the last call, a line each.
browser_console() {
  wd POST /se/log '{"type": "browser"}' | jq -r '.[] | "\(.level) \(.message)"'
}

browser_resize() {
  wd POST /window/rect "{\"width\": $1, \"height\": $2}" >/dev/null
}

# browser_screenshot FILE: what the window shows, as PNG.
browser_screenshot() {
  wd GET /screenshot | jq -r . | base64 -d >"$1"
}
