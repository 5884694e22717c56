# The units: what systemd thinks of them, and what they do in a system that is
# really booted, in a container that is a copy of this one and leaves nothing.

load helpers/common

setup_file() {
  export STAGE=$BATS_FILE_TMPDIR/stage PREFIX=$BATS_FILE_TMPDIR/prefix
  export MACHINE=chat-test-$$
  command -v systemd-analyze >/dev/null || skip 'no systemd'
  install_to PREFIX="$PREFIX"
  install_to DESTDIR="$STAGE" PREFIX=/usr/local
}

# What was built is taken as it is, by a make of its own.
install_to() {
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$BATS_TEST_DIRNAME/.." install install_after= BUILD="$BUILD" "$@"
}

# --- What systemd thinks ----------------------------------------------------

units() {
  echo "$PREFIX"/lib/systemd/system/chat-*
}

# An unknown key is no more than a warning.
@test "systemd finds nothing wrong with the units" {
  # shellcheck disable=SC2046 # one word for each
  run --separate-stderr systemd-analyze verify --recursive-errors=yes \
    --man=no $(units)
  [ "$status" = 0 ]
  # shellcheck disable=SC2154 # from run
  [ "$stderr" = '' ]
}

@test "the exposure of the services is at most 1.5" {
  local unit
  for unit in "$PREFIX"/lib/systemd/system/chat-*.service; do
    systemd-analyze security --offline=true --threshold=15 "$unit"
  done
}

# What they share is written twice.
@test "the two services are sandboxed alike" {
  sandbox() {
    sed -n '/^DynamicUser/,/^UMask/p' "$PREFIX/lib/systemd/system/$1" |
      grep -v '^#'
  }
  [ "$(sandbox chat-sse-serve.service | wc -l)" -gt 25 ]
  diff <(sandbox chat-sse-serve.service) <(sandbox chat-sse-serve@.service)
}

@test "the units name the programs that are installed with them" {
  run ! grep -r '@[A-Z]*@' "$PREFIX/lib/systemd"
  grep -q "^ExecStart=-$PREFIX/bin/chat-sse-serve " \
    "$PREFIX/lib/systemd/system/chat-sse-serve@.service"
  grep -q "^ExecStart=$PREFIX/bin/chat-sse-serve " \
    "$PREFIX/lib/systemd/system/chat-sse-serve.service"
}

# --- What they do -----------------------------------------------------------

can_boot() {
  [ "$(id -u)" = 0 ] || skip 'needs root'
  command -v systemd-nspawn >/dev/null || skip 'no systemd-nspawn'
  [ -d /sys/fs/cgroup/systemd ] || [ -e /sys/fs/cgroup/cgroup.controllers ] ||
    skip 'no control groups'
  ! grep -q __asan_init "$BUILD/chat-sse-serve" ||
    skip 'a sanitizer needs what the sandbox forbids'
}

# booted <script: run it, after helpers/booted.sh, as the one service of a
# system. Its root is an overlay of this one, in a mount namespace: nothing
# that it does stays.
booted() {
  local dir=$BATS_TEST_TMPDIR status=0
  can_boot
  mkdir -p "$dir/root" "$dir/out"
  cat "$BATS_TEST_DIRNAME/helpers/booted.sh" - >"$dir/out/script"
  cat >"$dir/test.service" <<'END'
[Unit]
Wants=basic.target dbus.socket
After=basic.target dbus.socket
[Service]
Type=oneshot
ExecStart=/bin/bash /out/script
WorkingDirectory=/tmp
StandardOutput=file:/out/log
StandardError=file:/out/log
ExecStopPost=/bin/systemctl exit ${EXIT_STATUS}
END
  # shellcheck disable=SC2016
  timeout -k 5 90 unshare --mount --propagation private sh -c '
    mount --bind / "$1" && root=$1 && shift && exec systemd-nspawn -D "$root" "$@"
    ' sh "$dir/root" -q --volatile=overlay --boot --register=no --keep-unit \
    --machine="$MACHINE" --private-network --console=pipe \
    --bind="$dir/out:/out" --bind-ro="$STAGE/usr/local:/usr/local" \
    --bind-ro="$dir/test.service:/etc/systemd/system/test.service" \
    systemd.unit=test.service </dev/null >"$dir/console" 2>&1 3>&- || status=$?
  [ "$status" = 0 ] || cat "$dir/console"
  cat "$dir/out/log"
  return $status
}

