package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// unknown stands in a document for what its author does not say.
const unknown = "NOASSERTION"

// BillOfMaterials returns an SPDX document with the modules of a program, which the Go toolchain
// recorded in it, and Go's standard library.
func BillOfMaterials(p Program, b Binary) ([]byte, error) {
	sum := fmt.Sprintf("%x", sha256.Sum256(b.content))
	doc := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      p.Name + "-" + p.Version,
		DocumentNamespace: namespace(p, sum),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "millrace-images"}},
			Created:  b.time.Format(time.RFC3339),
		},
		Packages:      []*spdx.Package{programPackage(p, sum, b)},
		Relationships: []*spdx.Relationship{relationship("DOCUMENT", spdx.RelationshipDescribes, "program")},
	}
	library := &debug.Module{Path: "stdlib", Version: strings.TrimPrefix(b.info.GoVersion, "go")}
	for i, module := range append([]*debug.Module{library}, b.info.Deps...) {
		// A folder in place of a module says nothing outside of this machine.
		if r := module.Replace; r != nil && r.Version != "" && r.Version != "(devel)" {
			module = r
		}
		id := spdx.ElementID(fmt.Sprintf("module-%d", i))
		doc.Packages = append(doc.Packages, modulePackage(id, module))
		doc.Relationships = append(doc.Relationships, relationship("program", spdx.RelationshipDependsOn, id))
	}
	var out bytes.Buffer
	err := spdxjson.Write(doc, &out, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	return out.Bytes(), err
}

// namespace returns an address for the document that no other document has.
func namespace(p Program, sum string) string {
	if p.Source == "" {
		return "https://spdx.org/spdxdocs/" + url.PathEscape(p.Name) + "-" + sum
	}
	return p.Source + "/sbom/" + p.Name + "/" + sum
}

func programPackage(p Program, sum string, b Binary) *spdx.Package {
	supplier := &spdx.Supplier{Supplier: unknown}
	if p.Vendor != "" {
		supplier = &spdx.Supplier{SupplierType: "Organization", Supplier: p.Vendor}
	}
	return &spdx.Package{
		PackageName:             p.Title,
		PackageSPDXIdentifier:   "program",
		PackageVersion:          p.Version,
		PackageSupplier:         supplier,
		PackageDownloadLocation: cmp.Or(p.Source, unknown),
		PackageChecksums:        []spdx.Checksum{{Algorithm: spdx.SHA256, Value: sum}},
		PackageLicenseConcluded: cmp.Or(p.License, unknown),
		PackageLicenseDeclared:  cmp.Or(p.License, unknown),
		PackageCopyrightText:    unknown,
		PackageSourceInfo:       strings.TrimSpace(b.info.Path + " " + b.id),
		PrimaryPackagePurpose:   "APPLICATION",
		PackageExternalReferences: []*spdx.PackageExternalReference{
			packageURL(b.info.Main.Path, b.info.Main.Version),
		},
	}
}

func modulePackage(id spdx.ElementID, m *debug.Module) *spdx.Package {
	return &spdx.Package{
		PackageName:               m.Path,
		PackageSPDXIdentifier:     id,
		PackageVersion:            m.Version,
		PackageDownloadLocation:   unknown,
		PackageLicenseConcluded:   unknown,
		PackageLicenseDeclared:    unknown,
		PackageCopyrightText:      unknown,
		PackageComment:            m.Sum, // as in go.sum
		PrimaryPackagePurpose:     "LIBRARY",
		PackageExternalReferences: []*spdx.PackageExternalReference{packageURL(m.Path, m.Version)},
	}
}

// packageURL returns the identifier with which scanners look up known vulnerabilities.
func packageURL(path, version string) *spdx.PackageExternalReference {
	locator := "pkg:golang/" + strings.ToLower(path)
	if version != "" && version != "(devel)" {
		locator += "@" + url.PathEscape(version)
	}
	return &spdx.PackageExternalReference{
		Category: spdx.CategoryPackageManager, RefType: spdx.PackageManagerPURL, Locator: locator,
	}
}

func relationship(from spdx.ElementID, kind string, to spdx.ElementID) *spdx.Relationship {
	return &spdx.Relationship{
		RefA: common.DocElementID{ElementRefID: from}, Relationship: kind, RefB: common.DocElementID{ElementRefID: to},
	}
}
