// Package wire holds the parts of Kafka's protocol that the client lays out itself: it
// appends and reads the fields of requests and answers, and carries one request at a time
// over a connection of kafka-go's transport.
package wire
