// Package proxy puts a TCP proxy in front of each broker of a chaos run, and makes the
// proxies do what networks do: delay, limit, reset, hang, refuse and cut.
//
// The brokers advertise the proxies' addresses to the workers, so workers reach brokers
// only through them. A proxy follows the frames of Kafka's protocol, so a fault can hit
// the answer to one kind of request: the broker has carried the request out, and the
// worker does not learn it.
package proxy
