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

@test "C07 a token is found in each of its places" {
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

@test "C07 the first place counts, and what stands there twice is none" {
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

# Ids of the other channel begin with 77.
other_ids() {
  local id path
  for path in /chat/secret/events '/events?channel=room&channel=secret'; do
    for id in 77-5 5-0 x; do
      get "$path" "Last-Event-ID: $id" 'X-API-Key: reader' >answer
      [ "$(status <answer)" = 403 ]
      run ! grep -E '77-|Chat-Cursor|^id:' answer
      gets 403 "$path" "Last-Event-ID: $id" 'X-API-Key: reader'
      run ! grep -E '77-|Chat-Cursor' answer
    done
  done
  # An id of the other channel is as good as any other in this one.
  get $events 'Last-Event-ID: 77-5' 'X-API-Key: reader' >answer
  grep -q '"reason":"rewound","after":"77-5","first":"1-0"' answer
  get $events 'Last-Event-ID: 76-0' 'X-API-Key: reader' >answer
  grep -q '"reason":"rewound","after":"76-0","first":"1-0"' answer
  run ! grep 77- answer
}

@test "G13 who may not read a channel learns nothing of its ids" {
  echo 'reader r room' >tokens
  r xadd chat:room 1-0 data x
  r xadd chat:secret 77-5 data x
  in_both_modes other_ids --token-file tokens room secret
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

# --- Pages of other origins ---------------------------------------------------

# cors_of METHOD PATH [HEADER...]: what the answer says about them.
cors_of() {
  ask '%s %s HTTP/1.0\r\n%b\r\n' "$1" "$2" "$(header_lines "${@:3}")" |
    tee answer | head_of | grep -iE '^(vary|access-control)' | sort
}

a=https://a.example
exposed='Access-Control-Expose-Headers: Chat-Cursor, Location, Retry-After'
allowed="Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: $a
$exposed
Vary: Origin"

no_cors() {
  [ -z "$(cors_of HEAD $events)" ]
  [ -z "$(cors_of HEAD $events "Origin: $a")" ]
  [ -z "$(cors_of GET /nowhere 'Origin: null')" ]
  [ -z "$(cors_of OPTIONS $events "Origin: $a" \
    'Access-Control-Request-Method: GET')" ]
  [ "$(status <answer)" = 204 ]
  [ "$(field Allow <answer)" = 'GET, HEAD, OPTIONS' ]
}

@test "C01 C02 no page of another origin may read anything by default" {
  in_both_modes no_cors --publish room
}

# What the origin gets, it gets with every answer.
some_cors() {
  local path
  for path in $events /nowhere "$events?last=x" / /health $messages /chat/x/y; do
    [ "$(cors_of HEAD "$path" "Origin: $a")" = "$allowed" ]
    [ "$(cors_of GET "$path" 'Origin: https://other.example')" = 'Vary: Origin' ]
    [ "$(cors_of GET "$path" 'Origin: null')" = 'Vary: Origin' ]
    [ "$(cors_of GET "$path")" = 'Vary: Origin' ]
  done
  [ "$(cors_of GET $events "Origin: $a")" = "$allowed" ]
  [ "$(cors_of GET $events 'origin: HTTPS://A.example')" = \
    "${allowed//"$a"/HTTPS://A.example}" ]
  [ "$(cors_of HEAD $events 'Origin: http://b.example:8080')" = \
    "${allowed//"$a"/http://b.example:8080}" ]
  for path in "$a/" "$a:443" "$a, $a" "${a}x" '*' '' http://b.example \
    'https://a.example https://b.example' $'https://a.example\xff'; do
    [ "$(cors_of HEAD $events "Origin: $path")" = 'Vary: Origin' ]
  done
  [ "$(cors_of HEAD $events "Origin: $a" "Origin: $a")" = 'Vary: Origin' ]
  # Also with answers to what is no request.
  [ "$(cors_of GET $events "Origin: $a" 'Bad Name: x')" = "$allowed" ]
  [ "$(status <answer)" = 400 ]
  post $messages text/plain hello "Origin: $a" >answer
  [ "$(status <answer)" = 202 ]
  [ "$(field Access-Control-Allow-Origin <answer)" = $a ]
  [ -n "$(field Location <answer)" ]
}

@test "C01 C02 C04 pages of the origins that are named may read all" {
  in_both_modes some_cors --publish --cors $a --cors http://b.example:8080 room
}

all_cors() {
  local star="Access-Control-Allow-Origin: *
$exposed"
  [ "$(cors_of GET $events "Origin: $a")" = "$star" ]
  [ "$(cors_of HEAD /nowhere 'Origin: null')" = "$star" ]
  [ -z "$(cors_of GET $events)" ]
}

@test "C04 pages of all origins may read all, but not with cookies" {
  in_both_modes all_cors --cors '*' room
}

one_and_all_cors() {
  [ "$(cors_of GET $events "Origin: $a")" = "$allowed" ]
  [ "$(cors_of GET $events 'Origin: https://other')" = \
    "Access-Control-Allow-Origin: *
$exposed
Vary: Origin" ]
}

@test "one origin that is named, and all others" {
  in_both_modes one_and_all_cors --cors '*' --cors $a room
}

preflight() {
  local method
  for method in GET POST whatever; do
    cors_of OPTIONS $events "Origin: $a" \
      "Access-Control-Request-Method: $method" \
      'Access-Control-Request-Headers: last-event-id,authorization' >cors
    [ "$(status <answer)" = 204 ]
    [ -z "$(body_of <answer)" ]
    diff cors - <<END
Access-Control-Allow-Credentials: true
Access-Control-Allow-Headers: Authorization, Cache-Control, Content-Type, \
Idempotency-Key, Last-Event-ID, X-API-Key
Access-Control-Allow-Methods: GET, HEAD, POST
Access-Control-Allow-Origin: $a
$exposed
Access-Control-Max-Age: 7200
Vary: Origin
END
  done
  # It is the same for what is not there, so that nothing is learnt from it.
  cors_of OPTIONS /chat/other/events "Origin: $a" \
    'Access-Control-Request-Method: GET' >cors
  [ "$(status <answer)" = 204 ]
  # Of anybody else it is a request as any other.
  [ "$(cors_of OPTIONS $events 'Origin: https://other' \
    'Access-Control-Request-Method: GET')" = 'Vary: Origin' ]
  [ "$(status <answer)" = 401 ]
  [ "$(cors_of OPTIONS $events "Origin: $a")" = "$allowed" ]
  [ "$(status <answer)" = 401 ]
  [ "$(cors_of GET $events "Origin: $a" \
    'Access-Control-Request-Method: GET')" = "$allowed" ]
  [ "$(status <answer)" = 401 ]
}

@test "C03 a preflight is answered without a token" {
  tokens
  in_both_modes preflight --token-file tokens --cors $a room
}

forged() {
  posts 202 'Cookie: sid=both'
  posts 202 'Cookie: sid=both' "Origin: $a"
  posts 202 'Cookie: sid=both' 'Origin: http://x'
  posts 202 'Cookie: sid=both' 'Origin: https://x'
  posts 403 'Cookie: sid=both' 'Origin: http://x:80'
  posts 403 'Cookie: sid=both' 'Origin: http://y'
  posts 403 'Cookie: sid=both' 'Origin: null'
  posts 403 'Cookie: sid=both' 'Origin:'
  posts 403 'Cookie: sid=both' 'Origin: x'
  posts 403 'Cookie: sid=both' 'Origin: http://x http://y'
  posts 403 'Cookie: sid=both' "Origin: $a" 'Origin: http://y'
  posts 403 'Cookie: sid=both' 'Origin: http://y' "Origin: $a"
  # A page has to know any other token.
  posts 202 'X-API-Key: both' 'Origin: http://y'
  gets 200 $events 'Cookie: sid=both' 'Origin: http://y'
}

@test "a cookie does not let any page write" {
  tokens
  in_both_modes forged --publish --token-file tokens --token-cookie sid \
    --cors $a --cors '*' room
}

@test "an origin that cannot be one is refused at the start" {
  local origin
  for origin in a.example https://a/ https:// null '' 'https://a b' '**' \
    $'https://a\r\nb'; do
    run -64 chat-sse-serve -i --cors "$origin" room <<<''
  done
}

@test "origins are read again on SIGHUP" {
  printf '%s\n' '[chat-sse-serve]' "cors = $a" >conf
  CHAT_CONFIG=$PWD/conf SERVE_MODE=listen serve_start -v room
  [ "$(cors_of HEAD $events "Origin: $a")" = "$allowed" ]
  printf '%s\n' '[chat-sse-serve]' "cors = http://b" "cors = $a/" >conf
  hang_up_and 'all stays as it is'
  [ "$(cors_of HEAD $events "Origin: $a")" = "$allowed" ]
  printf '%s\n' '[chat-sse-serve]' 'cors = *' >conf
  hang_up_and 'read again'
  [ "$(cors_of HEAD $events "Origin: $a" | wc -l)" = 2 ]
}

# --- Behind a proxy -----------------------------------------------------------

# peer_of HEADER...: whom the log takes the client for.
peer_of() {
  local line='^chat-sse-serve: (\S+) - 200 .*' n
  n=$(grep -Ec "$line" "$SERVE_LOG") || true
  gets 200 /health "$@"
  wait_until 5 eval '[ "$(grep -Ec "$line" "$SERVE_LOG")" = $((n + 1)) ]'
  sed -En "s/$line/\1/p" "$SERVE_LOG" | tail -n 1
}

trusting() {
  local bad
  [ "$(peer_of)" = 127.0.0.1 ]
  [ "$(peer_of 'X-Forwarded-For: 192.0.2.1')" = 192.0.2.1 ]
  [ "$(peer_of 'X-Forwarded-For: 9.9.9.9, evil, 192.0.2.1')" = 192.0.2.1 ]
  [ "$(peer_of 'X-Forwarded-For: 9.9.9.9' \
    'x-forwarded-for: [2001:DB8::0:1]:80')" = 2001:db8::1 ]
  [ "$(peer_of 'X-Forwarded-For: ::ffff:192.0.2.1')" = 192.0.2.1 ]
  for bad in '' ',' 'x' '192.0.2.1,' '192.0.2.256' '192.0.2.1 - 200 ' \
    'fe80::1%lo' '[::1' '"192.0.2.1"' '192.0.2.1:123456' 127.1; do
    [ "$(peer_of "X-Forwarded-For: 9.9.9.9, $bad")" = 127.0.0.1 ]
  done
}

@test "a proxy that is trusted says who asks" {
  in_both_modes trusting --trust-forwarded room
}

not_trusting() {
  [ "$(peer_of 'X-Forwarded-For: 192.0.2.1')" = 127.0.0.1 ]
}

@test "no proxy is trusted by default" {
  in_both_modes not_trusting room
}

# follows NAME ADDRESS: a stream for that client of the proxy.
follows() {
  spawn "$1" curl -sSN --noproxy '*' -H "X-Forwarded-For: $2" \
    "http://127.0.0.1:$PORT$events"
  wait_until 10 grep -q : "$1.out"
}

@test "the limit for each address holds for those behind the proxy" {
  SERVE_MODE=listen serve_start -v --trust-forwarded --max-conns-per-peer 2 room
  follows a1 192.0.2.1
  follows a2 192.0.2.1
  follows b1 192.0.2.2
  grep -q chat-open a1.out
  grep -q chat-open a2.out
  grep -q chat-open b1.out
  gets 429 "$events?strict=1" 'X-Forwarded-For: 192.0.2.1'
  gets 200 "$events?strict=1" 'X-Forwarded-For: 192.0.2.2'
  gets 200 "$events?strict=1"
  # Who is gone does not count.
  end "$(sed -n 2p spawned)"
  wait_until 5 gets 200 "$events?strict=1" 'X-Forwarded-For: 192.0.2.1'
}

# posting NAME: a client whose message never comes.
posting() {
  spawn "$1" bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT
    printf 'POST %s HTTP/1.0\r\nContent-Type: text/plain\r\n%s\r\n%s\r\n\r\n' \
      $messages 'Content-Length: 5' 'X-Forwarded-For: 192.0.2.1' >&3
    cat <&3"
}

@test "who comes again and again through the proxy is cut off" {
  SERVE_MODE=listen serve_start -v --publish --trust-forwarded \
    --max-conns-per-peer 1 room
  follows a1 192.0.2.1
  gets 429 "$events?strict=1" 'X-Forwarded-For: 192.0.2.1'
  posting a2
  wait_until 5 eval '[ -z "$(get "$events" "X-Forwarded-For: 192.0.2.1")" ]'
  logged '^chat-sse-serve: 192.0.2.1 - too-many '
  gets 200 "$events?strict=1" 'X-Forwarded-For: 192.0.2.2'
  gets 200 "$events?strict=1"
}

# --- A command that decides -----------------------------------------------------

# decider <script: it is the file ./decide.
decider() {
  {
    echo '#!/bin/sh'
    cat
  } >decide
  chmod +x decide
}

# Prints the question, one variable a line, and decides by the token.
by_token() {
  decider <<'END'
for name in METHOD CHANNEL TOKEN REMOTE_ADDR ORIGIN COOKIE; do
  eval "echo \"$name=<\$$name>\""
done >asked.new
mv asked.new asked
case $TOKEN in
  ok) ;;
  no) exit 1 ;;
  status*) exit "${TOKEN#status}" ;;
  signal) kill -9 $$ ;;
  noise) echo noise ;;
  noise-no) echo expires=never; exit 1 ;;
  long) head -c 100000 /dev/zero ;;
  past) echo expires=1 ;;
  later) echo expires=9999999999 ;;
  *) exit 1 ;;
