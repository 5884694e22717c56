#!/usr/bin/env bats
#
# The demo page in a real browser, against a server process per connection.

load helpers/common
load browser/webdriver
load browser/page

PAGE=$BATS_TEST_DIRNAME/../cmd/chat-sse-serve.html

setup_file() {
  local program

  for program in chromium chromedriver curl jq pgrep socat; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
  redis_start
  serve_start --publish --page "$PAGE" 'room-*'
  browser_start
}

teardown_file() {
  browser_stop
  end_spawned
  redis_stop
}

setup() {
  ROOM=room-$BATS_TEST_NUMBER
  SITE=http://127.0.0.1:$PORT
}

teardown() {
  if [ -z "${BATS_TEST_COMPLETED-}" ]; then
    browser_js 'return document.body.innerText' || :
    browser_console || :
  fi
  browser_open about:blank
  end_spawned
}

@test "the page shows the newest messages of the history" {
  seq -f 'line %g' 60 | chat-pub "$ROOM"
  page_open
  wait_until 10 page_shows 'line 60'
  [ "$(page_ids)" = "$(stream_ids | tail -n 50)" ]
  [ "$(page_texts | head -n 1)" = 'line 11' ]
  page_is_clean
}

@test "a published message appears, with the author - and its time" {
  local id time

  page_open
  chat-pub "$ROOM" 'hello, world'
  wait_until 10 page_shows 'hello, world'
  page_is_stream
  [ "$(page_part '#log .author')" = - ]
  id=$(stream_ids)
  time=$(browser_js 'return document.querySelector("#log time").dateTime')
  [ "$(date -ud "$time" +%s)" -eq "$((${id%-*} / 1000))" ]
  page_is_clean
}

@test "what is typed is sent, shown once and stored as JSON" {
  page_open
  page_send 'typed here'
  wait_until 10 page_shows 'typed here'
  wait_until 10 page_has '#outbox li' 0
  page_has '#log .message' 1
  page_has '#log .message.own' 1
  page_is_stream
  [ "$(chat-replay "$ROOM")" = '{"from":"ada","text":"typed here"}' ]
  page_is_clean
}

@test "Enter sends, Shift+Enter makes a new line, blank text is not sent" {
  page_open
  page_send ' '
  browser_type '#text' "one${SHIFT}${ENTER}${RELEASE}two$ENTER"
  wait_until 10 page_has '#log .message' 1
  wait_until 10 page_has '#outbox li' 0
  [ "$(chat-replay "$ROOM")" = '{"from":"ada","text":" one\ntwo"}' ]
  browser_is 'document.querySelector("#text").value === ""'
}

@test "messages of others with the same page are theirs" {
  page_open
  chat-pub "$ROOM" '{"from":"bob","text":"from bob"}'
  wait_until 10 page_shows 'from bob'
  page_has '#log .message.own' 0
  [ "$(page_part '#log .author')" = bob ]
}

@test "the server dies: the page goes on, nothing is missing or twice" {
  seq -f 'before %g' 5 | chat-pub "$ROOM"
  page_open
  wait_until 10 page_shows 'before 5'
  # More than the page asks for at first: only a resumed stream has them all.
  server_cut chat-pub "$ROOM" < <(seq -f 'meanwhile %g' 80)
  wait_until 20 page_shows 'meanwhile 80'
  chat-pub "$ROOM" after
  wait_until 10 page_shows after
  page_is_stream
  page_is_clean
}

@test "the server dies before the first message: none is missing" {
  page_open
  server_cut chat-pub "$ROOM" < <(seq -f 'meanwhile %g' 80)
  wait_until 20 page_shows 'meanwhile 80'
  page_is_stream
  page_is_clean
}

@test "an EventSource that is refused for good is made anew, nothing missing" {
  front_start
  page_open
  chat-pub "$ROOM" before
  wait_until 10 page_shows before
  front_mood refuse
  server_cut chat-pub "$ROOM" < <(seq -f 'meanwhile %g' 80)
  wait_until 20 browser_is 'document.querySelector("#status").textContent
    .includes("not ready, again in")'
  page_state reconnecting
  front_mood ''
  wait_until 20 page_shows 'meanwhile 80'
  page_state open
  page_is_stream
  page_has .fault 0
}

@test "a lost answer: what the stream shows is not sent again" {
  front_start
  page_open
  front_mood mute
  page_send 'only once'
  wait_until 10 page_shows 'only once'
  page_has '#outbox li:not([hidden])' 0 # one of the two is enough to see
  wait_until 10 browser_is \
    'document.querySelector("#outbox .fate")?.textContent.includes("again")'
  front_mood ''
  wait_until 20 page_has '#outbox li' 0
  page_has '#log .message' 1
  [ "$(r XLEN "chat:$ROOM")" -eq 1 ]
}

@test "a refused message stays, and can be sent again" {
  front_start
  page_open
  front_mood refuse
  page_send 'try me'
  wait_until 30 page_has '#outbox .failed' 1
  [ "$(page_texts '#outbox')" = 'try me' ]
  front_mood ''
  browser_click '#outbox .failed .fate button'
  wait_until 20 page_shows 'try me'
  wait_until 10 page_has '#outbox li' 0
  [ "$(r XLEN "chat:$ROOM")" -eq 1 ]
}

