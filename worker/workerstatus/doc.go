// Package workerstatus defines the JSON that a worker serves at /status. The operator,
// the CLI and other tools decode it.
//
// Compatibility: fields may be added; a field keeps its name, type and unit.
package workerstatus
