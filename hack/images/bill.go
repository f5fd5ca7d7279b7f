package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/millrace-dev/millrace/cmd/millrace/image"
)

// described returns the description of one of Millrace's programs.
func described(name, title, version string) image.Program {
	return image.Program{
		Name: name, Title: title, Version: version,
		Vendor:  "The Millrace authors",
		Source:  "https://github.com/millrace-dev/millrace",
		License: "Apache-2.0",
	}
}

// printBill writes the bill of materials of a program that is built already.
func printBill(out io.Writer, o options) error {
	rev, err := image.FindRevision(o.module)
	if err != nil {
		return err
	}
	b, err := image.ReadBinary(o.bill, rev)
	if err != nil {
		return fmt.Errorf("--bill: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(o.bill), ".exe")
	bill, err := image.BillOfMaterials(described(name, name, o.version), b)
	if err != nil {
		return err
	}
	_, err = out.Write(bill)
	return err
}
