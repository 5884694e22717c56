# shellcheck shell=bash
# For `load helpers/follow`, after helpers/common: clients that follow
# /chat/room/events of the server on $PORT, in the directory of the test.

events=/chat/room/events

# follow NAME [CURL-OPTION...] PATH: a client in the background, its answer with
# the head in NAME.out.
follow() {
  spawn "$1" curl -sSNi --noproxy '*' "${@:2:$#-2}" \
    "http://127.0.0.1:$PORT${!#}"
}

# has NAME LINE
has() {
  grep -qxF "$2" "$1.out"
}

# follow_all N: so many, and until they are there.
follow_all() {
  local i
  for ((i = 1; i <= $1; i++)); do
    follow "c$i" $events
  done
  for ((i = 1; i <= $1; i++)); do
    wait_until 10 has "c$i" 'event: chat-open'
  done
}
