# Who may ask chat-sse-serve for what: the same with a process for each
# connection and with one for all.

# SERVE_MODE is for helpers/common.
# shellcheck disable=SC2034

load helpers/common
load helpers/http

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  OVER=socket
}

teardown() {
  end_spawned
}

events=/chat/room/events
messages=/chat/room/messages

# in_both_modes TEST [ARG...]: a server with these arguments, and the test.
in_both_modes() {
  local test=$1
  shift
  for SERVE_MODE in accept listen; do
    serve_start -v "$@"
    "$test"
    serve_stop
  done
}

logged() {
  grep -q -- "$1" "$SERVE_LOG"
}

# gets STATUS PATH [HEADER...]: the answer to HEAD, which has the one of GET and
# ends at once.
gets() {
  local want=$1 path=$2 got
  shift 2
  got=$(ask 'HEAD %s HTTP/1.0\r\n%b\r\n' "$path" "$(header_lines "$@")" |
    tee answer | status)
  [ "$got" = "$want" ] || {
    echo "$got instead of $want for: $path $*" >&2
    return 1
  }
}

# posts STATUS [HEADER...]: what is stored is `hello`.
posts() {
  local want=$1 got
  shift
  got=$(post "$messages" text/plain hello "$@" | tee answer | status)
  [ "$got" = "$want" ] || {
    echo "$got instead of $want for: $*" >&2
    return 1
  }
}

stored() {
  r xlen chat:room
}

# --- Tokens -------------------------------------------------------------------

tokens() {
  cat >tokens <<'END'
# who may what
reader r room nowhere
writer w room
  both rw *
dept r dept.*
dept w room
a+/b== r room
END
}

token_places() {
  local token
  gets 401 $events
  [ "$(field WWW-Authenticate <answer)" = Bearer ]
  gets 200 $events 'Authorization: Bearer reader'
  gets 200 $events 'authorization: bearer reader'
  gets 200 $events 'Authorization: BEARER  reader'
  gets 200 $events 'X-API-Key: reader'
  gets 200 $events 'Cookie: a=1; sid=reader; b=2'
  gets 200 $events 'Cookie: sid="reader"'
  gets 200 "$events?access_token=reader"
  gets 200 "$events?last=1&apikey=reader"
  gets 200 "$events?apikey=%72%65ader"
  gets 200 "$events?apikey=a%2B/b=="
  gets 200 $events 'Authorization: Bearer a+/b=='
  for token in '' ' ' read readers READER writer% 'reader reader' '"reader"' \
    'reader,' $'\xff' '#' '# who may what' '*'; do
    gets 401 $events "Authorization: Bearer $token"
    [ "$(field WWW-Authenticate <answer)" = Bearer ]
    gets 401 $events "X-API-Key: $token"
  done
  gets 401 $events "Authorization: Bearer $(printf %08000d 0)"
  gets 401 $events 'Authorization: Basic reader'
  gets 401 $events 'Authorization: reader'
  gets 401 $events 'Authorization: Bearerreader'
  gets 401 $events 'Cookie: sid=; x=reader'
  gets 401 $events 'Cookie: SID=reader; sid'
  gets 401 $events "Cookie: $(printf 'sid=x%.0s; ' {1..1000})"
  gets 401 "$events?access_token=" 'X-Other: reader'
  gets 401 "$events?access_token=a+/b=="
  gets 401 "$events?apikey=reader%0a"
  gets 401 "$events?apikey=%ff"
  gets 401 "$events?Access_Token=reader"
}

@test "a token is found in each of its places" {
  tokens
  in_both_modes token_places --token-file tokens --token-cookie sid room
}

