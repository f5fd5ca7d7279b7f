// Package protocol searches the small scopes of the exactly-once protocol, and runs
// random schedules of larger ones: members that crash, lose partitions and get no
// answers, over a simulated cluster.
//
// Real are the tracker and the metadata of commits (package offsets), whose checkpoints
// the members commit and resume from. The cluster is that of package broker, whose
// answers are compared with Apache Kafka's. Modelled are the steps of the engine and the
// producer in between: when records are processed, sent, cut off, committed and given
// up. The engine itself runs in the schedules of package model; here, the rules that it
// follows are shown to be enough, and each of them to be needed.
//
// Simplified are: the input's records are there from the beginning; all outputs go to one
// partition, one record a batch and one request at a time; the coordinator writes the
// markers of a transaction at once; the group's join is one step. A member that gets an
// answer acts on it at once; all other delays are in the schedules.
//
// The search knows a state by a hash of what decides how it goes on. It takes the steps
// of a member alone where their order with all other steps makes no difference, and
// forgets at once what can have no effect any more. That this loses nothing is tested step
// by step in all states of small scopes. Nothing is gained by taking members or
// partitions for each other: the first member begins with all partitions, and a member
// takes the transactional id of its lowest one.
//
// Everything is in the package's tests.
package protocol
