// Package kafkawatch polls Kafka for the facts that the reconciler needs: the number of
// partitions of each topic, their ends, and the committed offsets. It also keeps the
// offsets of groups without members from expiring. It is the only part of the operator
// that talks to Kafka, and the reconciler never waits for it. All StreamProcessors with
// the same cluster and the same credentials share one set of connections and one round
// of requests at each interval; each request covers all of their topics or groups.
package kafkawatch
