#!/usr/bin/env bash
# Stands in for kubectl while the end-to-end test runs the tutorial's commands. The node can't
# pull Apache Kafka's image, so its Deployment gets no pods, its Service leads to the node's
# broker, and commands for its pod run here. All other commands go to kubectl.
#
# MILLRACE_E2E_KUBECTL is kubectl, MILLRACE_E2E_BROKER the broker's host:port,
# MILLRACE_E2E_TOOLS the directory with the jars of Kafka's tools, and
# MILLRACE_E2E_ENDPOINTS the manifest that leads the Service to the broker.
set -euo pipefail

real() { "$MILLRACE_E2E_KUBECTL" "$@"; }

# tool SCRIPT [ARG...] : runs a program of Apache Kafka against the broker.
tool() {
  local class
  case $1 in
    /opt/kafka/bin/kafka-topics.sh) class=TopicCommand ;;
    /opt/kafka/bin/kafka-console-producer.sh) class=ConsoleProducer ;;
    /opt/kafka/bin/kafka-console-consumer.sh) class=consumer.ConsoleConsumer ;;
    *)
      echo "hack/e2e/kubectl.sh does not know $1" >&2
      exit 1
      ;;
  esac
  shift
  exec timeout 120 java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "$MILLRACE_E2E_TOOLS/*" "org.apache.kafka.tools.$class" "${@/#kafka:9092/$MILLRACE_E2E_BROKER}"
}

case "$*" in
  "exec deployment/kafka -- "*) tool "${@:4}" ;;
  "exec -i deployment/kafka -- "*) tool "${@:5}" ;;
  "apply -f docs/tutorial/kafka.yaml")
    real "$@"
    real scale deployment/kafka --replicas=0 >/dev/null
    real apply -f "$MILLRACE_E2E_ENDPOINTS" >/dev/null
    ;;
  *) real "$@" ;;
esac