trimmed_meanwhile() {
  seq -f 'meanwhile %g' 20 | chat-pub "$ROOM"
  r XTRIM "chat:$ROOM" MAXLEN 5
}

@test "G12 messages trimmed meanwhile: a notice stands where they are missing" {
  chat-pub "$ROOM" before
  page_open
  wait_until 10 page_shows before
  server_cut trimmed_meanwhile
  wait_until 20 page_shows 'meanwhile 20'
  page_has .notice 1
  browser_is 'document.querySelector(".notice").dataset.reason === "trimmed"'
  browser_is '["", "15"].includes(
    document.querySelector(".notice").dataset.lost)'
  browser_is 'document.querySelector(".notice").previousElementSibling
    .textContent.includes("before")'
  [ "$(page_ids | tail -n +2)" = "$(stream_ids)" ]
  page_is_clean
}

made_anew() {
  r DEL "chat:$ROOM"
  r XADD "chat:$ROOM" 1-1 data 'an old end'
}

@test "a channel set back to older ids: a notice, and lower ids are welcome" {
  chat-pub "$ROOM" before
  page_open
  wait_until 10 page_shows before
  server_cut made_anew
  wait_until 20 page_has .notice 1
  browser_is 'document.querySelector(".notice").dataset.reason === "rewound"'
  r XADD "chat:$ROOM" 1-2 data 'a new start'
  wait_until 20 page_shows 'a new start'
  page_has .notice 1
  [ "$(page_ids | tail -n 1)" = 1-2 ]
  page_is_clean
}

@test "hostile payloads are shown as text" {
  local evil='<img src=x onerror="document.title=666"><script>alert(1)</script>'

  page_open
  chat-pub "$ROOM" "$evil"
  chat-pub "$ROOM" "$(jq -cn --arg evil "$evil" '{from: $evil, text: $evil}')"
  chat-pub "$ROOM" 'javascript:alert(1) and https://example.org/?a=b&c="x"'
  chat-pub "$ROOM" '{"from":["x"],"text":{"y":null}}' null '"' ''
  wait_until 10 page_has '#log .message' 7
  [ "$(page_texts | head -n 2)" = "$evil"$'\n'"$evil" ]
  page_has '#log :is(img, script)' 0
  [ "$(browser_js 'return [...document.querySelectorAll("#log a")]
    .map((link) => link.href).join()')" = 'https://example.org/?a=b&c=' ]
  browser_is '!document.title.includes("666")'
  page_is_stream
  page_is_clean
}

@test "a reader of old messages is not moved, but told of new ones" {
  local top='return document.querySelector("#scroller").scrollTop'

  seq -f 'line %g' 50 | chat-pub "$ROOM"
  page_open
  wait_until 10 page_shows 'line 50'
  wait_until 10 browser_is "(() => { $top })() > 100"
  browser_js 'document.querySelector("#scroller").scrollTop = 7'
  wait_until 5 browser_is '(() => new Promise((done) => requestAnimationFrame(
    () => done(true))))()'
  chat-pub "$ROOM" new
  wait_until 10 page_shows new
  wait_until 10 browser_is '!document.querySelector("#pill").hidden'
  [ "$(page_part '#pill')" = '1 new message' ]
  [ "$(browser_js "$top")" -eq 7 ]
  browser_click '#pill'
  browser_is 'document.querySelector("#pill").hidden'
  browser_is "(() => { $top })() > 100"
}

@test "at most 1000 messages are kept on the page" {
  page_open
  seq -f 'line %g' 1500 | chat-pub "$ROOM"
  wait_until 20 page_shows 'line 1500'
  [ "$(page_ids)" = "$(stream_ids | tail -n 1000)" ]
  page_is_clean
}

@test "channel and name can be changed, and are remembered" {
  page_open "$ROOM-a" ada
  browser_js 'document.querySelector("#channel").value = ""'
  browser_type '#channel' "$ROOM-b$ENTER"
  browser_js 'document.querySelector("#name").value = ""'
  browser_type '#name' "eve$ENTER"
  wait_until 10 page_state open
  chat-pub "$ROOM-a" 'not here'
  page_send 'said in b'
  wait_until 10 page_shows 'said in b'
  [ "$(chat-replay "$ROOM-b")" = '{"from":"eve","text":"said in b"}' ]
  [ "$(page_ids)" = "$(stream_ids "$ROOM-b")" ]
  browser_open about:blank
  browser_open "$SITE/"
  browser_is "document.querySelector('#channel').value === '$ROOM-b'"
  browser_is "document.querySelector('#name').value === 'eve'"
}

@test "without --publish the page can only be read" {
  serve_start --page "$PAGE" 'room-*'
  SITE=http://127.0.0.1:$PORT
  chat-pub "$ROOM" 'read this'
  page_open
  wait_until 10 page_shows 'read this'
  wait_until 10 browser_is 'document.querySelector("#composer").hidden'
  browser_is '!document.querySelector("#readonly").hidden'
}
