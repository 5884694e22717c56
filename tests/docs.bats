# What is written about the programs is true: man pages, README, completions.

load helpers/common

setup_file() {
  redis_start
  export ROOT=$BATS_TEST_DIRNAME/..
}

teardown_file() {
  redis_stop
}

setup() {
  r flushall
}

teardown() {
  end_spawned
}

# --- Programs and their options, as each document has them ------------------

programs() {
  basename -s .c "$ROOT"/cmd/*.c
}

# A row begins `  -n, --lines N` or `      --user NAME`.
options_of_help() {
  "$1" --help | grep -E '^(  -|      --)' | sed 's/^ *//; s/  .*//' |
    tr , '\n' | awk '{ print $1 }'
}

# `.It Fl n Ar N , Fl -lines Ar N`
options_of_man() {
  grep '^\.It Fl' "$ROOT/man/$1.1" | grep -o 'Fl -*[A-Za-z0-9-]*' |
    sed 's/Fl /-/'
}

options_of_bash() {
  complete_bash "$1" -
}

# What the file hands to _arguments, such as '(-n --lines)-n+[help]:number:'.
options_of_zsh() {
  zsh -fc '_arguments() { print -rl -- $@ }; service=$1; source $2' \
    zsh "$1" "$ROOT/completions/_chat" |
    sed -En 's/^(\([^)]*\))?\*?(-[A-Za-z0-9-]+)[=+]?\[.*/\2/p'
}

options_of_fish() {
  complete_fish "$1 -"
}

