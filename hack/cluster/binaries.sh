#!/usr/bin/env bash
# Gets the programs of the test cluster, those that are missing or of another version,
# and prints the directory that has them.
#
#   hack/cluster/binaries.sh apiserver   etcd, kube-apiserver and kubectl, which envtest runs
#   hack/cluster/binaries.sh node        these and the rest of a cluster of one node
#   hack/cluster/binaries.sh oldest      as apiserver, of the oldest supported Kubernetes
#
# They are built from source, but for apiserver: it takes the first of the directory
# that KUBEBUILDER_ASSETS names, programs built earlier, and the released programs,
# which setup-envtest downloads within seconds. It builds them (ten minutes on two
# cores) only on a machine that can't download them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "$here/../.." && pwd)/bin
out=$bin/kubebuilder
stamps=$out/.stamps
# The released programs: a link to setup-envtest's directory of the present version.
released=$bin/envtest/current

say() {
  echo "hack/cluster/binaries.sh: $*" >&2
}

# stamp MODULE : a hash of the module's versions, and of its source where it has any. A
# program is up to date if it was built with the same stamp.
stamp() {
  find "$here/$1" -maxdepth 1 \( -name go.mod -o -name go.sum -o -name '*.go' \) -print0 |
    sort -z | xargs -0 cat | sha256sum
}

# built MODULE NAME : whether the program is there and up to date.
built() {
  [[ -x $out/$2 && $(cat "$stamps/$2" 2>/dev/null) == "$(stamp "$1")" ]]
}

# build MODULE PACKAGE NAME CGO_ENABLED [FLAG...] : the program is there whole or not at all.
build() {
  local module=$1 package=$2 name=$3 cgo=$4
  shift 4
  if built "$module" "$name"; then
    return
  fi
  local started=$SECONDS
  say "building $name ..."
  CGO_ENABLED=$cgo go -C "$here/$module" build -trimpath "$@" -o "$out/.$name.new" "$package"
  mv -f "$out/.$name.new" "$out/$name"
  stamp "$module" >"$stamps/$name"
  say "built $name in $((SECONDS - started)) s"
}

# kubernetes NAME [CGO_ENABLED] [MODULE] : builds a program of Kubernetes. Clients, and
# the programs among themselves, refuse one without a release's version.
kubernetes() {
  local version module=${3:-kubernetes}
  version=$(go -C "$here/$module" list -m -f '{{.Version}}' k8s.io/kubernetes)
  local minor=${version#v*.}
  local prefix=k8s.io/component-base/version
  build "$module" "k8s.io/kubernetes/cmd/$1" "$1" "${2:-0}" \
    -ldflags "-s -w -X $prefix.gitVersion=$version -X $prefix.gitMajor=1 -X $prefix.gitMinor=${minor%%.*}"
}

# limit SECONDS COMMAND [ARG...] : ends the command after this time, where timeout exists.
limit() {
  if command -v timeout >/dev/null; then
    timeout "$@"
  else
    "${@:2}"
  fi
}

# download : gets the released programs of the same minor version, and links to them.
download() {
  local version tool=$bin/setup-envtest directory
  version=$(go -C "$here/kubernetes" list -m -f '{{.Version}}' k8s.io/kubernetes)
  version=${version#v}
  version=${version%.*}.x
  mkdir -p "$(dirname "$released")"
  go -C "$here/../tools" build -o "$tool" sigs.k8s.io/controller-runtime/tools/setup-envtest || return
  local flags=(--bin-dir "$(dirname "$released")")
  if ! directory=$("$tool" use "$version" --installed-only -p path "${flags[@]}" 2>/dev/null); then
    # A machine without internet access shows here at once.
    limit 15 "$tool" list "$version" "${flags[@]}" >/dev/null || return
    say "downloading the released etcd, kube-apiserver and kubectl $version ..."
    directory=$(limit 300 "$tool" use "$version" -p path "${flags[@]}") || return
  fi
  ln -sfn "$directory" "$released"
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
  # The kubelet reads the figures of containers through C.
  kubernetes kubelet 1
}

case "${1:-}" in
  apiserver | node | oldest) ;;
  *)
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

if [[ $1 == apiserver ]]; then
  if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    echo "$KUBEBUILDER_ASSETS"
    exit
  fi
  if built etcd etcd && built kubernetes kube-apiserver && built kubernetes kubectl; then
    rm -f "$released"
    echo "$out"
    exit
  fi
  if download; then
    echo "$released"
    exit
  fi
  say "the released programs can't be downloaded here: building them from source"
  rm -f "$released"
fi
mkdir -p "$stamps"
# A second run waits here, and finds the programs built.
exec 9>"$stamps/.lock"
flock 9
"$1"
echo "$out"
