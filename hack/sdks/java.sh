#!/usr/bin/env bash
# Checks the Java SDK's format and code, runs its tests and builds its jar, with the packages
# that `hack/sdks/java.sh fetch` fetches. Other arguments go to Maven:
#
#   hack/sdks/java.sh -Dtest=SessionTest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

formatter=com.google.googlejavaformat:google-java-format:1.28.0:jar:all-deps # the last one for Java 17
dependency=org.apache.maven.plugins:maven-dependency-plugin:3.11.0
tools=$PWD/bin/sdk-java
# These programs are too short for the thorough compiler.
export MAVEN_OPTS="${MAVEN_OPTS:-} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

run_maven() { mvn --batch-mode --quiet --file worker/sdks/java/pom.xml "$@"; }

if [[ ${1:-} == fetch ]]; then
  run_maven "$dependency:copy" "-Dartifact=$formatter" "-DoutputDirectory=$tools" -Dmdep.stripVersion=true
  # Maven's go-offline misses dependencies of plugins.
  run_maven install -DskipTests -Dmaven.install.skip=true
  exit
fi

go build -o "$tools/" ./cmd/millrace
mapfile -t sources < <(find worker/sdks/java/src worker/sdks/java/examples -name '*.java')
java -jar "$tools/google-java-format-all-deps.jar" --dry-run --set-exit-if-changed "${sources[@]}" || {
  echo "hack/sdks/java.sh: java -jar $tools/google-java-format-all-deps.jar --replace FILE formats these" >&2
  exit 1
}
run_maven package "$@"
cd worker/sdks/java
"$tools/millrace" conformance --exec \
  "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp 'target/test-classes:target/classes:target/lib/*' dev.millrace.Conformance"
