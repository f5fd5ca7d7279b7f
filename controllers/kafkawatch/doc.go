// Package kafkawatch asks Kafka what the reconciler has to know: how many
// partitions the topics have, how far they go and how far they are processed. It
// also keeps the offsets of groups whose members are away from expiring. It
// is the only part of the operator that talks to Kafka; nothing in it is waited
// for. All StreamProcessors that name the same cluster and the same credentials
// share one set of connections, and one round of questions at each interval, of
// which each is about all of their topics or groups at once.
package kafkawatch
