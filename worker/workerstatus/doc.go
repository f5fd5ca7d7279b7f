// Package workerstatus has the types of the JSON that a worker answers at /status. The
// operator, the CLI and other tools decode it.
//
// Compatibility: fields may be added; a field keeps its name, type and unit.
package workerstatus
