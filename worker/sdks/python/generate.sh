#!/usr/bin/env bash
# Makes src/millrace/_protocol from processor.proto, or below another folder:
#
#   generate.sh [FOLDER]
#
# It needs grpcio-tools, of the extras "dev". PYTHON names the interpreter that has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The path in the proto_path is the name that protobuf knows the file by. All files of a
# process have different ones, and "processor.proto" may be a user's.
"${PYTHON:-python3}" -m grpc_tools.protoc --proto_path=millrace/_protocol=../protocol \
  --python_out="${1:-src}" --pyi_out="${1:-src}" millrace/_protocol/processor.proto