token_order() {
  gets 200 "$events?apikey=x" 'Cookie: sid=x' 'X-API-Key: x' \
    'Authorization: Bearer reader'
  gets 401 "$events?apikey=reader" 'Cookie: sid=reader' 'X-API-Key: reader' \
    'Authorization: Bearer x'
  gets 200 "$events?apikey=x" 'Cookie: sid=x' 'X-API-Key: reader'
  gets 401 "$events?apikey=reader" 'Cookie: sid=x'
  gets 200 "$events?apikey=reader" 'Cookie: other=x' \
    'Authorization: Basic eDp5'
  # What is there twice is in doubt.
  gets 401 $events 'Authorization: Bearer reader' 'Authorization: Bearer reader'
  gets 401 $events 'X-API-Key: reader' 'X-API-Key: both'
  gets 401 $events 'Cookie: sid=reader; sid=reader'
  gets 401 $events 'Cookie: sid=reader' 'Cookie: sid=reader'
  gets 401 "$events?apikey=reader&access_token=reader"
}

@test "the first place counts, and what stands there twice is none" {
  tokens
  in_both_modes token_order --token-file tokens --token-cookie sid room
}

no_cookie() {
  gets 401 $events 'Cookie: sid=reader; =reader'
}

@test "a cookie is no token unless it is named" {
  tokens
  in_both_modes no_cookie --token-file tokens room
}

rights() {
  local path
  posts 202 'X-API-Key: writer'
  posts 202 'X-API-Key: both'
  posts 202 'X-API-Key: dept'
  posts 403 'X-API-Key: reader'
  posts 401 'X-API-Key: nobody'
  posts 401
  [ "$(stored)" = 3 ]
  r del chat:room
  gets 403 $events 'X-API-Key: writer'
  gets 200 $events 'X-API-Key: both'
  gets 403 $events 'X-API-Key: dept'
  gets 200 /chat/dept.a/events 'X-API-Key: dept'
  gets 403 /chat/dept.a/events 'X-API-Key: reader'
  gets 200 /chat/d%65pt.a/events 'X-API-Key: dept'
  # Which channels are served is told only to whom it concerns.
  gets 404 /chat/nowhere/events 'X-API-Key: reader'
  gets 404 /chat/elsewhere/events 'X-API-Key: both'
  gets 403 /chat/elsewhere/events 'X-API-Key: reader'
  gets 403 "$events?last=x" 'X-API-Key: dept'
  gets 400 "$events?last=x" 'X-API-Key: reader'
  gets 401 /chat/nowhere/events
  gets 401 /chat/%0a/events
  gets 401 "$events?last=x"
  gets 401 /nowhere
  gets 404 /nowhere 'X-API-Key: reader'
  gets 403 /nowhere 'X-API-Key: writer'
  # What is of no channel is to be read.
  gets 401 /
  gets 401 '/?apikey='
  gets 200 / 'X-API-Key: dept'
  gets 403 / 'X-API-Key: writer'
  for path in /health /health/live /health/ready /ready; do
    gets 200 $path
    gets 200 $path 'X-API-Key: nobody'
  done
  answers 401 "PUT $events HTTP/1.0\r\n\r\n"
  answers 405 "PUT $events HTTP/1.0\r\nX-API-Key: reader\r\n\r\n"
  answers 403 "PUT $events HTTP/1.0\r\nX-API-Key: writer\r\n\r\n"
  answers 401 "OPTIONS $events HTTP/1.0\r\n\r\n"
  answers 204 "OPTIONS $events HTTP/1.0\r\nX-API-Key: reader\r\n\r\n"
  answers 401 'OPTIONS * HTTP/1.0\r\n\r\n'
  answers 400 'garbage\r\n\r\n'
}

@test "a token is for what its lines say" {
  tokens
  echo page >page
  in_both_modes rights --token-file tokens --publish --page page room 'dept.*'
}

@test "/metrics and /stats need a token that may read" {
  local path
  tokens
  SERVE_MODE=listen serve_start --stats --token-file tokens room
  for path in /metrics /stats; do
    gets 401 $path
    gets 403 $path 'X-API-Key: writer'
    gets 200 $path 'X-API-Key: reader'
    gets 200 "$path?access_token=both"
  done
}

