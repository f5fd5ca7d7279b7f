#!/usr/bin/env bash
# Checks the Python SDK's code, types and format, and runs its tests, with the packages that
# make bin/sdk-python/.installed installs. Arguments go to pytest:
#
#   hack/sdks/python.sh -k garbage
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

venv=$PWD/bin/sdk-python
export PYTHONPYCACHEPREFIX=$venv/cache/python MYPY_CACHE_DIR=$venv/cache/mypy RUFF_CACHE_DIR=$venv/cache/ruff

go build -o "$venv/" ./cmd/millrace

cd worker/sdks/python
"$venv/bin/ruff" check --quiet
"$venv/bin/ruff" format --quiet --check
"$venv/bin/mypy" --no-error-summary
"$venv/bin/pytest" "$@"
PYTHONPATH=src "$venv/millrace" conformance --exec "'$venv/bin/python' tests/conformance_app.py"
