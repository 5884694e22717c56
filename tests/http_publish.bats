# chat-sse-serve: what is stored by POST. The same over two pipes and over a
# socket, with a process for each client and with one for all.

# ARGS is for helpers/http.
# shellcheck disable=SC2034

load helpers/common
load helpers/http
load helpers/follow

setup_file() {
  redis_start
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
  cd "$BATS_TEST_TMPDIR"
  ARGS=(--publish room)
}

teardown() {
  end_spawned
}

path=/chat/room/messages
text='Content-Type: text/plain\r\n'
ndjson=application/x-ndjson
form=application/x-www-form-urlencoded

# The begin of a head; what follows says how the body comes.
head="POST $path HTTP/1.1\r\nHost: x\r\n"

# posts STATUS TYPE BODY [HEADER...]: that is the answer, which is in ./answer.
posts() {
  posts_to "$1" $path "${@:2}"
}

# posts_to STATUS PATH TYPE BODY [HEADER...]
posts_to() {
  local got
  post "${@:2}" >answer
  got=$(status <answer)
  [ "$got" = "$1" ] || {
    echo "$got instead of $1 for: ${*:2}" >&2
    cat answer >&2
    return 1
  }
}

# The fields of the only entry, on a line; it is removed.
entry() {
  r xrange chat:room - + | tail -n +2 | xargs
  r del chat:room >/dev/null
}

stored() {
  [ "$(r xlen chat:room)" = "$1" ]
}

# What readers get, one a line.
texts() {
  OVER='' get '/chat/room/events?last=2000' | messages
}

# by_hand: a connection, to which `say` writes and whose answers are in ./heard,
# until `hang_up`.
by_hand() {
  rm -f in heard
  mkfifo in
  exec 8<>in
  if [ "${OVER-}" = socket ]; then
    spawn talk nc 127.0.0.1 "$PORT" <in 8>&-
  else
    spawn talk chat-sse-serve -i "${ARGS[@]}" <in 8>&-
  fi
  ln -s talk.out heard
}

say() {
  # shellcheck disable=SC2059
  printf "$@" >&8
}

heard() {
  grep -q "$1" heard
}

hang_up() {
  exec 8>&-
  end "$SPAWNED"
}

# A second server, which the test starts and stops.
use_other_redis() {
  export REDIS_DIR=$BATS_TEST_TMPDIR/redis REDIS_SOCK CHAT_URL
  REDIS_SOCK=$REDIS_DIR/redis.sock
  CHAT_URL=unix://$REDIS_SOCK
}

# --- Messages -------------------------------------------------------------------

where_it_is() {
  r flushall
  posts 202 text/plain 'hello, wörld' 'Idempotency-Key: key-1'
  [ "$(field Content-Type <answer)" = application/json ]
  [ "$(field Cache-Control <answer)" = no-store ]
  [ "$(body_of <answer | jq -r .streamId)" = "$(r xrange chat:room - + | head -n 1)" ]
  [ "$(body_of <answer | jq -r '.messageId, .channel' | xargs)" = 'key-1 room' ]
  location=$(field Location <answer)
  r xadd chat:room '*' data next
  [ "$(OVER='' get "/chat/room/$location" | messages)" = $'hello, wörld\nnext' ]
  r xdel chat:room "$(r xrevrange chat:room + - | head -n 1)"
  [ "$(entry)" = 'data hello, wörld mid key-1' ]
}

@test "a message is stored, and the answer says where" {
  in_both_modes where_it_is
}

@test "P02 the key of a message is its id, and one without a key gets one" {
  ids() {
    r flushall
    posts 202 text/plain a 'Idempotency-Key: 7 f'
    [ "$(entry)" = 'data a mid 7 f' ]
    posts 202 text/plain a 'Idempotency-Key:'
    [ "$(r xrange chat:room - + | tail -n 1)" = "$(body_of <answer | jq -r .messageId)" ]
    posts 202 text/plain a
    posts 202 text/plain a
    [ "$(r xrange chat:room - + | grep -A 1 '^mid' | grep -v mid | sort -u | grep -vc ^--)" = 3 ]
    posts 400 text/plain a 'Idempotency-Key: a' 'Idempotency-Key: a'
    posts 400 text/plain a "Idempotency-Key: $(printf %0257d 0)"
    posts 400 text/plain a $'Idempotency-Key: \xff'
    posts 202 text/plain a "Idempotency-Key: $(printf %0256d 0)"
    stored 4
  }
  in_both_modes ids
}

@test "P02 the same key again: stored once, and the answer is that of the first" {
  again() {
    local first
    r flushall
    posts 202 text/plain a 'Idempotency-Key: k'
    first=$(body_of <answer)
    [ "$(r pttl once:chat:room:k)" -gt 86000000 ]
    posts 200 text/plain b 'Idempotency-Key: k'
    [ "$(body_of <answer)" = "$first" ]
    posts 200 $form 'data=c&mid=k'
    [ "$(body_of <answer)" = "$first" ]
    [ "$(entry)" = 'data a mid k' ]
    posts 202 text/plain c 'Idempotency-Key: K'
    posts 202 text/plain c
    posts 202 text/plain c
    stored 3
  }
  in_both_modes again
}