esac
END
}

asked() {
  grep -qxF "$1" asked
}

deciding() {
  local token
  gets 200 "$events?apikey=ok"
  gets 200 "$events?last=1&apikey=later"
  gets 403 $events
  gets 403 "$events?apikey=no"
  gets 403 "$events?apikey=noise-no"
  gets 403 "$events?apikey=past"
  for token in status2 status127 status255 signal noise long; do
    gets 503 "$events?apikey=$token"
    [ -n "$(field Retry-After <answer)" ]
  done
  wait_until 5 logged '--auth-cmd: exit status 127'
  logged '--auth-cmd: killed by signal 9'
  logged '--auth-cmd: it prints neither nothing nor expires=SECONDS'
  r del chat:room
  posts 202 'X-API-Key: ok'
  posts 403 'X-API-Key: no'
  posts 503 'X-API-Key: status3'
  [ "$(stored)" = 1 ]
  # Nobody else learns what there is.
  gets 403 /nowhere
  gets 403 /chat/other/events
  gets 403 "$events?last=x"
  gets 403 /
  gets 404 /nowhere 'X-API-Key: ok'
  gets 404 /chat/other/events 'X-API-Key: ok'
  gets 400 "$events?last=x" 'X-API-Key: ok'
  gets 400 /chat/%0a/events 'X-API-Key: ok'
  gets 200 /health
  gets 200 /ready
  answers 405 "PUT $events HTTP/1.0\r\nX-API-Key: ok\r\n\r\n"
}

