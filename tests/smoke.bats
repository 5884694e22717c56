# Every program once, on its usual way. Also what is run under valgrind.

load helpers/common

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

teardown() {
  end_spawned
}

# That many connections wait for new messages.
readers() {
  [ "$(r client list | grep -c 'cmd=xread ')" = "$1" ]
}

@test "what is published is replayed and tailed" {
  chat-pub room one two
  printf 'three\nfour\n' | chat-pub room
  [ "$(chat-replay room)" = $'one\ntwo\nthree\nfour' ]
  [ "$(chat-tail -n 2 -c 2 room)" = $'three\nfour' ]
  chat-replay -j room | chat-pub -j copy
  [ "$(chat-replay copy)" = "$(chat-replay room)" ]
  [ "$(chat-replay -j room | jq -r .data)" = "$(chat-replay room)" ]
}

@test "a reader hears what is published" {
  spawn tail chat-tail -n 0 -c 2 -F '%t:%s' news
  wait_until 10 readers 1
  chat-pub news hello
  chat-pub news world
  wait_until 10 gone "$SPAWNED"
  [ "$(cat "$BATS_TEST_TMPDIR/tail.out")" = $'news:hello\nnews:world' ]
}

@test "a browser's request gets the messages and the end of the input ends it" {
  chat-pub page hello
  printf 'GET /chat/page/events?last=1 HTTP/1.0\r\n\r\n' |
    chat-sse-serve -i -n 1 page >"$BATS_TEST_TMPDIR/answer"
  grep -q '^HTTP/1.1 200 ' "$BATS_TEST_TMPDIR/answer"
  grep -q '^data: hello$' "$BATS_TEST_TMPDIR/answer"
}

@test "a page over the network follows the room and posts to it" {
  serve_start --publish net
  http /health/ready
  spawn curl curl -sN "http://127.0.0.1:$PORT/chat/net/events"
  wait_until 10 grep -q chat-open "$BATS_TEST_TMPDIR/curl.out"
  http -f -H 'Content-Type: text/plain' -d 'from the page' \
    /chat/net/messages
  wait_until 10 grep -qx 'data: from the page' "$BATS_TEST_TMPDIR/curl.out"
  end "$SPAWNED"
  serve_stop
}
