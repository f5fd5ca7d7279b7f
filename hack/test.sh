#!/usr/bin/env bash
# Runs the tests of the Go packages, and then those of the SDKs that are installed.
#
#   hack/test.sh [-race]
#
# The race detector changes the memory in use and the way connections are read, so with
# -race some packages are tested without it too, beside the others: their tests mostly wait.
# Those of the engine take longest, so they begin first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
plain=
if [[ ${1-} == -race ]]; then
  go test -p 1 -timeout 45m ./worker/internal/engine ./worker/kafka ./worker/internal/kafka/... &
  plain=$!
fi
go test "$@" -timeout 45m ./worker/internal/engine ./... || failed=1

# test_sdk NAME FILE: FILE is there once the SDK's packages are installed.
test_sdk() {
  [[ ! -e $2 ]] || "hack/sdks/$1.sh" || failed=1
}
test_sdk python bin/sdk-python/.installed
test_sdk rust bin/sdk-rust/.fetched
test_sdk typescript worker/sdks/typescript/node_modules/.package-lock.json
test_sdk java bin/sdk-java/.fetched

[[ -z $plain ]] || wait "$plain" || failed=1
exit "$failed"
