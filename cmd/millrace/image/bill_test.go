package image

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	spdxjson "github.com/spdx/tools-golang/json"
)

func TestBillOfMaterials(t *testing.T) {
	p, b := sample()
	content, err := BillOfMaterials(p, b)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var locators []string
	for _, pkg := range doc.Packages {
		locators = append(locators, pkg.PackageExternalReferences[0].Locator)
	}
	want := []string{
		"pkg:golang/example.com/m", "pkg:golang/stdlib@1.26.8",
		"pkg:golang/example.com/lib@v1.0.0", "pkg:golang/example.com/new@v2.0.0", "pkg:golang/example.com/local@v3.0.0",
	}
	if !slices.Equal(locators, want) {
		t.Errorf("the document lists %v, want %v", locators, want)
	}
	if len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("the document relates %d of %d packages", len(doc.Relationships), len(doc.Packages))
	}
}

// TestBillOfAnUnknownProgram: a program whose author has said nothing about it.
func TestBillOfAnUnknownProgram(t *testing.T) {
	_, b := sample()
	content, err := BillOfMaterials(Program{Name: "mine", Title: "mine", Version: "1.0"}, b)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.DocumentNamespace, "https://spdx.org/spdxdocs/mine-") {
		t.Errorf("the document's namespace is %s", doc.DocumentNamespace)
	}
	p := doc.Packages[0]
	for _, said := range []string{p.PackageLicenseDeclared, p.PackageDownloadLocation, p.PackageSupplier.Supplier} {
		if said != unknown {
			t.Errorf("the document says %q of the program", said)
		}
	}
}
