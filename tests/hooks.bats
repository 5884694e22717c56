# The rules for commits, as the hooks see them.

bats_require_minimum_version 1.5.0

hook=$BATS_TEST_DIRNAME/../.githooks/commit-msg

takes() {
  printf '%b' "$1" >"$BATS_TEST_TMPDIR/msg"
  "$hook" "$BATS_TEST_TMPDIR/msg"
}

@test "a subject names its area" {
  takes 'wire/json: refuse lone surrogates\n'
  takes 'chat-tail, chat-replay: share the cursor file\n'
  takes '.ci: run memcheck\n'
  run ! takes 'refuse lone surrogates\n'
  run ! takes 'json:refuse\n'
  run ! takes ': refuse\n'
  run ! takes ''
}

@test "a subject has at most 60 columns and no full stop" {
  subject="doc: $(printf '%055d' 0)"
  takes "$subject\n"
  run ! takes "${subject}0\n"
  takes 'doc: Zürich\n'
  run ! takes 'doc: end.\n'
}

@test "columns are characters, not bytes" {
  takes "doc: $(printf 'ü%.0s' {1..55})\n"
}

@test "the second line is blank" {
  takes 'area: what\n\nWhy.\nMore.\n'
  run ! takes 'area: what\nWhy.\n'
}

@test "comments and the diff below the scissors do not count" {
  takes 'area: what\n# comment\n\n# ---- >8 ----\ndiff\n'
}

@test "git's own subjects pass" {
  takes 'Merge branch topic\n'
  takes 'fixup! area: what that is very long indeed, longer than 60 columns\n'
  takes 'Revert "area: what"\n\nThis reverts it.\n'
}

@test "pre-commit looks at what is staged" {
  command -v clang-format >/dev/null || skip 'no clang-format'
  cd "$BATS_TEST_TMPDIR"
  git init -q .
  mkdir -p lib/base lib/io cmd tests/lint
  cp "$BATS_TEST_DIRNAME/../.clang-format" .
  cp "$BATS_TEST_DIRNAME/lint/layers.sh" tests/lint
  pre_commit=$BATS_TEST_DIRNAME/../.githooks/pre-commit

  printf 'int a;\n' >lib/base/a.c
  git add .
  "$pre_commit"
  printf 'int  a ;\n' >lib/base/a.c
  "$pre_commit"
  git add .
  run ! "$pre_commit"
  printf '#include "io/b.h"\n' >lib/base/a.c
  git add .
  run ! "$pre_commit"
  [[ $output == *'lies higher'* ]]
}
