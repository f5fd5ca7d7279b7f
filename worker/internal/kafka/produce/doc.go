// Package produce writes records to topics and reports the acknowledgement of each.
//
// It is the end of the data path. A Producer chooses the partition, encodes each record at
// once into its partition's batch, and sends one idempotent request at a time to each
// leader. It repeats, divides, moves or gives up batches that brokers refuse.
package produce
