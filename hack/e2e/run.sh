#!/usr/bin/env bash
# Builds the programs and images for the end-to-end test and runs it. If this machine can't
# run the test, prints the reason in one line. Takes the arguments of go test, such as -run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() {
  hack/missing.sh "the end-to-end test is skipped: $*"
  exit
}

[[ $(uname -s) == Linux && $(id -u) -eq 0 ]] || skip "it needs root on Linux"
for program in containerd ctr runc iptables ip conntrack unshare setpriv flock java gcc; do
  command -v "$program" >/dev/null || skip "it needs $program"
done
[[ -x /usr/lib/cni/bridge ]] || skip "it needs the network plugins in /usr/lib/cni (containernetworking-plugins)"
unshare --net --mount --pid --fork true 2>/dev/null || skip "it may not make namespaces here"
groups=/sys/fs/cgroup
[[ -e $groups/cgroup.controllers ]] || groups+=/memory
group=$(mktemp -d "$groups/millrace-e2e-XXXXXX" 2>/dev/null) && rmdir "$group" || skip "it may not make control groups here"
assets=$(hack/cluster/binaries.sh node) && make --no-print-directory bin/helm ||
  skip "the cluster's programs could not be built (see above)"
hack/kafka.sh fetch >/dev/null && tools=$(hack/kafka.sh tools) || skip "Apache Kafka could not be fetched (see above)"
make --no-print-directory bin/sdk-python/.installed || skip "it needs Python 3.10 with venv, and packages that could not be installed (see above)"

make --no-print-directory images
out=$PWD/bin/e2e
rm -rf "$out"
mkdir -p "$out/artifacts"
CGO_ENABLED=0 go build -trimpath -o "$out/pause" ./hack/e2e/pause

# The test uses only files in these directories, because it has no network.
MILLRACE_E2E_BIN=$assets MILLRACE_E2E_OUT=$out MILLRACE_E2E_LOGS=$out/artifacts MILLRACE_E2E_TOOLS=$tools \
  go test -tags e2e -count=1 -timeout 25m -v -exec "$PWD/hack/e2e/sandbox.sh" ./hack/e2e "$@"
