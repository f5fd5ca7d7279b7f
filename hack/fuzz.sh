#!/usr/bin/env bash
# Runs every fuzz target of the module, one after another: go test -fuzz takes
# one at a time.
#
#   hack/fuzz.sh [TIME]     for each target, as go test's -fuzztime takes it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:-10s}
git grep -l '^func Fuzz' -- '*_test.go' | while read -r file; do
  package=./$(dirname "$file")
  sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
    echo "$package $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
  done
done
