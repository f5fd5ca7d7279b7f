#!/usr/bin/env bash
# Checks the TypeScript SDK's code, types and format, and runs its tests, with the packages that
# npm ci installs. Arguments go to node --test:
#
#   hack/sdks/typescript.sh --test-name-pattern garbage
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mkdir -p bin/sdk-typescript
go build -o bin/sdk-typescript/ ./cmd/millrace
millrace=$PWD/bin/sdk-typescript/millrace

cd worker/sdks/typescript
npm run --silent check
npm run --silent pretest
node --test "$@" build/test/*.test.js
"$millrace" conformance --exec "node build/test/conformance-app.js"
