#!/usr/bin/env bash
# Tests Go packages without the race detector, and beside them, since most of their tests
# wait, the SDKs that are installed. The detector changes the memory in use and the way
# connections are read.
#
#   hack/test-beside.sh PACKAGE...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

plain=
if [[ $# -gt 0 ]]; then
  go test -timeout 45m "$@" &
  plain=$!
fi

failed=0
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
