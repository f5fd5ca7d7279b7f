package usercode

import "unsafe"

// As returns p as a pointer to To. Both types must have the same layout in memory:
// To is a type of package worker and From its counterpart in package record, or the
// other way round. A test in package worker compares the layouts of each pair.
func As[To, From any](p *From) *To { return (*To)(unsafe.Pointer(p)) }