@test "P02 the keys of many messages" {
  many() {
    r flushall
    posts 202 $ndjson $'{"mid":"x","data":"1"}\n{"mid":"x","data":"2"}'
    [ "$(body_of <answer | sort -u | wc -l)" = 1 ]
    posts 200 $ndjson '{"mid":"x","data":"3"}'
    posts 207 $ndjson $'{"mid":"x","data":"3"}\n{'
    [ "$(entry)" = 'data 1 mid x' ]
  }
  in_both_modes many
}

@test "--once-for: for so long, or not at all" {
  ARGS=(--publish --once-for 1h room)
  posts 202 text/plain a 'Idempotency-Key: k'
  [ "$(r pttl once:chat:room:k)" -le 3600000 ]
  ARGS=(--publish --once-for 0 room)
  posts 202 text/plain a 'Idempotency-Key: k'
  posts 202 text/plain a 'Idempotency-Key: k'
  stored 3
  run chat-sse-serve --publish --once-for 20000d room </dev/null
  [ "$status" -eq 64 ]
}

@test "channels by pattern, and their names in the answer" {
  named() {
    r del chat:a/b chat:aé
    posts_to 202 '/chat/a%2Fb/messages' text/plain x
    [ "$(body_of <answer | jq -r .channel)" = a/b ]
    posts_to 202 '/chat/a%C3%A9/messages' text/plain x
    [ "$(body_of <answer | jq -r .channel)" = aé ]
    [ "$(r xlen chat:a/b) $(r xlen chat:aé)" = '1 1' ]
    posts_to 404 '/chat/other/messages' text/plain x
    posts_to 404 '/chat/a/b/messages' text/plain x
    posts_to 400 '/chat/a%00/messages' text/plain x
    posts_to 400 '/chat/a%0d%0a/messages' text/plain x
    posts_to 400 '/chat/a%ff/messages' text/plain x
  }
  ARGS=(--publish room 'a*')
  in_both_modes named
}

@test "JSON is checked, and stored without its white space" {
  checked() {
    local bad
    r flushall
    posts 202 application/json '{ "a" : [ 1, "b c" ] }'
    [ "$(entry)" = "data {a:[1,b c]} mid $(body_of <answer | jq -r .messageId)" ]
    posts 202 'Application/JSON ; charset="UTF-8"; x=y' ' "x" '
    r flushall
    for bad in '' ' ' '{' '{"a":1,}' 'nul' '1 2' $'"\xff"' '{"a":"\ud800"}' \
      $'\xef\xbb\xbf1' '[01]' "'a'"; do
      posts 400 application/json "$bad"
    done
    stored 0
  }
  in_both_modes checked
}

@test "text is UTF-8, of any other bytes" {
  any_text() {
    r flushall
    posts 202 'text/plain; charset=UTF-8' $'a\r\nb\n'
    [ "$(r --no-raw xrange chat:room - + | grep -cF '"a\r\nb\n"')" = 1 ]
    r flushall
    answers 202 "$head${text}Content-Length: 3\r\n\r\na\000b"
    [ "$(r --no-raw xrange chat:room - + | grep -cF '"a\x00b"')" = 1 ]
    r flushall
    posts 202 text/plain ''
    [ "$(texts)" = '' ]
    stored 1
    posts 400 text/plain $'\xff'
    posts 400 text/plain $'\xed\xa0\x80'
    posts 400 text/plain $'\xc0\x80'
    stored 1
  }
  in_both_modes any_text
}

@test "a form has data, and may have a type and an id" {
  forms() {
    local bad
    r flushall
    posts 202 $form 'data=a+b%26c&event=note&mid=m-1&x=y&x=z'
    [ "$(entry)" = 'data a b&c event note mid m-1' ]
    posts 202 $form 'd%61ta=%2B&mid=m' 'Idempotency-Key: k'
    [ "$(entry)" = 'data + mid k' ]
    posts_to 202 "$path?event=query" $form 'data=&mid=o'
    [ "$(entry)" = 'data event query mid o' ]
    posts_to 202 "$path?event=query" $form 'mid=n&event=form&data=x'
    [ "$(entry)" = 'data x event form mid n' ]
    for bad in '' event=x 'data=%ff' 'data=%' 'data=%00' 'data=1&data=1' \
      'data=x&event=a%0ab' 'data=x&event=a&event=a' 'data=x&mid=a&mid=a' \
      'data=x&mid=%ff' "data=x&mid=$(printf %0257d 0)" 'data=x&y=%4'; do
      posts 400 $form "$bad"
    done
    stored 0
  }
  in_both_modes forms
}

