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

@test "no page of another origin may read anything by default" {
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

@test "pages of the origins that are named may read all" {
  in_both_modes some_cors --publish --cors $a --cors http://b.example:8080 room
}

all_cors() {
  local star="Access-Control-Allow-Origin: *
$exposed"
  [ "$(cors_of GET $events "Origin: $a")" = "$star" ]
  [ "$(cors_of HEAD /nowhere 'Origin: null')" = "$star" ]
  [ -z "$(cors_of GET $events)" ]
}

@test "pages of all origins may read all, but not with cookies" {
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

@test "a preflight is answered without a token" {
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
