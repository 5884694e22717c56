# make install, uninstall and dist, each in a copy of the tree.

bats_require_minimum_version 1.5.0

setup_file() {
  # Not the variables, targets and job server of the make that runs this.
  unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD CC CFLAGS LDFLAGS SAN
  export TREE=$BATS_FILE_TMPDIR/tree
  mkdir "$TREE"
  find "$BATS_TEST_DIRNAME/.." -mindepth 1 -maxdepth 1 \
    ! -name build ! -name .git -exec cp -a -t "$TREE" {} +
  cd "$TREE"
  make -s -j2 CFLAGS=-O1 PREFIX=/opt/chat
}

setup() {
  cd "$TREE"
  STAGE=$BATS_TEST_TMPDIR/stage
}

to_stage() {
  make -s CFLAGS=-O1 PREFIX=/opt/chat DESTDIR="$STAGE" "$@"
}

# What is below the prefix, one path a line.
staged() {
  (cd "$STAGE/opt/chat" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort)
}

names() {
  for f in cmd/*.c; do
    basename "$f" .c
  done
}

@test "install puts programs, pages, units and completions in their places" {
  to_stage install
  {
    for n in $(names); do
      echo "bin/$n"
      echo "share/bash-completion/completions/$n"
      echo "share/fish/vendor_completions.d/$n.fish"
    done
    for f in man/*.[1-8]; do
      echo "share/man/man${f##*.}/${f#man/}"
    done
    for f in cmd/*.socket cmd/*.service; do
      echo "lib/systemd/system/${f#cmd/}"
    done
    echo share/zsh/site-functions/_chat
    printf 'share/chat/%s\n' chat-sse-serve.html chat.bash chat.fish
  } | LC_ALL=C sort >"$BATS_TEST_TMPDIR/want"
  staged | diff "$BATS_TEST_TMPDIR/want" -
}

@test "nothing is installed beside the prefix" {
  to_stage install
  [ "$(find "$STAGE" ! -type d ! -path "$STAGE/opt/chat/*" | wc -l)" = 0 ]
}

@test "installed programs run; each has its man page" {
  to_stage install
  for n in $(names); do
    "$STAGE/opt/chat/bin/$n" --version
    [ -s "$STAGE/opt/chat/share/man/man1/$n.1" ]
  done
}

@test "modes do not depend on the umask" {
  (umask 077 && to_stage install)
  run find "$STAGE" -type f -path '*/bin/*' ! -perm 755
  [ "$output" = '' ]
  run find "$STAGE" -type f ! -path '*/bin/*' ! -perm 644
  [ "$output" = '' ]
  run find "$STAGE/opt/chat" -type d ! -perm 755
  [ "$output" = '' ]
}

@test "links lead to files of the same installation" {
  to_stage install
  mv "$STAGE" "$STAGE.moved"
  run find "$STAGE.moved" -xtype l
  [ "$output" = '' ]
}

@test "units name the programs where they are" {
  to_stage install
  run ! grep -r '@[A-Z]*@' "$STAGE/opt/chat/lib/systemd/system"
  grep -rq '^ExecStart=-*/opt/chat/bin/chat-sse-serve' \
    "$STAGE/opt/chat/lib/systemd/system"
}

@test "uninstall removes what install brought and nothing else" {
  mkdir -p "$STAGE/opt/chat/bin" "$STAGE/opt/chat/share/man/man1"
  touch "$STAGE/opt/chat/bin/other" "$STAGE/opt/chat/share/man/man1/other.1"
  to_stage install
  to_stage uninstall
  [ "$(staged)" = $'bin/other\nshare/man/man1/other.1' ]
  [ ! -e "$STAGE/opt/chat/share/chat" ]
}

@test "another user installs what the owner built, and builds nothing" {
  [ "$(id -u)" = 0 ] || skip 'needs root'
  chown -R 65534:65534 .
  find build -exec stat -c '%n %Y %U' {} + >"$BATS_TEST_TMPDIR/before"
  to_stage install
  find build -exec stat -c '%n %Y %U' {} + | diff "$BATS_TEST_TMPDIR/before" -
  run ! make -s DESTDIR="$STAGE" BUILD=not-built install
  [[ $output == *'run make first'* ]]
  chown -R 0:0 .
}

@test "dist is the same every time and builds on its own" {
  git init -q .
  git add -A
  git -c user.name=t -c user.email=t@t commit -qm 'dist: test'
  make -s dist
  mv chat-*.tar.gz "$BATS_TEST_TMPDIR/first.tar.gz"
  touch cmd/*
  make -s dist
  cmp chat-*.tar.gz "$BATS_TEST_TMPDIR/first.tar.gz"
  mkdir "$BATS_TEST_TMPDIR/dist"
  tar -xzf chat-*.tar.gz -C "$BATS_TEST_TMPDIR/dist"
  rm chat-*.tar.gz
  make -s -C "$BATS_TEST_TMPDIR"/dist/chat-* CFLAGS=-O1 build/libchat.a
}