@test "the query may give the type of a message" {
  of_type() {
    r flushall
    posts_to 202 "$path?event=a+note" text/plain x 'Idempotency-Key: m'
    [ "$(entry)" = 'data x event a note mid m' ]
    posts_to 202 "$path?event=" text/plain x 'Idempotency-Key: n'
    [ "$(entry)" = 'data x mid n' ]
    posts_to 400 "$path?event=a%0ab" text/plain x
    posts_to 400 "$path?event=a&event=a" text/plain x
    posts_to 400 "$path?event=%" text/plain x
    stored 0
  }
  in_both_modes of_type
}

# --- Bodies -----------------------------------------------------------------------

@test "P01 a body of the limit is taken, one byte more is 413" {
  limits() {
    r flushall
    posts 202 text/plain "$(printf %0100d 0)"
    posts 202 $ndjson "$(printf '{"data":"%089d"}' 0)"
    posts 413 text/plain "$(printf %0101d 0)"
    posts 413 $ndjson "$(printf '{"data":"%090d"}' 0)"
    answers 413 "$head${text}Content-Length: 9223372036854775807\r\n\r\n"
    answers 202 "$head${text}Transfer-Encoding: chunked\r\n\r\n64\r\n%0100d\r\n0\r\n\r\n" 0
    answers 413 "$head${text}Transfer-Encoding: chunked\r\n\r\n65\r\n%0101d\r\n0\r\n\r\n" 0
    answers 413 "$head${text}Transfer-Encoding: chunked\r\n\r\n64\r\n%0100d\r\n1\r\nx" 0
    stored 3
  }
  ARGS=(--publish --max-size 100 room)
  in_both_modes limits
}

@test "the largest body is taken by default, and its entry delivered" {
  largest() {
    r flushall
    answers 202 "$head${text}Content-Length: 65536\r\n\r\n%065536d" 0
    [ "$(texts | wc -c)" = 65537 ]
    answers 413 "$head${text}Content-Length: 65537\r\n\r\n"
  }
  in_both_modes largest
}

@test "Content-Length: non-digits, sign, hex, empty, inner space, overflow, a list" {
  lengths() {
    local length
    for length in x -5 +5 0x5 '' '5 5' '5, 6' '5, 5' 5.0 5h \
      9223372036854775808 99999999999999999999; do
      answers 400 "$head${text}Content-Length: $length\r\n\r\nhello"
    done
    answers 400 "$head${text}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"
    answers 400 "$head${text}Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello"
    stored 0
    answers 202 "$head${text}Content-Length:  005 \r\n\r\nhello"
    r flushall
  }
  in_both_modes lengths
}

@test "CL + TE together, TE not ending in chunked, unknown coding, TE in HTTP/1.0" {
  local te='Transfer-Encoding:' chunks='\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
  codings() {
    local coding
    answers 400 "$head${text}Content-Length: 5\r\n$te chunked$chunks"
    answers 400 "$head${text}$te chunked\r\nContent-Length: 15$chunks"
    for coding in 'chunked, gzip' 'chunked, chunked' '' ',' 'chunked,'; do
      answers 400 "$head$text$te $coding$chunks"
    done
    answers 400 "$head$text$te chunked\r\n$te chunked$chunks"
    for coding in xchunked 'gzip, chunked' identity 'chunked;q=1' '"chunked"'; do
      answers 501 "$head$text$te $coding$chunks"
    done
    answers 400 "POST $path HTTP/1.0\r\n$text$te chunked$chunks"
    stored 0
    answers 202 "$head$text$te CHUNKED$chunks"
    r flushall
  }
  in_both_modes codings
}

@test "chunks may have any size, extensions unknown and trailers" {
  local chunked="$head${text}Transfer-Encoding: chunked\r\n\r\n"
  any_chunks() {
    r flushall
    answers 202 "$chunked"'5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n'
    answers 202 "$chunked"'0000A;a;b="c\td"\r\n0123456789\r\n000\r\n\r\n'
    answers 202 "$chunked"'a;\r\n0123456789\r\n0;last\r\nContent-Length: 9\r\nX: y\r\n\r\n'
    answers 202 "$chunked"'0\r\n\r\n'
    [ "$(texts)" = $'hello!\n0123456789\n0123456789' ]
    stored 4
    # shellcheck disable=SC2059
    printf "$chunked"'5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n' >request
    in_packets 1 <request | chat-sse-serve -i --publish room | grep -q ' 202 '
  }
  in_both_modes any_chunks
}

@test "chunked: hex overflow, 0x, sign, _, space, bare CR or LF, missing CRLF, too much beside" {
  local chunked="$head${text}Transfer-Encoding: chunked\r\n\r\n" end='0\r\n\r\n'
  bad_chunks() {
    local size
    for size in '' x 0x5 +5 -5 1_0 ' 5' '5 ' '5\t' 10000000000000005 \
      fffffffffffffffff '5\r' '5;\001'; do
      answers 400 "$chunked$size\r\nhello\r\n$end"
    done
    answers 400 "$chunked"'5\nhello\r\n'"$end"
    answers 400 "$chunked"'5\r\nhello\n'"$end"
    answers 400 "$chunked"'5\r\nhello'"$end"
    answers 400 "$chunked"'5\r\nhello!\r\n'"$end"
    answers 400 "$chunked"'5\r\nhello\r\n0\r\nX: y\n\r\n'
    answers 400 "$chunked"'5\r\nhello\r\n0\r\nX: y\rz\r\n\r\n'
    answers 400 "$chunked"'5;%05000d\r\nhello\r\n'"$end" 0
    answers 400 "$chunked"'5\r\nhello\r\n0\r\nX: %05000d\r\n\r\n' 0
    stored 0
  }
  in_both_modes bad_chunks
}

