#!/usr/bin/env bash
# Makes protocol/processor.js and its types from processor.proto, or in another folder:
#
#   generate.sh [FOLDER]
#
# It needs the packages that npm ci installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

node_modules/.bin/pbjs --target static-module --wrap esm --root millrace --dts --null-semantics \
  --no-create --no-verify --no-convert --no-delimited --no-typeurl --no-service \
  --out "${1:-protocol}/processor.js" ../protocol/processor.proto
