#!/usr/bin/env bash
# Fills dist/ with the files of a release: archives of the CLI for each platform, the
# bills of materials (SBOM) of the CLI and the images, and the checksums of all files. The same
# commit and toolchain give the same archives, byte for byte.
#
#   hack/release.sh VERSION     after make images and make chart
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:?}
platforms=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p dist
date=$(git log -1 --format=%cI)

for platform in "${platforms[@]}"; do
  name=millrace_${version}_${platform/\//_}
  mkdir -p "$work/$name"
  CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} \
    go build -trimpath -ldflags "-s -w" -o "$work/$name/millrace" ./cmd/millrace
  cp LICENSE README.md "$work/$name/"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime "$date" -C "$work" -cf - "$name" |
    gzip -n >"dist/$name.tar.gz"
  go run ./hack/images --version "$version" --bill "$work/$name/millrace" >"dist/$name.spdx.json"
done
cp bin/images/*.spdx.json dist/
cd dist
rm -f checksums.txt
sha256sum -- * >"$work/checksums.txt"
mv "$work/checksums.txt" .
