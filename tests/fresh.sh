#!/bin/sh
# The promise of the README in a Debian of nothing but git and make: one command
# gives the demo, one command the tests.
#
#   tests/fresh.sh CACHE [SUITE]
#
# As root. CACHE keeps what was downloaded, the base system and the packages, and
# gets the logs. What is committed is what is tried. Everything happens in mount and process
# namespaces of its own, which end with this script, and with them all that ran
# and was mounted.
set -eu

suite=${2:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
timeout_s=900

say() {
  echo "fresh: $(($(date +%s) - start)) s: $*"
}

fail() {
  say "FAILED: $*" >&2
  exit 1
}

outside() {
  root=$(mktemp -d "${TMPDIR:-/tmp}/chat-fresh.XXXXXX")
  trap 'rm -rf --one-file-system "$root"' EXIT
  trap 'kill -s KILL $spaces; wait; exit 1' HUP INT TERM
  chmod 755 "$root" # for the other users in there
  mkdir -p "$1/archives/$suite/partial"
  unshare --mount --pid --fork --kill-child \
    "$0" --inside "$root" "$(cd "$1" && pwd)" "$suite" </dev/null &
  spaces=$!
  wait $spaces
}

make_root() {
  tarball=$cache/$suite.tgz
  if [ ! -e "$tarball" ]; then
    debootstrap --variant=minbase --make-tarball="$tarball.new" \
      "$suite" "$root/download" "$mirror" >"$cache/debootstrap.log"
    mv "$tarball.new" "$tarball"
    rm -rf "$root/download"
  fi
  debootstrap --variant=minbase --unpack-tarball="$tarball" \
    "$suite" "$root" "$mirror" >"$cache/debootstrap.log"
}

mount_root() {
  mount -t proc proc /proc
  mount -t proc proc "$root/proc"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs shm "$root/dev/shm"
  ln -sf pts/ptmx "$root/dev/ptmx"
  mount --bind "$cache/archives/$suite" "$root/var/cache/apt/archives"
  cp /etc/resolv.conf "$root/etc/"
}

# enter COMMAND...: becomes it.
enter() {
  exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive "$@"
}

inside() {
  (enter "$@")
}

# Processes of the chroot: it alone has a root like that.
left_running() {
  for p in /proc/[0-9]*; do
    if [ "$(readlink "$p/root")" = "$root" ]; then
      tr '\0' ' ' <"$p/cmdline"
    fi
  done
}

# wait_for SECONDS COMMAND...
wait_for() {
  deadline=$(($(date +%s) + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt $deadline ] || return 1
    sleep 0.2
  done
}

# Sets url to what the demo printed; false before that.
demo_url() {
  kill -0 "$demo" || fail 'the demo ended, see demo.log'
  url=$(grep -o 'http://127[0-9.]*:[0-9]*/' "$cache/demo.log" | head -n 1)
  [ -n "$url" ]
}

try_demo() {
  enter make -C /src deps demo >"$cache/demo.log" 2>&1 &
  demo=$!
  wait_for $timeout_s demo_url || fail 'no URL'
  say "the demo runs at $url"
  curl -fsS --noproxy '*' "$url" | grep -qi '<html' || fail 'no page'
  curl -sN --noproxy '*' --max-time 3 "${url}chat/room/events?last=10" |
    grep -q '^data: Welcome' || fail 'no messages'
  kill -TERM "$demo"
  wait_for 20 dead "$demo" || fail 'the demo does not end'
  [ -z "$(left_running)" ] || fail "left running: $(left_running)"
  [ -z "$(ls -A "$root/tmp")" ] || fail "left in /tmp: $(ls -A "$root/tmp")"
  curl -s --noproxy '*' "$url" && fail 'the port is still served'
  [ -z "$(inside git -C /src status --porcelain)" ] || fail 'a dirty tree'
  say 'the demo left nothing behind'
}

dead() {
  ! grep -qs '^State:[[:blank:]]*[^Z[:blank:]]' "/proc/$1/status"
}

try_check() {
  status=0
  inside make -C /src deps check >"$cache/check.log" 2>&1 || status=$?
  say "make deps check: $(grep -a '^[0-9]* passed, ' "$cache/check.log")"
  [ $status = 0 ] || fail 'make deps check, see check.log'
}

start=$(date +%s)
case ${1-} in
  '')
    echo 'usage: tests/fresh.sh CACHE [SUITE]' >&2
    exit 64
    ;;
  --inside)
    root=$2
    cache=$3
    suite=$4
    make_root
    mount_root
    inside sh -c 'apt-get -qq update &&
      apt-get -qq install -y --no-install-recommends git make' >/dev/null
    git clone -q . "$root/src"
    say 'a fresh system with git and make'
    try_demo
    try_check
    ;;
  *) outside "$1" ;;
esac
