#!/usr/bin/env bash
# Checks the Rust SDK's code and format, and that its messages are those of the protocol, and
# runs its tests. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export CARGO_TARGET_DIR=$PWD/bin/sdk-rust
go build -o "$CARGO_TARGET_DIR/" ./cmd/millrace

cd worker/sdks/rust
cargo fmt --all --check
cargo run --quiet --locked --package generate -- --check
cargo clippy --quiet --locked --all-targets --all-features -- --deny warnings
cargo test --quiet --locked --all-features "$@"
for arguments in "" " async"; do
  "$CARGO_TARGET_DIR/millrace" conformance --exec "'$CARGO_TARGET_DIR/debug/examples/conformance'$arguments"
done