@test "C05 C06 a command decides by its exit status" {
  by_token
  in_both_modes deciding --publish --auth-cmd ./decide room
}

telling() {
  rm -f asked
  gets 200 "$events?apikey=ok"
  diff asked - <<'END'
METHOD=<HEAD>
CHANNEL=<room>
TOKEN=<ok>
REMOTE_ADDR=<127.0.0.1>
ORIGIN=<>
COOKIE=<>
END
  gets 200 /chat/a%20%22%24x%27%25%2Fb/events 'Authorization: Bearer ok' \
    'Origin: https://a' 'Cookie: a="$b"; c' 'Cookie: d=`e`'
  diff asked - <<'END'
METHOD=<HEAD>
CHANNEL=<a "$x'%/b>
TOKEN=<ok>
REMOTE_ADDR=<127.0.0.1>
ORIGIN=<https://a>
COOKIE=<a="$b"; c; d=`e`>
END
  posts 202 'X-API-Key: ok' 'Origin: https://a' 'Origin: https://b'
  asked 'METHOD=<POST>'
  asked 'ORIGIN=<>'
  gets 403 "$events?apikey=ok%0aMETHOD=x"
  asked 'TOKEN=<>'
  gets 403 /chat/a%0aMETHOD=x/events
  asked 'CHANNEL=<>'
  gets 403 $events "Cookie: $(printf %010000d 0)"
  asked "COOKIE=<$(printf %010000d 0)>"
  gets 403 /chat/%c3%a4/events $'Cookie: \xff'
  asked 'CHANNEL=<ä>'
}