@test "a body shorter than its length, and then the end, is 400" {
  short() {
    answers 400 "$head${text}Content-Length: 5\r\n\r\n"
    answers 400 "$head${text}Content-Length: 5\r\n\r\nhell"
    answers 400 "$head${text}Transfer-Encoding: chunked\r\n\r\n5\r\nhel"
    answers 400 "$head${text}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
    stored 0
  }
  in_both_modes short
}

@test "POST without CL or TE is 411" {
  no_length() {
    answers 411 "$head$text\r\n"
    answers 411 "POST $path HTTP/1.0\r\n$text\r\n"
    stored 0
    answers 202 "$head${text}Content-Length: 0\r\n\r\n"
    r flushall
  }
  in_both_modes no_length
}

@test "unsupported Content-Type on POST is 415" {
  types() {
    local type
    answers 415 "${head}Content-Length: 2\r\n\r\nhi"
    for type in '' text/html text text/plainx application/octet-stream \
      multipart/form-data 'text/plain, text/plain' 'text/plain; charset=latin1' \
      'text/plain;x=y;CHARSET = "iso-8859-1"' 'text/plain; charset' \
      "$form; charset=utf-16" "$ndjson; charset=ascii" 'application/json;charset='; do
      posts 415 "$type" '{}'
    done
    posts 415 text/plain hi 'Content-Type: text/plain'
    posts 415 text/plain hi 'Content-Encoding: gzip'
    stored 0
    posts 202 'TEXT/PLAIN;;charset=Utf-8 ; format=flowed' hi
    r flushall
  }
  in_both_modes types
}

@test "a body of GET, HEAD or OPTIONS is 400, of another method 405" {
  local body='Content-Length: 2\r\n\r\nhi'
  other_methods() {
    local method
    for method in GET HEAD OPTIONS; do
      answers 400 "$method $path HTTP/1.0\r\n$text$body"
    done
    for method in PUT PATCH DELETE; do
      ask "$method $path HTTP/1.0\r\n$text$body" >answer
      [ "$(status <answer)" = 405 ]
      [ "$(field Allow <answer)" = 'POST, OPTIONS' ]
    done
    [ "$(ask "OPTIONS $path HTTP/1.0\r\n\r\n" | field Allow)" = 'POST, OPTIONS' ]
    answers 405 "POST /chat/room/events HTTP/1.0\r\n$text$body"
    answers 405 "POST /health HTTP/1.0\r\n$text$body"
    stored 0
  }
  in_both_modes other_methods
}

@test "without --publish nothing is stored: 405" {
  reading_only() {
    posts 405 text/plain hi
    [ "$(field Allow <answer)" = OPTIONS ]
    stored 0
  }
  ARGS=(room)
  in_both_modes reading_only
}

# --- Expect -----------------------------------------------------------------------

@test "Expect: 100-continue with a body we want: 100, then the answer" {
  expecting() {
    r flushall
    by_hand
    say "$head${text}Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    wait_until 5 heard '^HTTP/1.1 100 '
    [ "$(head -c 25 heard)" = $'HTTP/1.1 100 Continue\r\n\r' ]
    say hello
    wait_until 5 heard '^HTTP/1.1 202 '
    hang_up
    [ "$(texts)" = hello ]
  }
  in_both_modes expecting
}

@test "Expect: 100-continue otherwise: the final status at once, and no 100" {
  local expect='Expect: 100-continue\r\n' cl='Content-Length: 5\r\n'
  # final STATUS FORMAT: it comes although the body does not.
  final() {
    by_hand
    say "$2"
    wait_until 5 heard "^HTTP/1.1 $1 "
    hang_up
    run ! heard '^HTTP/1.1 100 '
  }
  not_wanted() {
    final 411 "$head$text$expect\r\n"
    final 413 "$head$text${expect}Content-Length: 65537\r\n\r\n"
    final 415 "$head$expect$cl\r\n"
    final 400 "$head$text$expect${cl}Transfer-Encoding: chunked\r\n\r\n"
    final 400 "$head$text$expect${cl}Idempotency-Key: %0300d\r\n\r\n"
    final 404 "POST /chat/other/messages HTTP/1.1\r\nHost: x\r\n$text$expect$cl\r\n"
    final 405 "PUT $path HTTP/1.1\r\nHost: x\r\n$text$expect$cl\r\n"
    final 202 "$head$text${expect}Content-Length: 0\r\n\r\n"
    r flushall
  }
  in_both_modes not_wanted
}

