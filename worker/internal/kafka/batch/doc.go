// Package batch reads and writes Kafka's log format, the record batches of version 2. A
// Set holds the batches that one fetch returned for a partition, and decodes them record by
// record. A Builder gathers records and encodes them as one batch.
//
// Records are not copied: they refer to the pooled memory that their batches are in, and
// whoever holds them releases it. A Budget bounds the memory of everything that is fetched.
//
// The package does no input or output. Packages fetch and produce use it.
package batch