@test "the command is told about the request" {
  by_token
  export ORIGIN=mine COOKIE=mine TOKEN=mine
  in_both_modes telling --publish --auth-cmd ./decide '*'
}

cookie_asked() {
  gets 200 $events 'Cookie: sid=ok'
  posts 403 'Cookie: sid=ok' 'Origin: https://evil'
  posts 202 'Cookie: sid=ok' 'Origin: https://x'
}

@test "the command gets the token of the cookie, but not from any page" {
  by_token
  in_both_modes cookie_asked --publish --auth-cmd ./decide --token-cookie sid \
    room
}

asked_last() {
  rm -f asked
  gets 401 "$events?apikey=nobody"
  gets 403 "$events?apikey=other"
  gets 401 $events
  [ ! -e asked ]
  gets 200 "$events?apikey=ok"
  gets 403 "$events?apikey=no"
  asked 'TOKEN=<no>'
  gets 503 "$events?apikey=status2"
}

@test "with tokens, too, both have to allow it" {
  by_token
  printf '%s\n' 'ok r room' 'no r room' 'status2 r room' 'other r x' >tokens
  in_both_modes asked_last --auth-cmd ./decide --token-file tokens room
}

proxied() {
  gets 200 "$events?apikey=ok" 'X-Forwarded-For: 9.9.9.9, 192.0.2.1'
  asked 'REMOTE_ADDR=<192.0.2.1>'
}

