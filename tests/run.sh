#!/bin/sh
# Run tests that print TAP, several at a time, and add up their points.
#
#   BUILD=DIR [JOBS=N] [TEST_TIMEOUT=S] [WRAP=valgrind] tests/run.sh TEST...
#
# BUILD is absolute. A TEST is a .bats file, a unit test program, or a fuzz
# target, which then gets the files of its corpus. The output of each is kept in
# BUILD/tests/log/. Points that the plan promised and that did not come count as
# failed, and so does a test that ends in failure without saying why.
set -u

logs=$BUILD/tests/log
reports=$logs/reports

memcheck() {
  echo valgrind -q --error-exitcode=99 --leak-check=full \
    --errors-for-leak-kinds=definite --log-file="$reports/valgrind.%p"
}

# Programs for the bats files, each under valgrind.
wrap_programs() {
  mkdir -p "$logs/bin"
  for p in "$BUILD"/chat-*; do
    [ -x "$p" ] || continue
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$(memcheck)" "$p" \
      >"$logs/bin/${p##*/}"
    chmod +x "$logs/bin/${p##*/}"
  done
}

# Becomes the test itself, so that a signal ends that.
produce() {
  wrap=
  if [ -n "${WRAP-}" ]; then
    wrap=$(memcheck)
  fi
  case $1 in
    *.bats)
      if [ -n "$wrap" ]; then
        BUILD=$logs/bin
      fi
      exec bats --tap --print-output-on-failure "$1"
      ;;
    */tests/fuzz/*) exec $wrap "$1" "tests/fuzz/corpus/${1##*/}"/* ;;
    *) exec $wrap "$1" ;;
  esac
}

# Prints: passed, failed, skipped points.
count() {
  awk -v status="$2" '
    /^1\.\.[0-9]+/ { plan = substr($1, 4) }
    /^ok .*# skip/ { skipped++; next }
    /^ok / { passed++ }
    /^not ok / { failed++ }
    END {
      n = passed + failed + skipped
      if (n < plan)
        failed += plan - n
      else if ((status != 0 && !failed) || plan == "" || n == 0)
        failed++
      print passed + 0, failed + 0, skipped + 0
    }' "$1"
}

# run_one TEST: run it, keep its log and its counts, say one line.
run_one() {
  name=$(printf %s "${1##*tests/}" | tr / -)
  start=$(date +%s)
  timeout --foreground -k 10 "${TEST_TIMEOUT:-600}" "$0" --produce "$1" \
    </dev/null >"$logs/$name.tap" 2>&1
  status=$?
  [ $status = 0 ] || echo "# exit status $status" >>"$logs/$name.tap"
  count "$logs/$name.tap" $status >"$logs/$name.count"
  read -r passed failed skipped <"$logs/$name.count"
  [ "$failed" = 0 ] && verdict=ok || verdict=FAIL
  printf '%-4s %5d  %s%s (%d s)\n' "$verdict" "$passed" "$name" \
    "$([ "$skipped" = 0 ] || echo ", $skipped skipped")" \
    $(($(date +%s) - start))
}

# What went wrong in those that failed, and what was left out.
explain() {
  for c in "$logs"/*.count; do
    read -r passed failed skipped <"$c"
    log=${c%.count}.tap
    if [ "$failed" != 0 ]; then
      printf '\n%s\n' "--- $log: $failed failed"
      grep -av '^ok ' "$log" | tail -n 150
    fi
    if [ "$skipped" != 0 ]; then
      grep -ai '^ok .*# skip' "$log" | sed 's/^ok [0-9]* /skipped: /'
    fi
  done
  find "$reports" -type f -size +0 | while read -r f; do
    printf '\n%s\n' "--- $f"
    head -n 60 "$f"
  done
}

# The last line: a report of a sanitizer or valgrind is a failure, too.
total() {
  reported=$(find "$reports" -type f -size +0 | wc -l)
  cat "$logs"/*.count | awk -v failed="$reported" '
    { passed += $1; failed += $2 }
    END {
      printf "%d passed, %d failed\n", passed, failed
      exit failed > 0 || passed == 0
    }'
}

case ${1-} in
  --one) run_one "$2"; exit ;;
  --produce) produce "$2" ;;
esac

rm -rf "$logs"
mkdir -p "$reports"
# shellcheck disable=SC2046 # one word for each
unset REDISCLI_AUTH $(env | sed -n 's/^\(CHAT_[A-Z_]*\)=.*/\1/p')
[ -z "${WRAP-}" ] || wrap_programs
export BUILD WRAP="${WRAP-}" LC_ALL=C.UTF-8 TZ=UTC
export BATS_TEST_TIMEOUT="${BATS_TEST_TIMEOUT:-120}"
export ASAN_OPTIONS="detect_leaks=1:halt_on_error=1:log_path=$reports/asan"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:log_path=$reports/ubsan"
export TSAN_OPTIONS="halt_on_error=1:log_path=$reports/tsan"

printf '%s\n' "$@" |
  xargs -P "${JOBS:-$(($(nproc) * 2))}" -d '\n' -n 1 "$0" --one
explain
total