# complete_bash PROGRAM WORD...: what could stand for the last word.
complete_bash() {
  # shellcheck disable=SC2016
  bash --norc -c '
    compopt() { :; }
    source "$0"
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    $(complete -p "$1" | sed "s/.*-F \([^ ]*\).*/\1/") "$1"
    ((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"
  ' "$ROOT/completions/chat.bash" "$@"
}

# complete_fish LINE
complete_fish() {
  # shellcheck disable=SC2016
  HOME=$BATS_TEST_TMPDIR fish --no-config -c '
    source $argv[1]; complete -C $argv[2]' \
    "$ROOT/completions/chat.fish" "$1" | cut -f 1
}

same_options() {
  local program
  for program in $(programs); do
    diff <(options_of_help "$program" | sort) \
      <("options_of_$1" "$program" | sort)
  done
}

@test "man pages have exactly the options of --help" {
  same_options man
}

@test "completions for bash have exactly the options of --help" {
  same_options bash
}

@test "completions for zsh have exactly the options of --help" {
  command -v zsh || skip 'no zsh'
  same_options zsh
}

@test "completions for fish have exactly the options of --help" {
  command -v fish || skip 'no fish'
  same_options fish
}

@test "every program has a man page, and every page a program" {
  diff <(programs | sort) <(basename -s .1 "$ROOT"/man/*.1 | sort)
}

@test "-V is the version of the Makefile, for every program" {
  local program version
  version=$(sed -n 's/^VERSION = //p' "$ROOT/Makefile")
  for program in $(programs); do
    [ "$($program -V)" = "$program $version" ]
    [ "$($program --version)" = "$program $version" ]
  done
}

# --- Man pages --------------------------------------------------------------

# As if they were installed, so that they find each other.
@test "man pages pass the linter" {
  local page dir=$BATS_TEST_TMPDIR
  for page in "$ROOT"/man/*.[1-8]; do
    mkdir -p "$dir/man${page##*.}"
    cp "$page" "$dir/man${page##*.}"
  done
  makewhatis "$dir"
  MANPATH=$dir mandoc -Tlint -Wstyle "$dir"/man?/*
}

@test "every program's page has all its sections, in order" {
  local page
  for page in "$ROOT"/man/*.1; do
    diff <(grep -E '^\.Sh (NAME|SYN|DESC|ENV|EXIT|EX|SEE|CAV)' "$page") - <<'END'
.Sh NAME
.Sh SYNOPSIS
.Sh DESCRIPTION
.Sh ENVIRONMENT
.Sh EXIT STATUS
.Sh EXAMPLES
.Sh SEE ALSO
.Sh CAVEATS
END
  done
}

@test "chat(7) names every variable that sets an option" {
  local program
  for program in $(programs); do
    $program --help | grep -o '\[CHAT_[A-Z_]*\]' | tr -d '[]'
  done | sort -u >"$BATS_TEST_TMPDIR/variables"
  [ -s "$BATS_TEST_TMPDIR/variables" ]
  while read -r name; do
    grep -q "^\.It Ev .*$name" "$ROOT/man/chat.7"
  done <"$BATS_TEST_TMPDIR/variables"
}

@test "chat(7) has exactly the directives that a format takes" {
  local c
  for c in {A..Z} {a..z} % '{F}'; do
    if chat-replay -F "%$c" nowhere 2>/dev/null; then
      echo "%$c"
    fi
  done | sort >"$BATS_TEST_TMPDIR/taken"
  sed -En 's/^\.It Li (\\&)?(%\S+) Ta .*/\2/p' "$ROOT/man/chat.7" | sort |
    diff "$BATS_TEST_TMPDIR/taken" -
}

@test "chat(7) has every named format" {
  local name
  for name in raw id log json; do
    chat-replay -F $name nowhere
    grep -Eq "^\.Cm $name\$" "$ROOT/man/chat.7"
  done
}

# --- Examples ---------------------------------------------------------------

# What the examples find: two channels of text, one of JSON.
fill() {
  chat-pub room one 'hello, world' two
  chat-pub news 'hello from elsewhere'
  chat-pub orders '{"id":7,"total":3}'
}

# run_examples <literal lines
run_examples() {
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir "$HOME"
  cd "$HOME"
  seq 20 >app.log
  cat >lines
  spawn examples sh -c \
    "$ROOT/tests/helpers/examples.sh $(free_port) <lines; echo \$? >status"
  # Not until it is gone: a server that it has started may outlive it.
  wait_until 60 test -s status
  cat "$BATS_TEST_TMPDIR"/examples.*
  [ "$(cat status)" = 0 ]
}

# The displays of a man page's examples, which are indented further.
examples_of_man() {
  mandoc -Tascii "$ROOT/man/$1" | sed 's/.\x08//g' |
    sed -n '/^EXAMPLES/,/^SEE/s/^ \{11\}//p' >"$BATS_TEST_TMPDIR/lines"
  [ "$(grep -c '^\$ ' "$BATS_TEST_TMPDIR/lines")" = \
    "$(grep -Ec '^(\.Dl )?\$ ' "$ROOT/man/$1")" ]
  run_examples <"$BATS_TEST_TMPDIR/lines"
}

@test "the examples of chat(7) work" {
  fill
  examples_of_man chat.7
}

@test "the examples of chat-message(5) work" {
  fill
  examples_of_man chat-message.5
}

@test "the examples of chat-pub(1) work" {
  fill
  examples_of_man chat-pub.1
}

@test "the examples of chat-replay(1) work" {
  fill
  examples_of_man chat-replay.1
}

@test "the examples of chat-sse-serve(1) work" {
  fill
  examples_of_man chat-sse-serve.1
}

@test "the examples of chat-tail(1) work" {
  fill
  examples_of_man chat-tail.1
}

@test "the tour of the README works" {
  awk '
    /^## / { tour = /^## A tour/ }
    /^```/ { inside = !inside; shown = tour && inside && $0 == "```"; next }
    shown' "$ROOT/README.md" | run_examples
}

@test "an example that fails, or prints something else, is noticed" {
  local lines
  for lines in '$ false' $'$ echo a\nb' $'$ echo a\nb\n...' \
    '$ chat-tail -e nowhere --oops' '$ chat-replay -a 1-1 room' 'nothing' ''; do
    run ! "$ROOT/tests/helpers/examples.sh" 1 <<<"$lines"
  done
  "$ROOT/tests/helpers/examples.sh" 1 <<<$'$ echo a; echo b; echo c\na\n...\nc'
}

# --- README -----------------------------------------------------------------

@test "the README names every program, and goals that exist" {
  local word
  for word in $(programs); do
    grep -q "^| \`$word\` |" "$ROOT/README.md"
  done
  while read -r word; do
    grep -Eq "^([a-z-]+ )*$word( [a-z-]+)*:" "$ROOT/Makefile"
  done < <(grep -oE '(`|^    )(sudo )?make( [a-z]+)+' "$ROOT/README.md" |
    sed 's/.*make //' | tr ' ' '\n')
}

# --- Completion, as the shells do it ----------------------------------------

@test "bash completes options, words and files" {
  [ "$(complete_bash chat-tail --cur)" = --cursor-file ]
  [ "$(complete_bash chat-tail --escape al)" = always ]
  [ "$(complete_bash chat-tail --escape = n)" = never ]
  [ "$(complete_bash chat-replay --on-gap =)" = $'report\nstop' ]
  [ "$(complete_bash chat-pub -F j)" = json ]
  touch "$BATS_TEST_TMPDIR/page.html"
  [ "$(complete_bash chat-sse-serve --page "$BATS_TEST_TMPDIR/pa")" = \
    "$BATS_TEST_TMPDIR/page.html" ]
  [ -z "$(complete_bash chat-tail -c '')" ]
  [ -z "$(complete_bash chat-tail '')" ]
}

@test "fish completes options, words and files" {
  command -v fish || skip 'no fish'
  [ "$(complete_fish 'chat-tail --cur')" = --cursor-file ]
  [ "$(complete_fish 'chat-tail --escape al')" = always ]
  [ "$(complete_fish 'chat-replay --on-gap=s')" = --on-gap=stop ]
  [ "$(complete_fish 'chat-pub -F j')" = json ]
  cd "$BATS_TEST_TMPDIR"
  touch page.html
  [ "$(complete_fish 'chat-sse-serve --page pa')" = page.html ]
  [ -z "$(complete_fish 'chat-tail pa')" ]
}

# zsh_types TEXT WANT: in a zsh with completion, TEXT becomes WANT.
zsh_types() {
  HOME=$BATS_TEST_TMPDIR TERM=dumb expect -f - "$1" "$2" <<'END'
    set timeout 20
    log_user 0
    lassign $argv text want
    spawn zsh -f -i
    send "fpath=($env(ROOT)/completions \$fpath); autoload -Uz compinit\r"
    send "compinit -u -D; PS1=re; PS1+='ady> '\r"
    expect -ex "ready> " {} default { exit 1 }
    send $text
    expect -ex $want {} default { puts $expect_out(buffer); exit 1 }
    send "\x15exit\r"
    expect eof
END
}

@test "zsh completes options, words and files" {
  command -v zsh || skip 'no zsh'
  zsh_types $'chat-tail --cur\t' 'chat-tail --cursor-file='
  zsh_types $'chat-tail --escape=al\t' 'chat-tail --escape=always'
  zsh_types $'chat-replay --on-gap st\t' 'chat-replay --on-gap stop'
  zsh_types $'chat-pub -F j\t' 'chat-pub -F json'
  cd "$BATS_TEST_TMPDIR"
  touch page.html
  zsh_types $'chat-sse-serve --page=pa\t' 'chat-sse-serve --page=page.html'
}