@test "the command is told who asks behind the proxy" {
  by_token
  in_both_modes proxied --auth-cmd ./decide --trust-forwarded room
}

arguments() {
  gets 200 $events
  [ "$(cat args)" = 'a|b"c|$PATH|' ]
}

@test "the command has arguments, and no shell" {
  decider <<'END'
printf '%s|' "$@" >args
cat
END
  in_both_modes arguments --auth-cmd '  ./decide a  b"c $PATH ' room
  run -64 chat-sse-serve -i --auth-cmd ' ' room <<<''
}

not_runnable() {
  gets 503 $events
  wait_until 5 logged "--auth-cmd: $1"
}

@test "C06 a command that cannot be run allows nothing" {
  touch plain
  SERVE_MODE=listen
  serve_start --auth-cmd ./nowhere room
  not_runnable 'No such file'
  serve_stop
  serve_start --auth-cmd ./plain room
  not_runnable 'Permission denied'
  serve_stop
  serve_start --auth-cmd "$PWD" room
  not_runnable 'Permission denied'
  gets 200 /health
}

# sleeper: it and a child sleep; their numbers are in the file pids.
sleeper() {
  decider <<'END'
sleep 60 &
echo $$ $! >pids.new
mv pids.new pids
wait
END
}

# Is none of those left?
slept() {
  ! ps -o pid= -p "$(tr ' ' , <pids)"
}

late() {
  local began
  rm -f pids
  began=$(now_ms)
  gets 503 $events
  [ $(($(now_ms) - began)) -ge 5000 ]
  wait_until 5 slept
  wait_until 5 logged '--auth-cmd: no answer in time'
}

@test "C06 a command that says nothing is killed" {
  sleeper
  in_both_modes late --auth-cmd ./decide room
}

stopped() {
  rm -f pids
  spawn client curl -sS --noproxy '*' "http://127.0.0.1:$PORT$events"
  wait_until 5 test -s pids
  end "$SERVE_GROUP"
  wait_until 5 slept
}

@test "the command is killed when the server is stopped" {
  sleeper
  SERVE_MODE=listen serve_start --drain 0 --auth-cmd ./decide room
  stopped
  rm pids
  spawn one chat-sse-serve -i --auth-cmd ./decide room < <(
    printf 'GET %s HTTP/1.0\r\n\r\n' $events)
  wait_until 5 test -s pids
  end "$SPAWNED"
  wait_until 5 slept
}

