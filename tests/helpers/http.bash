# shellcheck shell=bash
# For `load helpers/http`, after common: HTTP by hand.
#
# What is asked goes to a chat-sse-serve with the arguments ${ARGS[@]} over two
# pipes, or, with OVER=socket, to what serve_start has started.

# ask FORMAT [ARG...]: send what printf makes of it, and no more; print all that
# comes back.
ask() {
  # shellcheck disable=SC2059
  if [ "${OVER-}" = socket ]; then
    printf "$@" | nc -N 127.0.0.1 "$PORT"
  else
    printf "$@" | chat-sse-serve -i "${ARGS[@]}"
  fi
}

# in_both_modes COMMAND...: with a process for a client, over two pipes and over
# a socket, and with one process for all.
in_both_modes() {
  "$@"
  over_sockets "$@"
}

over_sockets() {
  local mode
  for mode in accept listen; do
    SERVE_MODE=$mode serve_start "${ARGS[@]}"
    OVER=socket "$@"
    serve_stop
  done
}

# get PATH [HEADER...]: ask for it.
get() {
  ask 'GET %s HTTP/1.0\r\n%b\r\n' "$1" "$(header_lines "${@:2}")"
}

# As printf's %b wants them: a command substitution would cut a line's end.
header_lines() {
  [ $# = 0 ] || printf '%s\\r\\n' "$@"
}

# post PATH TYPE BODY [HEADER...]
post() {
  ask 'POST %s HTTP/1.1\r\nHost: x\r\n%b\r\n%s' "$1" \
    "$(header_lines "Content-Type: $2" \
      "Content-Length: $(printf %s "$3" | wc -c)" "${@:4}")" "$3"
}

# in_both_modes COMMAND...: with a process for a client, over two pipes and over
# a socket, and with one process for all.
in_both_modes() {
  "$@"
  over_sockets "$@"
}

over_sockets() {
  local mode
  for mode in accept listen; do
    SERVE_MODE=$mode serve_start "${ARGS[@]}"
    OVER=socket "$@"
    serve_stop
  done
}

# Of an answer on stdin:
status() {
  head -n 1 | cut -d ' ' -f 2
}

head_of() {
  sed '/^\r$/,$d' | tr -d '\r'
}

body_of() {
  sed '1,/^\r$/d'
}

# field NAME
field() {
  head_of | sed -n "s/^$1: //Ip"
}

# The data of messages, one a line (of one line each).
messages() {
  body_of | awk '
    /^event: chat-/ { own = 1 }
    /^data: / && !own { print substr($0, 7) }
    /^$/ { own = 0 }'
}

# answers STATUS FORMAT [ARG...]: the status of the answer to that.
answers() {
  local want=$1 got
  shift
  got=$(ask "$@" | status)
  [ "$got" = "$want" ] || {
    echo "$got instead of $want for: $1" >&2
    return 1
  }
}

# Requests for the channel room, without --publish and --page, have their status.
requests() {
  local get='GET /chat/room/events' host='Host: x\r\n'
  answers 200 "$get HTTP/1.0\r\n\r\n"
  answers 200 "$get HTTP/1.1\r\n$host\r\n"
  answers 200 "$get HTTP/1.2\r\n$host\r\n"
  answers 200 "\r\n$get HTTP/1.0\r\n\r\n"
  answers 200 "GET http://x/chat/room/events HTTP/1.1\r\n$host\r\n"
  answers 400 "$get HTTP/1.1\r\n\r\n"
  answers 400 "$get HTTP/1.1\r\n$host$host\r\n"
  answers 400 "$get HTTP/1.0\n\n"
  answers 400 "$get HTTP/1.0\r\nName : x\r\n\r\n"
  answers 400 "$get HTTP/1.0\r\nName: x\r\n folded\r\n\r\n"
  answers 400 "$get HTTP/1.0\r\nName: a\\000b\r\n\r\n"
  answers 400 "$get HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody"
  answers 400 "GET /chat/%%/events HTTP/1.0\r\n\r\n"
  answers 400 "GET /chat/%%00/events HTTP/1.0\r\n\r\n"
  answers 400 "GET /chat/%%0d%%0a/events HTTP/1.0\r\n\r\n"
  answers 400 "GET /chat/%%ff/events HTTP/1.0\r\n\r\n"
  answers 400 "GET /chat//events HTTP/1.0\r\n\r\n"
  answers 400 "GET * HTTP/1.0\r\n\r\n"
  answers 400 "garbage\r\n\r\n"
  answers 400 '\026\003\001\002\000\001\000\001\374\003\003'
  answers 404 "GET / HTTP/1.0\r\n\r\n"
  answers 404 "GET /nowhere HTTP/1.0\r\n\r\n"
  answers 404 "GET /chat/room HTTP/1.0\r\n\r\n"
  answers 404 "GET /chat/room/events/ HTTP/1.0\r\n\r\n"
  answers 404 "GET /chat/./room/events HTTP/1.0\r\n\r\n"
  answers 404 "GET /chat/other/events HTTP/1.0\r\n\r\n"
  answers 404 "POST /chat/other/events HTTP/1.0\r\n\r\n"
  answers 405 "POST /chat/room/events HTTP/1.0\r\n\r\n"
  answers 405 "PUT /chat/room/messages HTTP/1.0\r\n\r\n"
  answers 405 "DELETE /health HTTP/1.0\r\n\r\n"
  answers 405 "TRACE /chat/room/events HTTP/1.0\r\n\r\n"
  answers 414 "GET /%08192d HTTP/1.0\r\n\r\n" 0
  answers 417 "$get HTTP/1.1\r\n${host}Expect: more\r\n\r\n"
  answers 431 "$get HTTP/1.0\r\nName: %016384d\r\n\r\n" 0
  answers 501 "get /chat/room/events HTTP/1.0\r\n\r\n"
  answers 501 "BREW / HTTP/1.0\r\n\r\n"
  answers 505 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
}

# in_packets SIZE: stdin, a multiple of it, to stdout, a pipe, from which each
# read(2) gets that many bytes, however late it comes (pipe(7), O_DIRECT).
in_packets() {
  dd bs="$1" iflag=fullblock oflag=direct status=none
}