@test "a script that fails in the container fails here" {
  can_boot
  run booted <<<'false'
  [ "$status" = 1 ]
  [[ $output == *'failed: '*': false'* ]]
  run booted <<<'exit 7'
  [ "$status" = 7 ]
}

@test "without a configuration the socket does not start, and says so" {
  booted <<'END'
    rm -rf /etc/chat
    refute systemctl start chat-sse-serve.socket
    refute curl -s $url/health
    journalctl -b -o cat | grep -q 'Assertion failed.*chat-sse-serve'
END
}

@test "a request is answered, over the loopback interface only" {
  booted <<'END'
    configure CHANNELS=room
    systemctl start chat-sse-serve.socket
    [ "$(curl -fsS $url/health)" = ok ]
    [ "$(awk '$2 ~ /:1F90$/ && $4 == "0A" { print $2 }' /proc/net/tcp*)" = \
      0100007F:1F90 ]
    until_true no_connections
END
}

@test "events come as they are published, and resume behind the last one" {
  booted <<'END'
    redis_start
    configure 'CHANNELS=lobby news-*' OPTIONS=--publish
    systemctl start chat-sse-serve.socket
    curl -fsS $url/health/ready
    follow first /chat/lobby/events
    until_true has first 'event: chat-open'
    chat-pub lobby one
    until_true has first 'data: one'
    curl -fsS -d data=two $url/chat/lobby/messages
    until_true has first 'data: two'
    last=$(grep ^id: first | tail -n 1)
    kill %1
    chat-pub lobby three
    follow second -H "Last-Event-ID: ${last#id: }" /chat/lobby/events
    until_true has second 'data: three'
    refute has second 'data: two'
    refute grep chat-gap second
    chat-pub news-a here
    follow third '/chat/news-a/events?last=1'
    until_true has third 'data: here'
    [ "$(curl -so /dev/null -w '%{http_code}' $url/chat/other/events)" = 404 ]
END
}

@test "the journal has the messages and the address, the client has neither" {
  booted <<'END'
    redis_start
    configure CHANNELS=lobby
    chat-pub lobby payload
    systemctl start chat-sse-serve.socket
    follow events --interface 127.0.0.7 '/chat/lobby/events?last=1'
    until_true has events 'data: payload'
    kill %1
    until_true journal '127.0.0.7 lobby client-gone'
    journalctl -b -o json -t chat-sse-serve |
      jq -se 'all(.[]; .PRIORITY == "6" and (._PID | tonumber > 1))'
    refute grep 127.0.0.7 events
    refute grep -F chat-sse-serve events
    refute grep -F payload <(journalctl -b -o cat)
END
}

@test "a failure is told in the journal and leaves no failed unit" {
  booted <<'END'
    configure CHANNELS=-bad
    systemctl start chat-sse-serve.socket
    refute curl -sS $url/health
    until_true journal 'channel -bad'
    until_true no_connections
    [ "$(systemctl list-units --failed --no-legend | wc -l)" = 0 ]
    configure CHANNELS=good
    curl -fsS $url/health
    refute grep 'unset environment variable' <(journalctl -b -o cat)
END
}

@test "one address may have no more connections than configured" {
  booted <<'END'
    redis_start
    configure CHANNELS=room
    drop_in chat-sse-serve.socket <<<$'[Socket]\nMaxConnectionsPerSource=3'
    systemctl start chat-sse-serve.socket
    for i in 1 2 3; do
      follow open$i /chat/room/events
      until_true has open$i 'event: chat-open'
    done
    refute curl -s $url/health
    [ "$(connections)" = 3 ]
    curl -fsS --interface 127.0.0.2 $url/health
    [ "$(systemctl show -P NRefused chat-sse-serve.socket)" = 1 ]
    kill %2
    until_true curl -fsS $url/health
END
}

@test "connections survive the end of the socket, and nothing is left of them" {
  booted <<'END'
    redis_start
    configure CHANNELS=room
    systemctl start chat-sse-serve.socket
    follow events /chat/room/events
    until_true has events 'event: chat-open'
    systemctl stop chat-sse-serve.socket
    refute curl -s $url/health
    chat-pub room afterwards
    until_true has events 'data: afterwards'
    [ "$(connections)" = 1 ]
    systemctl stop 'chat-sse-serve@*'
    wait %1
    [ "$(tail -c 1 events | od -An -c | tr -d ' ')" = '\n' ]
    until_true no_connections
    refute pgrep chat-sse-serve
    refute grep name=chat-sse-serve <(redis-cli client list)
    [ "$(systemctl list-units --failed --no-legend | wc -l)" = 0 ]
END
}