@test "the command is killed when the client is gone" {
  sleeper
  SERVE_MODE=listen serve_start -v --auth-cmd ./decide room
  printf 'GET %s HTTP/1.0\r\n\r\n' $events >request
  # It leaves with a reset.
  spawn client socat -u 'SYSTEM:cat request; sleep 60' \
    "TCP:127.0.0.1:$PORT,linger=0"
  wait_until 5 test -s pids
  end "$SPAWNED" KILL
  wait_until 3 slept
  wait_until 3 logged ' room client-gone '
}

slow() {
  get "$events?last=1" >answer
  [ "$(status <answer)" = 200 ]
  [ "$(messages <answer)" = m ]
  # A body comes while the command thinks.
  head -c 60000 /dev/zero | tr '\0' x >body
  {
    printf 'POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n' $messages
    printf 'Content-Length: 60000\r\n\r\n'
    cat body
  } | nc -N 127.0.0.1 "$PORT" >answer
  [ "$(status <answer)" = 202 ]
  [ "$(r --raw xrevrange chat:room + - count 1 | grep -c x60000)" = 0 ]
  [ "$(chat-replay -n 1 room)" = "$(cat body)" ]
  r del chat:room
  r xadd chat:room '*' data m
}

@test "what the client sends while the command thinks is not lost" {
  r xadd chat:room '*' data m
  decider <<<'sleep 0.5'
  in_both_modes slow --publish --auth-cmd ./decide room
}

@test "no more than 32 commands run at a time, and the others wait" {
  local i
  decider <<'END'
echo $$ >>started
until [ -e go ]; do
  sleep 0.1
done
END
  SERVE_MODE=listen serve_start --auth-cmd ./decide room
  for i in {1..40}; do
    follows_not "c$i"
  done
  wait_until 5 eval '[ "$(wc -l <started)" = 32 ]'
  never_within 1 eval '[ "$(wc -l <started)" != 32 ]'
  touch go
  for i in {1..40}; do
    wait_until 10 grep -q chat-open "c$i.out"
  done
  [ "$(wc -l <started)" = 40 ]
}

follows_not() {
  spawn "$1" curl -sSN --noproxy '*' "http://127.0.0.1:$PORT$events"
}

expiring() {
  local began
  began=$(now_ms)
  http "$events" >stream
  [ $(($(now_ms) - began)) -lt 5000 ]
  grep -q 'event: chat-open' stream
  grep -qx ': come back' stream
  [ "$(tail -n 1 stream)" != '' ]
  wait_until 5 logged ' room expired '
}

@test "D11 a stream ends when the command says" {
  decider <<<'echo expires=$(($(date +%s) + 2))'
  in_both_modes expiring --auth-cmd ./decide room
}

@test "the command sees none of our connections" {
  decider <<'END'
for fd in /proc/$$/fd/*; do
  echo "${fd##*/} $(readlink $fd)"
done >fds
printf '%s|' "$NOTIFY_SOCKET" "$LISTEN_FDS" >env
kill -PIPE $$
END
  SERVE_MODE=listen
  NOTIFY_SOCKET=/nowhere LISTEN_FDS=0 serve_start -v --auth-cmd ./decide room
  spawn client curl -sSN --noproxy '*' "http://127.0.0.1:$PORT$events"
  gets 503 $events
  wait_until 5 test -e env
  # The rest is what the shell has opened itself.
  run -1 grep -E ' (socket|anon_inode):' fds
  grep -qx '0 /dev/null' fds
  [ "$(cat env)" = '||' ]
  # SIGPIPE, which we ignore, ends it.
  logged 'killed by signal 13'
}

@test "another command holds after SIGHUP" {
  decider <<<'exit 1'
  printf '%s\n' '[chat-sse-serve]' 'auth-cmd = ./decide' >conf
  CHAT_CONFIG=$PWD/conf SERVE_MODE=listen serve_start -v room
  gets 403 $events
  printf '%s\n' '[chat-sse-serve]' 'auth-cmd = true' >conf
  hang_up_and 'read again'
  gets 200 $events
}
