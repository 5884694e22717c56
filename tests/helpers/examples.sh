#!/bin/bash
# examples.sh PORT <lines: run the examples of a document, as in a terminal.
#
# A line `$ COMMAND` is run, together with those that continue it behind `\` or
# `|`. What follows up to the next command is the output to be expected, if
# anything does; a line `...` stands for any lines. A command that follows a
# channel is ended after a second. 8080 stands for PORT.
#
# Prints what went wrong; the exit status is 1 if anything did. Commands share
# one shell, in the current directory.
set -a # for the commands that follow

port=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
commands=()
outputs=()

# The ones that the user of the document would have on the usual port.
redis-cli() {
  command redis-cli -s "$REDIS_SOCK" "$@"
}

read_lines() {
  local line n=-1 continued=
  while IFS= read -r line; do
    if [[ -n $continued ]]; then
      commands[n]+=$'\n'$line
    elif [[ $line == '$ '* ]]; then
      n=$((n + 1))
      commands[n]=${line#'$ '}
      outputs[n]=
    elif ((n < 0)); then
      echo "not a command: $line"
      exit 1
    else
      outputs[n]+=$line$'\n'
      continue
    fi
    continued=
    [[ $line != *[\\\|] ]] || continued=yes
  done
}

follows() {
  local ends=' -[a-z0-9]*[ecwWU]( |$)'
  case $1 in
    *chat-tail\ *) [[ ! $1 =~ $ends ]] ;;
    *'curl -N '* | *'curl -sN '*) true ;;
    *) false ;;
  esac
}

listens() {
  grep -q ":$(printf %04X "$port") 0*:0000 0A" /proc/net/tcp
}

# One that serves in the background has to be there first.
wait_for_server() {
  local i
  [[ $1 == *LISTEN*\& ]] || return 0
  for ((i = 0; i < 200; i++)); do
    ! listens || return 0
    sleep 0.05
  done
  return 1
}

run_one() {
  if follows "$1"; then
    timeout 1 bash -c "$1" >"$dir/output" 2>"$dir/errors"
    (($? == 124))
  else
    eval "$1" >"$dir/output" 2>"$dir/errors" && wait_for_server "$1"
  fi
}

matches() {
  local pattern
  pattern=$(sed 's/[][*?\\]/\\&/g; s/^\.\.\.$/*/' <<<"$1")
  # shellcheck disable=SC2053 # a pattern
  [[ -z $1 || $(<"$dir/output") == $pattern ]]
}

read_lines
status=0
((${#commands[@]} > 0)) || status=1
for i in "${!commands[@]}"; do
  command=${commands[i]//8080/$port}
  if ! run_one "$command" || ! matches "${outputs[i]}" ||
    grep -Eq '^chat-[a-z-]+: (error|warn)' "$dir/errors"; then
    printf -- '--- %s\n' "$command"
    cat "$dir/output" "$dir/errors"
    status=1
  fi
done
exit $status
