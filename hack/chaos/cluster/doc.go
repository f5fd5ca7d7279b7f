// Package cluster runs an Apache Kafka of three brokers for a chaos run, and disturbs it:
// brokers end, hang and come back, leaders and coordinators move, topics grow, and
// permissions and records go away.
//
// Each broker is a controller too, so a run takes down controllers as well. While one
// broker is down, the other two are a quorum of the controllers and enough replicas for
// every write. A caller takes down a second one only after AwaitInSync has returned.
//
// The workers log in at a listener with an authoriser, whose advertised addresses are
// those of proxies. The driver has another listener, which nothing disturbs and where
// everything is permitted. The brokers use that one among themselves.
package cluster
