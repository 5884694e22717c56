#!/bin/sh
# All that is shell passes shellcheck.
set -eu

find .ci .githooks -type f -exec shellcheck {} +
find tests completions \( -name '*.sh' -o -path 'completions/*.bash' \) \
  -exec shellcheck {} +

# bats runs with errexit: a failed cd ends the test; `run` sets variables.
find tests -name '*.bats' \
  -exec shellcheck -s bats -S warning -e SC2154,SC2164 {} +

# What these define is used elsewhere.
find tests -name '*.bash' \
  -exec shellcheck -s bats -S warning -e SC2034,SC2120,SC2154,SC2164 {} +
