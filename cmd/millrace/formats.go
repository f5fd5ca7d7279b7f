package main

import (
	"io"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordFormat is how --output-file and --dead-letter-file hold records.
type recordFormat struct {
	head  string // at the beginning of a file
	write func(io.Writer, *kgo.Record) error
}

// formatOf returns a format by its name; "" is "lines".
func formatOf(name string) recordFormat {
	switch name {
	case formatJSON:
		return recordFormat{write: writeEnvelope}
	case formatCSV:
		return recordFormat{csvHead, writeCSV}
	case formatKcat:
		return recordFormat{write: writeKcat}
	default:
		return recordFormat{write: writeLine}
	}
}

// writeLine writes a record as a line in the format "lines": its value.
func writeLine(out io.Writer, r *kgo.Record) error {
	if _, err := out.Write(r.Value); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}
