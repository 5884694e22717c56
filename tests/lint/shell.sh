#!/bin/sh
# All that is shell passes shellcheck.
set -eu

find .ci .githooks -type f -exec shellcheck {} +
find tests completions \( -name '*.sh' -o -path 'completions/*.bash' \) \
  -exec shellcheck {} +

# bats runs with errexit, so that a failed cd ends the test; variables go from
# `run`, from file to file and into functions unseen.
find tests \( -name '*.bats' -o -name '*.bash' \) \
  -exec shellcheck -s bats -S warning -e SC2034,SC2120,SC2154,SC2164 {} +
