// Package protocol holds the definition of the protocol between a worker and a processor in
// another process. SPECIFICATION.md beside it has the rules.
package protocol

import _ "embed" // the definition and its vectors

// Version is the version of the protocol that this package defines.
const Version = 1

// Definition is processor.proto, with the messages of the protocol.
//
//go:embed processor.proto
var Definition string