secret() {
  gets 200 "$events?access_token=s3cr3t"
  gets 401 "$events?access_token=s3cr3t0"
  gets 404 "/chat/s/events?apikey=s3cr3t"
  gets 400 "$events?apikey=s3cr3t&last=x" 'Authorization: Bearer s3cr3t'
  get "$events?apikey=s3cr3t" >stream
  get "/nowhere?apikey=s3cr3t" >error
  answers 400 "GET $events?apikey=s3cr3t HTTP/1.1\r\n\r\n"
  answers 414 "GET $events?apikey=s3cr3t%09000d HTTP/1.0\r\n\r\n" 0
  run ! grep -r s3cr3t stream error answer
  wait_until 5 logged ' 400 '
  run ! logged s3cr3t
}

@test "no token is ever reported, nor sent back" {
  echo 's3cr3t rw *' >tokens
  in_both_modes secret -vv --token-file tokens room
}

# refuses_file LINE...: it does not start with these.
refuses_file() {
  printf '%s\n' "$@" >tokens
  run -78 chat-sse-serve -i --token-file tokens room <<<''
}

@test "an error in the file of tokens is told with its line" {
  refuses_file
  [[ $output == 'chat-sse-serve: error: tokens:'?': there is no token' ]]
  refuses_file '# one' 's3cr3t r room' 's3cr3t2 x room'
  [[ $output == 'chat-sse-serve: error: tokens:3: neither r, w nor rw '* ]]
  [[ $output != *s3cr3t* ]]
  refuses_file 's3cr3t; r room'
  [[ $output == 'chat-sse-serve: error: tokens:1: a token is of '* ]]
  [[ $output != *s3cr3t* ]]
  refuses_file 'a r'
  [[ $output == *'tokens:1: no channel'* ]]
  refuses_file $'a r room\r'
  [[ $output == *'tokens:1: no channel'* ]]
  refuses_file "$(printf %0257d 0) r room"
  [[ $output == *'tokens:1: the token is too long' ]]
  rm tokens
  run -78 chat-sse-serve -i --token-file tokens room <<<''
  [[ $output == *': error: tokens: No such file or directory' ]]
  yes 'a r room' | head -c 2000000 >tokens
  run -78 chat-sse-serve -i --token-file tokens room <<<''
  [[ $output == *': error: tokens: File too large' ]]
  run -64 chat-sse-serve -i --token-cookie sid room <<<''
  run -64 chat-sse-serve -i --token-file tokens --token-cookie 'a;b' room <<<''
  run -64 chat-sse-serve -i --token-file tokens --token-cookie '' room <<<''
}

hang_up_and() {
  kill -HUP "$SERVE_GROUP"
  wait_until 5 logged "$1"
}

@test "on SIGHUP the tokens are read again, all or none" {
  tokens
  SERVE_MODE=listen serve_start -v --token-file tokens room
  gets 200 $events 'X-API-Key: reader'
  spawn follow curl -sSN --noproxy '*' -H 'X-API-Key: reader' \
    "http://127.0.0.1:$PORT$events"
  wait_until 5 grep -q chat-open follow.out
  printf '%s\n' 'fresh r room' 'bad' >tokens
  hang_up_and 'tokens:2: .*all stays as it is'
  gets 200 $events 'X-API-Key: reader'
  gets 401 $events 'X-API-Key: fresh'
  echo 'fresh r room' >tokens
  hang_up_and 'the options are read again'
  gets 401 $events 'X-API-Key: reader'
  gets 200 $events 'X-API-Key: fresh'
  # Streams go on.
  r xadd chat:room '*' data hello
  wait_until 5 grep -q 'data: hello' follow.out
}

@test "a file of many tokens" {
  seq -f 'token%g r room' 10000 >tokens
  SERVE_MODE=listen serve_start --token-file tokens room
  gets 200 $events 'X-API-Key: token1'
  gets 200 $events 'X-API-Key: token10000'
  gets 401 $events 'X-API-Key: token10001'
}
