#!/usr/bin/env bash
# Builds the programs of the test cluster from source, those that are missing or
# of another version, and prints the directory they are in.
#
#   hack/cluster/binaries.sh apiserver   etcd, kube-apiserver and kubectl: what envtest runs
#   hack/cluster/binaries.sh node        the rest of a cluster of one node too
#   hack/cluster/binaries.sh oldest      what apiserver builds, of the oldest supported Kubernetes
#
# Where KUBEBUILDER_ASSETS names a directory, apiserver prints that and builds nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../.." && pwd)/bin/kubebuilder
stamps=$out/.stamps

say() {
  echo "hack/cluster/binaries.sh: $*" >&2
}

# stamp MODULE : what a program built of the module's versions, and of its own source
# where it has any, is known by.
stamp() {
  find "$here/$1" -maxdepth 1 \( -name go.mod -o -name go.sum -o -name '*.go' \) -print0 |
    sort -z | xargs -0 cat | sha256sum
}

# build MODULE PACKAGE NAME CGO_ENABLED [FLAG...] : the program is there whole or not at all.
build() {
  local module=$1 package=$2 name=$3 cgo=$4
  shift 4
  if [[ -x $out/$name && $(cat "$stamps/$name" 2>/dev/null) == "$(stamp "$module")" ]]; then
    return
  fi
  local started=$SECONDS
  say "building $name ..."
  CGO_ENABLED=$cgo go -C "$here/$module" build -trimpath "$@" -o "$out/.$name.new" "$package"
  mv -f "$out/.$name.new" "$out/$name"
  stamp "$module" >"$stamps/$name"
  say "built $name in $((SECONDS - started)) s"
}

# kubernetes NAME [CGO_ENABLED] [MODULE] : without a version that is a release's,
# clients refuse the programs and they refuse each other.
kubernetes() {
  local version module=${3:-kubernetes}
  version=$(go -C "$here/$module" list -m -f '{{.Version}}' k8s.io/kubernetes)
  local minor=${version#v*.}
  local prefix=k8s.io/component-base/version
  build "$module" "k8s.io/kubernetes/cmd/$1" "$1" "${2:-0}" \
    -ldflags "-s -w -X $prefix.gitVersion=$version -X $prefix.gitMajor=1 -X $prefix.gitMinor=${minor%%.*}"
}

apiserver() {
  build etcd go.etcd.io/etcd/server/v3 etcd 0 -ldflags "-s -w"
  kubernetes kube-apiserver
  kubernetes kubectl
}

oldest() {
  out+=-oldest
  stamps=$out/.stamps
  mkdir -p "$stamps"
  build etcd go.etcd.io/etcd/server/v3 etcd 0 -ldflags "-s -w"
  kubernetes kube-apiserver 0 oldest
  kubernetes kubectl 0 oldest
}

node() {
  apiserver
  kubernetes kube-controller-manager
  kubernetes kube-scheduler
  kubernetes kube-proxy
  build coredns . coredns 0 -ldflags "-s -w"
  # The kubelet reads its containers' figures by way of C.
  kubernetes kubelet 1
}

case "${1:-}" in
  apiserver | node | oldest) ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

if [[ $1 == apiserver && -n ${KUBEBUILDER_ASSETS:-} ]]; then
  echo "$KUBEBUILDER_ASSETS"
  exit
fi
mkdir -p "$stamps"
# Who comes second waits, and finds the programs built.
exec 9>"$stamps/.lock"
flock 9
"$1"
echo "$out"