@test "who may not write is told so before the body" {
  echo 'reader r room' >tokens
  unwelcome() {
    by_hand
    say "$head${text}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    wait_until 5 heard '^HTTP/1.1 401 '
    hang_up
    by_hand
    say "$head${text}X-API-Key: reader\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    wait_until 5 heard '^HTTP/1.1 403 '
    hang_up
    run ! heard '^HTTP/1.1 100 '
  }
  ARGS=(--publish --token-file tokens room)
  in_both_modes unwelcome
}

@test "other Expect is 417, and in HTTP/1.0 all are ignored" {
  local cl='Content-Length: 5\r\n\r\nhello'
  others() {
    r flushall
    answers 417 "$head${text}Expect: 200-ok\r\n$cl"
    answers 417 "$head${text}Expect: 100-continue, x\r\n$cl"
    stored 0
    answers 202 "POST $path HTTP/1.0\r\n${text}Expect: 100-continue\r\n$cl"
    answers 202 "POST $path HTTP/1.0\r\n${text}Expect: 200-ok\r\n$cl"
    stored 2
  }
  in_both_modes others
}

# --- Connections --------------------------------------------------------------------

@test "Upgrade is ignored: normal answer, never 101" {
  upgrade() {
    posts 202 text/plain hi 'Connection: Upgrade' 'Upgrade: websocket'
    posts 202 text/plain hi 'Connection: Upgrade, HTTP2-Settings' 'Upgrade: h2c'
  }
  in_both_modes upgrade
}

@test "pipelined after a POST: one answer, and nothing else is stored" {
  local one="$head${text}Content-Length: 5\r\n\r\nhello"
  pipelined() {
    r flushall
    [ "$(ask "$one$one" | grep -c ^HTTP)" = 1 ]
    stored 1
    [ "$(ask "$head${text}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n$one" |
      grep -c ^HTTP)" = 1 ]
    stored 2
  }
  in_both_modes pipelined
}

@test "every final answer: Date, Content-Length, Connection: close" {
  # whole STATUS FORMAT
  whole() {
    ask "$2" >answer
    [ "$(status <answer)" = "$1" ]
    [ "$(field Content-Length <answer)" = "$(body_of <answer | wc -c)" ]
    [ "$(field Connection <answer)" = close ]
    [ "$(field Cache-Control <answer)" = no-store ]
    [ "$(date -d "$(field Date <answer)" +%s)" -ge $(($(date +%s) - 10)) ]
    [ -z "$(field Transfer-Encoding <answer)" ]
    [ "$1" -lt 300 ] || [ "$(field Content-Type <answer)" = 'text/plain; charset=utf-8' ]
  }
  all_whole() {
    local cl='Content-Length: 5\r\n\r\n'
    whole 202 "$head$text${cl}hello"
    whole 400 "$head$text$cl\377\377\377\377\377"
    whole 400 "$head$text${cl}hell"
    whole 404 "POST /chat/other/messages HTTP/1.1\r\nHost: x\r\n$text${cl}hello"
    whole 405 "PUT $path HTTP/1.1\r\nHost: x\r\n$text${cl}hello"
    whole 411 "$head$text\r\n"
    whole 413 "$head${text}Content-Length: 65537\r\n\r\n"
    whole 415 "$head${cl}hello"
    whole 417 "$head${text}Expect: x\r\n${cl}hello"
    whole 501 "$head${text}Transfer-Encoding: gzip\r\n\r\nhello"
  }
  in_both_modes all_whole
}

