// Package protocol holds the definition of the protocol between a worker and a processor in
// another process. SPECIFICATION.md beside it has the rules.
package protocol

import _ "embed" // the definition and its vectors

// Version is the version of the protocol that this package defines.
const Version = 1

// Method is the path of the only method that a worker serves over gRPC.
const Method = "/millrace.processor.v1.Processor/Process"

// Definition is processor.proto, with the messages of the protocol.
//
//go:embed processor.proto
var Definition string
