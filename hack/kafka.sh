#!/usr/bin/env bash
# Fetches and runs the Apache Kafka that the tests use: a broker that is also a
# controller. Needs Java 17 or newer, and Maven for the first fetch.
#
#   hack/kafka.sh fetch                  fill the cache and print its directory
#   hack/kafka.sh tools                  the same for Kafka's own tools and Kafka Streams
#   hack/kafka.sh format FILE [ARG...]   format the log directory of a server.properties
#   hack/kafka.sh run FILE               run the broker in the foreground
#
# KAFKA_VERSION selects a release, 3.9 or newer, and KAFKA_JVM_OPTS replaces the JVM's
# options.
set -euo pipefail

KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
SCALA_VERSION=2.13
SLF4J_VERSION=1.7.36
DEPENDENCY_PLUGIN_VERSION=3.8.1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="$root/bin/kafka-$KAFKA_VERSION"
tools="$root/bin/kafka-tools-$KAFKA_VERSION"

fail() {
  echo "hack/kafka.sh: $*" >&2
  exit 1
}

# fetch DIR ARTIFACT... : puts the jars of the artifacts into DIR, all or none of them,
# because several test processes may fetch at the same time.
fetch() {
  local dir=$1 dependencies=
  [[ -d $dir ]] && return
  command -v mvn >/dev/null || fail "Maven (mvn) is missing: it is needed once, to fetch Apache Kafka $KAFKA_VERSION"
  mkdir -p "$root/bin"
  local work
  work=$(mktemp -d "$root/bin/.kafka-fetch.XXXXXX")
  # shellcheck disable=SC2064 # the directory is known now
  trap "rm -rf '$work'" EXIT
  for artifact in "${@:2}"; do
    dependencies+="<dependency><groupId>org.apache.kafka</groupId><artifactId>$artifact</artifactId><version>$KAFKA_VERSION</version></dependency>"
  done
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    $dependencies
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>$SLF4J_VERSION</version>
    </dependency>
  </dependencies>
</project>
POM
  mvn --batch-mode --quiet --file "$work/pom.xml" \
    "org.apache.maven.plugins:maven-dependency-plugin:$DEPENDENCY_PLUGIN_VERSION:copy-dependencies" \
    -DoutputDirectory="$work/libs" >&2 || fail "Maven could not fetch Apache Kafka $KAFKA_VERSION (see above)"
  chmod 755 "$work/libs"
  # A second process finds the directory there, and keeps it. Only GNU's mv has
  # -T, without which it would move the one directory into the other.
  mv -T "$work/libs" "$dir" 2>/dev/null || [[ -d $dir ]] || mv "$work/libs" "$dir"
}

# java_main replaces this shell by a JVM, which keeps the process id.
java_main() {
  command -v java >/dev/null || fail "Java is missing: install a JRE of version 17 or newer"
  fetch "$cache" "kafka_$SCALA_VERSION"
  # The tests' brokers are small and short-lived, so they need a quick start.
  local options=${KAFKA_JVM_OPTS:--Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}
  # The list of all settings would hide the important lines.
  local quiet=-Dorg.slf4j.simpleLogger.log
  # shellcheck disable=SC2086 # several options
  exec java $options \
    $quiet.kafka.server.KafkaConfig=warn $quiet.org.apache.kafka.common.config.AbstractConfig=warn \
    -Dorg.slf4j.simpleLogger.showDateTime=true \
    -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
    -cp "$cache/*" "$@"
}

case "${1:-}" in
  fetch)
    fetch "$cache" "kafka_$SCALA_VERSION"
    echo "$cache"
    ;;
  tools)
    fetch "$tools" kafka-tools kafka-streams
    echo "$tools"
    ;;
  format)
    [[ $# -ge 2 ]] || fail "format needs a server.properties"
    # A file that names the voters is that of a broker among several.
    alone=(--standalone)
    ! grep -q '^controller\.quorum\.voters=' "$2" || alone=()
    # Nobody runs two clusters that could meet, so they need not be told apart.
    java_main kafka.tools.StorageTool format ${alone[@]+"${alone[@]}"} \
      --cluster-id bWlsbHJhY2UtdGVzdHMtMA --config "$2" "${@:3}"
    ;;
  run)
    [[ $# -eq 2 ]] || fail "run needs a server.properties"
    java_main kafka.Kafka "$2"
    ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