@test "a request may come byte by byte" {
  local request i
  printf -v request '%b' "${head}Content-Type: $ndjson\r\n" \
    'Transfer-Encoding: chunked\r\n\r\n' '0c;x\r\n{"data":"a"}\r\n' \
    '0d\r\n\n{"data":"b"}\r\n0\r\nX: y\r\n\r\n'
  in_pieces() {
    r flushall
    by_hand
    for ((i = 0; i < ${#request}; i++)); do
      say %s "${request:i:1}"
    done
    wait_until 5 heard '^HTTP/1.1 202 '
    hang_up
        [ "$(texts | xargs)" = 'a b' ]
  }
  in_both_modes in_pieces
}

@test "a body has its time, which more bytes do not prolong: 408" {
  late() {
    by_hand
    say "$head${text}Content-Length: 1000\r\n\r\nhell"
    drip() {
      say o
      heard '^HTTP/1.1 408 '
    }
    wait_until 5 drip
    hang_up
    stored 0
  }
  ARGS=(--publish --request-timeout 300ms room)
  in_both_modes late
}

@test "a client sees the refusal of a body that it goes on sending" {
  head -c 1000000 /dev/zero >body
  refused_all() {
    local i
    for i in {1..20}; do
      [ "$(http -H Expect: -H 'Content-Type: text/plain' --data-binary @body \
        -w '%{http_code}' -o answer $path)" = 413 ]
    done
  }
  over_sockets refused_all
}

# --- Many messages ------------------------------------------------------------------

# The members of the answers that are asked for, on a line.
answered() {
  body_of <answer | jq -r "$1" | xargs
}

@test "each line is a message, stored in order, with an answer in order" {
  many() {
    r flushall
    posts 202 $ndjson '{"data":"one","mid":"m1"}
{"data":"two","event":"note","key":"k","headers":{"h":"v"}}
{"channel":"room","data":{ "n" : 3 },"id":"1-1","ts":5,"whatever":[]}'
    [ "$(field Content-Type <answer)" = $ndjson ]
    [ "$(field Cache-Control <answer)" = no-store ]
    [ "$(answered .channel)" = 'room room room' ]
    [ "$(answered keys[] | xargs -n 3 | sort -u)" = 'channel messageId streamId' ]
    [ "$(body_of <answer | jq -r .streamId)" = \
      "$(chat-replay -j room | jq -r .id)" ]
    [ "$(body_of <answer | jq -r .messageId)" = \
      "$(chat-replay -j room | jq -r .mid)" ]
    [ "$(answered .messageId | cut -d ' ' -f 1)" = m1 ]
    [ "$(chat-replay -j room | jq -c '[.data,.event,.key,.headers]')" = \
      '["one",null,null,null]
["two","note","k",{"h":"v"}]
["{\"n\":3}",null,null,null]' ]
  }
  in_both_modes many
}

@test "lines may end in CR LF, be blank, and the last one may lack its end" {
  ends() {
    r flushall
    posts 202 $ndjson $'\n{"data":"a"}\r\n \t\r\n\n {"data":"b"} \n{"data":"c"}'
    [ "$(texts | xargs)" = 'a b c' ]
    [ "$(body_of <answer | wc -l)" = 3 ]
  }
  in_both_modes ends
}

@test "?event= is the type of the lines without one" {
  typed() {
    r flushall
    posts_to 202 "$path?event=q" $ndjson '{"data":1}
{"data":2,"event":"e"}
{"data":3,"event":""}
{"data":4,"event":null}'
    [ "$(chat-replay -j room | jq -r .event | xargs)" = 'q e q q' ]
  }
  in_both_modes typed
}

@test "a bad line does not keep the others from being stored: 207" {
  some_bad() {
    r flushall
    posts 207 $ndjson 'oops
{"data":"a"}

{"data":"x","channel":"other"}
{"event":"x"}
{"data":"b"}
{"data":"x","event":"a\nb"}
{"data_b64":"/w=="}
{"data":"x","headers":{"key":"y"}}
{"data":"x","mid":"'"$(printf %0257d 0)"'"}
{"data":"x"'
        [ "$(texts | xargs)" = 'a b' ]
    [ "$(body_of <answer | jq -c '.line // .channel' | xargs)" = \
      '1 room 4 5 room 7 8 9 10 11' ]
    [ "$(body_of <answer | jq -r 'select(.line) | keys | join(" ")' |
      sort -u)" = 'error line' ]
    [ "$(body_of <answer | jq -r 'select(.line).error')" = 'not a JSON object
of another channel
no data
bad event type
not valid UTF-8
a header has a reserved name
bad message id
not a JSON object' ]
  }
  in_both_modes some_bad
}

@test "if no line is stored the status is that of one" {
  none() {
    posts 400 $ndjson $'oops\n{"data":1,"channel":"x"}\n'
    [ "$(answered .line)" = '1 2' ]
    posts 400 $ndjson ''
    posts 400 $ndjson $' \n\r\n\n'
    posts 400 $ndjson '{"data":1}' 'Idempotency-Key: k'
    stored 0
    r set chat:room x
    posts 500 $ndjson $'oops\n{"data":1}' 2>log
    [ "$(answered .line)" = '1 2' ]
    r flushall
  }
  in_both_modes none
}

@test "a thousand lines are taken, one more is 413" {
  for i in {1..1000}; do echo "{\"data\":$i}"; done >lines
  thousand() {
    r flushall
    posts 202 $ndjson "$(cat lines)"
    [ "$(body_of <answer | wc -l)" = 1000 ]
    texts | diff - <(seq 1000)
    posts 413 $ndjson "$(cat lines)"$'\n{}'
    stored 1000
  }
  in_both_modes thousand
}

@test "what chat-tail -j prints can be posted" {
  chat-pub room 'héllo' $'two\nlines'
  chat-pub -k key --event note -H h=v room three
  chat-replay -j room >envelopes
  strip() {
    jq -c 'del(.id,.ts)'
  }
  round() {
    r flushall
    posts 202 $ndjson "$(cat envelopes)"
    diff <(strip <envelopes) <(chat-replay -j room | strip)
  }
  in_both_modes round
}

# --- What is kept, and in which order -------------------------------------------------

# publisher I: ten messages, two at a time.
publisher() {
  local n
  for n in {1..5}; do
    printf '{"data":"%s"}\n' "$1-$n-a" "$1-$n-b" |
      http -f -o answer"$1" -H "Content-Type: $ndjson" --data-binary @- $path
  done
}
export -f publisher http
export path ndjson

@test "P04 10 parallel publishers: total order is the same for all readers" {
  parallel() {
    local i n
    r flushall
    follow one $events
    follow two "$events?filter=message"
    wait_until 10 has one 'event: chat-open'
    wait_until 10 has two 'event: chat-open'
    for i in {0..9}; do
      spawn "publisher$i" bash -c "publisher $i"
    done
    wait_until 10 stored 100
    texts >order
    all_there() {
      [ "$(messages <"$1.out" | wc -l)" = 100 ]
    }
    wait_until 10 all_there one
    wait_until 10 all_there two
    messages <one.out | diff order -
    messages <two.out | diff order -
    for i in {0..9}; do
      [ "$(grep "^$i-" order | xargs)" = "$(for n in {1..5}; do
        echo "$i-$n-a" "$i-$n-b"
      done | xargs)" ]
    done
  }
  over_sockets parallel
}

@test "P06 --maxlen changed at runtime holds from the next message on" {
  use_config() {
    printf '[chat-sse-serve]\npublish = yes\nmaxlen = %s\n' "$1" >config
  }
  use_config 3
  CHAT_CONFIG=$PWD/config SERVE_MODE=listen serve_start -v room
  OVER=socket
  for i in {1..5}; do posts 202 text/plain "$i"; done
  stored 3
  use_config 2
  kill -HUP "$SERVE_GROUP"
  wait_until 5 grep -q 'read again' "$SERVE_LOG"
  posts 202 text/plain 6
  [ "$(texts | xargs)" = '5 6' ]
}

@test "P07 --maxlen is respected after 10x publishes, and the first id is right" {
  kept() {
    local i
    r flushall
    for i in {1..45}; do echo "{\"data\":$i}"; done >lines
    posts 202 $ndjson "$(cat lines)"
    first=$(body_of <answer | jq -r .streamId | tail -n 4 | head -n 1)
    posts 202 text/plain 46
    stored 5
    OVER='' get "$events" 'Last-Event-ID: 0-1' >stream
    [ "$(grep -A 1 '^event: chat-gap' stream | tail -n 1 | cut -c 7- |
      jq -r .first)" = "$first" ]
    [ "$(messages <stream | xargs)" = '42 43 44 45 46' ]
  }
  ARGS=(--publish --maxlen 5 room)
  in_both_modes kept
}

@test "P08 what is older than --maxage is not delivered" {
  aged() {
    r flushall
    r xadd chat:room 1000-0 data old
    posts 202 text/plain new
    [ "$(texts)" = new ]
  }
  ARGS=(--publish --maxage 1h room)
  in_both_modes aged
}

# --- Without Redis --------------------------------------------------------------------

@test "Redis down: 503, Retry-After, and nothing was stored" {
  down() {
    posts 503 text/plain hello 2>/dev/null
    [ "$(field Retry-After <answer)" -gt 0 ]
    [[ $(body_of <answer) == *'nothing was stored'* ]]
    posts 503 $ndjson $'{"data":1}\noops\n{"data":2}' 2>/dev/null
    [ "$(field Retry-After <answer)" -gt 0 ]
    [ "$(answered .line)" = '1 2 3' ]
    [ "$(grep -c 'nothing was stored' answer)" = 2 ]
  }
  use_other_redis
  ARGS=(--publish --retry 300ms room)
  in_both_modes down
}

@test "Redis has not answered: 503, and it may have been stored" {
  use_other_redis
  redis_start
  SERVE_MODE=listen serve_start --publish -t 500ms --retry 300ms room
  OVER=socket
  posts 202 text/plain before
  kill -STOP "$(cat "$REDIS_DIR/pid")"
  posts 503 $ndjson $'{"data":"doubt 1"}\n{"data":"doubt 2"}' || status=$?
  kill -CONT "$(cat "$REDIS_DIR/pid")"
  [ "${status-0}" = 0 ]
  [ "$(field Retry-After <answer)" -gt 0 ]
  [ "$(grep -c 'may have been stored' answer)" = 2 ]
  wait_until 5 posts 202 text/plain after
  redis_stop
}

@test "Redis is full: 503, and it goes on when there is room" {
  full() {
    r config set maxmemory 1
    posts 503 text/plain a 2>/dev/null
    [[ $(body_of <answer) == *'nothing was stored'* ]]
    posts 503 $ndjson $'{"data":"a"}\n{"data":"b"}' 2>/dev/null
    stored 0
    r config set maxmemory 0
    posts 202 text/plain c
    [ "$(texts)" = c ]
    r flushall
  }
  use_other_redis
  redis_start
  ARGS=(--publish --retry 300ms room)
  in_both_modes full
  redis_stop
}

@test "what Redis refuses for good is 500, with a line in the log" {
  no_stream() {
    r set chat:room x
    posts 500 text/plain hello 2>log
    [ "${OVER-}" != socket ] || cp "$SERVE_LOG" log
    grep -q WRONGTYPE log
    r flushall
  }
  in_both_modes no_stream
}

# --- --rate-limit -----------------------------------------------------------------------

# limited RATE [ARG...]: one process for all, with that limit.
limited() {
  SERVE_MODE=listen serve_start -v --publish --rate-limit "$@" room
  OVER=socket
}

# from ADDRESS [CURL-OPTION...]: the status of a message from there.
from() {
  http --interface "$1" -o /dev/null -w '%{http_code}' -d data=x "${@:2}" $path
}

@test "a peer that stores too much is told when to come again: 429" {
  limited 2/h
  posts 202 text/plain a
  posts 202 text/plain b
  posts 429 text/plain c
  [ "$(field Retry-After <answer)" -gt 1700 ]
  [ "$(field Retry-After <answer)" -le 1801 ]
  [ "$(field Connection <answer)" = close ]
  posts 429 $ndjson '{"data":"c"}'
  stored 2
  # Others may, and so may he read.
  [ "$(from 127.0.0.2)" = 202 ]
  [ "$(from 127.0.0.2)" = 202 ]
  [ "$(from 127.0.0.2)" = 429 ]
  [ "$(get "$events?last=1" | status)" = 200 ]
}

@test "too much is refused before the body" {
  limited 1/h
  posts 202 text/plain a
  by_hand
  say "$head${text}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
  wait_until 5 heard '^HTTP/1.1 429 '
  run ! heard '^HTTP/1.1 100 '
  hang_up
  # But what is wrong with it comes first.
  answers 415 "${head}Content-Length: 5\r\n\r\n"
}

@test "each line counts, and all of them are stored or none" {
  limited 5/h
  posts 202 $ndjson $'{"data":1}\n\n{"data":2}\n{"data":3}\n'
  posts 429 $ndjson $'{"data":4}\n{"data":5}\noops'
  [ "$(field Retry-After <answer)" -gt 600 ]
  posts 413 $ndjson $'{"data":4}\n\n{}\n{}\n{}\n{}\n{}'
  [ -z "$(field Retry-After <answer)" ]
  posts 202 $ndjson $'{"data":4}\n{"data":5}'
  posts 429 text/plain 6
  [ "$(texts | xargs)" = '1 2 3 4 5' ]
}

@test "what was used comes back" {
  limited 2/s
  posts 202 $ndjson $'{"data":1}\n{"data":2}'
  posts 429 $ndjson $'{"data":1}\n{"data":2}'
  [ "$(field Retry-After <answer)" -le 2 ]
  wait_until 5 posts 202 $ndjson $'{"data":3}\n{"data":4}'
  [ "$(texts | xargs)" = '1 2 3 4' ]
}

@test "behind a proxy that is trusted the limit is for each of its clients" {
  limited 1/h --trust-forwarded
  posts 202 text/plain a 'X-Forwarded-For: 192.0.2.1'
  posts 202 text/plain a 'X-Forwarded-For: 192.0.2.2'
  posts 429 text/plain a 'X-Forwarded-For: 9.9.9.9, 192.0.2.1'
  posts 202 text/plain a
  posts 429 text/plain a
}

@test "clients of a unix socket have no limit of their own" {
  spawn serve chat-sse-serve -l "$PWD/socket" --publish --rate-limit 1/h \
    --trust-forwarded room
  wait_until 5 test -S socket
  to_socket() {
    curl -sS --noproxy '*' --unix-socket socket -o /dev/null \
      -w '%{http_code}' -d data=x "$@" http://x$path
  }
  [ "$(to_socket)" = 202 ]
  [ "$(to_socket)" = 202 ]
  [ "$(to_socket -H 'X-Forwarded-For: 192.0.2.1')" = 202 ]
  [ "$(to_socket -H 'X-Forwarded-For: 192.0.2.1')" = 429 ]
}

@test "the limit changes on SIGHUP" {
  printf '[chat-sse-serve]\nrate-limit = 1/h\n' >config
  CHAT_CONFIG=$PWD/config SERVE_MODE=listen serve_start -v --publish room
  OVER=socket
  posts 202 text/plain a
  posts 429 text/plain b
  : >config
  kill -HUP "$SERVE_GROUP"
  wait_until 5 posts 202 text/plain b
}

@test "--rate-limit: a rate, and one process for all" {
  local rate
  for rate in '' 0 0/s x 1/d -1 1.5/s 1000001; do
    run -64 chat-sse-serve -l "$PWD/socket" --rate-limit "$rate" room
  done
  run -64 chat-sse-serve -i --rate-limit 1/s room
  [[ $output == *--rate-limit* ]]
}

# --- Counted ------------------------------------------------------------------------------

counts() {
  get /metrics | tr -d '\r' | grep -qxF "$1"
}

@test "messages are counted, not bodies" {
  SERVE_MODE=listen serve_start --publish --stats room
  OVER=socket
  posts 202 text/plain a
  posts 400 application/json x
  posts 202 $ndjson $'{"data":1}\n{"data":2}'
  posts 207 $ndjson $'{"data":3}\noops\noops\noops'
  posts 413 $ndjson "$(printf %070000d 0)"
  counts 'chat_posts_total{result="stored"} 4'
  counts 'chat_posts_total{result="refused"} 5'
  counts 'chat_posts_total{result="abandoned"} 0'
  counts 'chat_requests_total{status="207"} 1'
  counts 'chat_requests_total{status="other"} 0'
}