# The two lines that are commented out in the unit.
@test "the password comes as a credential" {
  booted <<'END'
    redis_start --requirepass secret
    configure CHANNELS=room
    systemctl start chat-sse-serve.socket
    [ "$(curl -so /dev/null -w '%{http_code}' $url/health/ready)" = 503 ]
    (umask 077 && echo secret >/etc/chat/redis-password)
    {
      echo '[Service]'
      sed -n 's/^#\([A-Z][A-Za-z]*=\)/\1/p' \
        /usr/local/lib/systemd/system/chat-sse-serve@.service
    } | drop_in chat-sse-serve@.service
    curl -fsS $url/health/ready
    refute grep -F secret <(journalctl -b -o cat)
END
}

@test "a socket of Redis is reached through the group that may use it" {
  booted <<'END'
    groupadd -f redis-test
    mkdir -m 755 /run/redis-test
    redis_run --port 0 --unixsocket /run/redis-test/s --unixsocketperm 770
    until_true test -S /run/redis-test/s
    chgrp redis-test /run/redis-test/s
    configure CHANNELS=room CHAT_URL=unix:///run/redis-test/s
    systemctl start chat-sse-serve.socket
    [ "$(curl -so /dev/null -w '%{http_code}' $url/health/ready)" = 503 ]
    drop_in chat-sse-serve@.service \
      <<<$'[Service]\nSupplementaryGroups=redis-test\nPrivateNetwork=yes'
    curl -fsS $url/health/ready
END
}

@test "the service has no rights, and is nobody in particular" {
  booted <<'END'
    redis_start
    configure CHANNELS=room
    systemctl start chat-sse-serve.socket
    follow one /chat/room/events
    follow two /chat/room/events
    until_true has one 'event: chat-open'
    until_true has two 'event: chat-open'
    [ "$(pgrep -c chat-sse-serve)" = 2 ]
    [ "$(ps -o uid= -C chat-sse-serve | sort -u | wc -l)" = 1 ]
    [ "$(ps -o uid= -C chat-sse-serve | sort -u)" -ge 61184 ]
    for pid in $(pgrep chat-sse-serve); do
      grep -qx 'NoNewPrivs:.1' /proc/$pid/status
      grep -qx 'CapEff:.0*' /proc/$pid/status
      grep -qx 'Seccomp:.2' /proc/$pid/status
    done
END
}

# --- One process for all ------------------------------------------------------

# What chat-sse-serve(1) says.
accept_no() {
  cat <<'END'
    redis_start
    configure CHANNELS=room OPTIONS=--publish
    drop_in chat-sse-serve.socket <<<$'[Socket]\nAccept=no'
    systemctl start chat-sse-serve.socket
END
  cat
}

@test "with Accept=no one process serves all, and has no rights" {
  accept_no <<'END' | booted
    refute systemctl is-active chat-sse-serve.service
    for i in one two; do
      follow $i /chat/room/events
      until_true has $i 'event: chat-open'
    done
    curl -fsS -d data=hello $url/chat/room/messages
    for i in one two; do
      until_true has $i 'data: hello'
    done
    [ "$(pgrep -c chat-sse-serve)" = 1 ]
    no_connections
    shown() {
      [ "$(systemctl show -P StatusText chat-sse-serve.service)" = "$1" ]
    }
    until_true shown '2 clients'
    kill %1
    until_true shown '1 client'
    until_true journal '127.0.0.1 room client-gone'
    refute journal 'limit of open files'
    pid=$(pgrep chat-sse-serve)
    grep -qx 'NoNewPrivs:.1' /proc/$pid/status
    grep -qx 'CapEff:.0*' /proc/$pid/status
    grep -qx 'Seccomp:.2' /proc/$pid/status
END
}

@test "a restart of that process keeps the socket, and loses nothing" {
  accept_no <<'END' | booted
    follow one /chat/room/events
    until_true has one 'event: chat-open'
    chat-pub room before
    until_true has one 'data: before'
    systemctl restart --no-block chat-sse-serve.service
    for i in {1..20}; do
      curl -fsS $url/health
      chat-pub room "meanwhile $i"
    done
    wait %1
    last=$(grep ^id: one | tail -n 1)
    follow two -H "Last-Event-ID: ${last#id: }" /chat/room/events
    until_true has two 'data: meanwhile 20'
    [ "$(cat one two | grep -c '^data: meanwhile')" = 20 ]
    [ "$(systemctl show -P Result chat-sse-serve.service)" = success ]
END
}

