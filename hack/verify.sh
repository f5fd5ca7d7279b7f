#!/usr/bin/env bash
# Fails if generating, tidying or formatting changes a file, or if the linter or
# hack/prose finds a problem. In a clean checkout the files have to match the commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Every file that is or could be committed, with its content's hash.
snapshot() {
  git ls-files --cached --others --exclude-standard -z | sort -z | while IFS= read -r -d '' file; do
    [[ -f $file ]] && printf '%s %s\n' "$(git hash-object "$file")" "$file"
  done
}

before=$(snapshot)
make --no-print-directory generate tidy format
after=$(snapshot)
if [[ $before != "$after" ]]; then
  echo "verify: these files were not up to date; run make generate tidy format, and commit:" >&2
  diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9a-f]* /  /p' | sort -u >&2
  exit 1
fi
make --no-print-directory lint
# Sentences that readers stumble over, in percent of a package's.
go run ./hack/prose -max 1
