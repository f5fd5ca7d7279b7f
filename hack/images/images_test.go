package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	spdxjson "github.com/spdx/tools-golang/json"

	"github.com/millrace-dev/millrace/cmd/millrace/image"
)

// TestBillOfAProgram lists the materials of this test's program.
func TestBillOfAProgram(t *testing.T) {
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := printBill(&out, options{module: "../..", version: "1.2.3", bill: file}); err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Base(file) + "-1.2.3"; doc.DocumentName != want {
		t.Errorf("the document is %s, want %s", doc.DocumentName, want)
	}
	for _, p := range doc.Packages {
		if strings.HasSuffix(p.PackageName, "google/go-containerregistry") {
			return
		}
	}
	t.Error("the document does not list a module that the program has")
}

// TestProgramsAreThere checks that the packages of the images exist.
func TestProgramsAreThere(t *testing.T) {
	for _, p := range programs {
		if _, err := os.Stat(filepath.Join("../..", p.pkg, "main.go")); err != nil {
			t.Error(err)
		}
	}
}

// TestCertificatesForOtherBuilders checks the file that the Dockerfile takes.
func TestCertificatesForOtherBuilders(t *testing.T) {
	pinned, err := image.Certificates("")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := run(t.Context(), options{only: "certificates", out: out}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(out, "ca-certificates.crt"))
	if err != nil || !bytes.Equal(written, pinned) {
		t.Errorf("got %d bytes, want %d; %v", len(written), len(pinned), err)
	}
}