@test "a restart refuses nobody who comes meanwhile" {
  accept_no <<'END' | booted
    # Each of them again and again, over two restarts.
    come() {
      local i
      for ((i = 0; i < 100; i++)); do
        curl -sS -o /dev/null -w '%{http_code}\n' $url/health
      done &>"come$1"
    }
    configure CHANNELS=room 'OPTIONS=--drain 1s'
    curl -fsS $url/health
    for i in {1..5}; do
      follow c$i /chat/room/events
      come $i &
      comers+=($!)
    done
    systemctl restart chat-sse-serve.service
    systemctl restart chat-sse-serve.service
    wait "${comers[@]}"
    [ "$(cat come? | sort | uniq -c | xargs)" = '500 200' ]
END
}

@test "a reload of that process reads the configuration, and keeps its clients" {
  accept_no <<'END' | booted
    follow one /chat/room/events
    until_true has one 'event: chat-open'
    pid=$(pgrep chat-sse-serve)
    printf '[chat-sse-serve]\nmax-size = 1\n' >/etc/chat/chat.conf
    systemctl reload chat-sse-serve.service
    until_true journal 'the options are read again'
    refute curl -fs -d data=large $url/chat/room/messages
    echo nonsense >/etc/chat/chat.conf
    systemctl reload chat-sse-serve.service
    until_true journal 'all stays as it is'
    [ "$(systemctl is-active chat-sse-serve.service)" = active ]
    printf '[chat-sse-serve]\nmax-size = 1k\n' >/etc/chat/chat.conf
    systemctl reload chat-sse-serve.service
    until_true curl -fsS -d data=hello $url/chat/room/messages
    until_true has one 'data: hello'
    [ "$(pgrep chat-sse-serve)" = "$pid" ]
END
}

# What chat-sse-serve(1) says.
@test "several such processes share the port, and each can be restarted" {
  accept_no <<'END' | booted
    cd /etc/systemd/system
    {
      systemctl cat chat-sse-serve.socket
      echo '[Socket]'
      echo ReusePort=yes
    } >chat-sse-many@.socket
    systemctl cat chat-sse-serve.service >chat-sse-many@.service
    systemctl stop chat-sse-serve.socket
    systemctl enable --now chat-sse-many@{1,2}.socket
    cd /tmp
    for i in {1..30}; do
      follow c$i /chat/room/events
    done
    for i in {1..30}; do
      until_true has c$i 'event: chat-open'
    done
    [ "$(pgrep -c chat-sse-serve)" = 2 ]
    systemctl restart --no-block chat-sse-many@1.service
    for i in {1..30}; do
      curl -fsS $url/health
    done
    until_true systemctl is-active chat-sse-many@1.service
    [ "$(pgrep -c chat-sse-serve)" = 2 ]
    systemctl stop 'chat-sse-many@*'
    refute pgrep chat-sse-serve
    [ "$(systemctl list-units --failed --no-legend | wc -l)" = 0 ]
END
}

@test "that process is started again when it hangs" {
  accept_no <<'END' | booted
    drop_in chat-sse-serve.service <<<$'[Service]\nWatchdogSec=1'
    curl -fsS $url/health
    sleep 1.5
    [ "$(systemctl show -P NRestarts chat-sse-serve.service)" = 0 ]
    kill -STOP $(pgrep chat-sse-serve)
    curl -fsS $url/health
    [ "$(systemctl show -P NRestarts chat-sse-serve.service)" = 1 ]
END
}

@test "a failure of that process is told, and not tried for ever" {
  accept_no <<'END' | booted
    configure CHANNELS=-bad
    refute curl -sS -m 10 $url/health
    until_true journal 'channel -bad'
    until_true systemctl is-failed chat-sse-serve.socket
END
}

@test "nothing of the containers is left" {
  can_boot
  run ! grep -F "$BATS_FILE_TMPDIR" /proc/mounts
  run ! grep -F "$MACHINE" /proc/mounts
  run ! grep -lzF "machine=$MACHINE" /proc/[0-9]*/cmdline
}
