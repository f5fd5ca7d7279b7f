#!/usr/bin/env bash
# Runs a command in new network, mount and process namespaces that are prepared for a
# Kubernetes node. All processes, containers and mounts of the command end with it,
# however it ends.
#
#   hack/e2e/sandbox.sh COMMAND [ARG...]     as go test -exec calls it
#
# MILLRACE_E2E_STATE names a directory that is removed when the command ends. Its base
# name is also that of a control group. The node's address is 10.88.0.1. The logs of the
# pods stay in $MILLRACE_E2E_LOGS/pods.
set -euo pipefail

node_address=10.88.0.1

# groups : prints the control group in each hierarchy of version 1, or in that of version 2.
groups() {
  local hierarchy
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    echo "/sys/fs/cgroup/$1"
    return
  fi
  for hierarchy in /sys/fs/cgroup/*/; do
    echo "$hierarchy$1"
  done
}

clean() {
  local group
  for group in $(groups "$(basename "$state")"); do
    # Processes that were killed a moment ago may still be in the group.
    for _ in {1..50}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [[ -e $group ]] || break
      sleep 0.1
    done
  done
  rm -rf "$state"
}

outside() {
  state=$(mktemp -d /tmp/millrace-e2e-XXXXXX)
  trap clean EXIT
  local code=0
  MILLRACE_E2E_STATE=$state setpriv --pdeathsig KILL \
    unshare --net --mount --pid --fork --kill-child --mount-proc -- "$0" --inside "$@" || code=$?
  exit "$code"
}

make_groups() {
  local group parent
  for group in $(groups "$(basename "$MILLRACE_E2E_STATE")"); do
    parent=$(dirname "$group")
    if [[ -e $parent/cgroup.controllers ]]; then
      sed 's/[a-z]\+/+&/g' "$parent/cgroup.controllers" >"$parent/cgroup.subtree_control" 2>/dev/null || true
    fi
    mkdir -p "$group"
    # Unlike other controllers, a cpuset starts empty, and then accepts no process.
    if [[ -e $group/cpuset.mems && -e $parent/cpuset.mems ]]; then
      cat "$parent/cpuset.cpus" >"$group/cpuset.cpus"
      cat "$parent/cpuset.mems" >"$group/cpuset.mems"
    fi
  done
}

network() {
  ip link set lo up
  # A dummy device would be enough, but not every kernel has that type.
  ip link add node0 type bridge
  ip address add "$node_address/24" dev node0
  ip link set node0 up
  ip route add default dev node0
}

# mounts hides the machine's directories whose paths are fixed in the node's programs.
mounts() {
  local dir
  mount --make-rshared /
  for dir in /run/netns /run/containerd /var/lib/cni /var/log/containers; do
    mkdir -p "$dir"
    mount -t tmpfs tmpfs "$dir"
  done
  # A request to an unreachable name server would take seconds each time.
  echo "nameserver 127.0.0.1" >"$MILLRACE_E2E_STATE/resolv.conf"
  mount --bind "$MILLRACE_E2E_STATE/resolv.conf" /etc/resolv.conf
  echo "127.0.0.1 localhost $HOSTNAME" >"$MILLRACE_E2E_STATE/hosts"
  mount --bind "$MILLRACE_E2E_STATE/hosts" /etc/hosts
  mkdir -p /var/log/pods "$MILLRACE_E2E_LOGS/pods"
  mount --bind "$MILLRACE_E2E_LOGS/pods" /var/log/pods
}

if [[ ${1:-} != --inside ]]; then
  outside "$@"
fi
shift
make_groups
network
mounts
# Without exec, because the first process of a namespace has to reap orphans.
code=0
"$@" || code=$?
exit "$code"
