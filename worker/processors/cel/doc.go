// Package cel is the built-in processor "cel": a record's filter, key, value,
// headers and topic as expressions in the Common Expression Language.
//
// It stands in the pool's place in the data path, as a Processor like a user's
// own; the expressions are compiled once and run on every record.
package cel
