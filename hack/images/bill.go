package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

const (
	source  = "https://github.com/millrace-dev/millrace"
	license = "Apache-2.0"
	unknown = "NOASSERTION"
)

// billOfMaterials returns an SPDX document with the modules of a program, which the Go toolchain
// recorded in it, and Go's standard library.
func billOfMaterials(p program, version string, b binary) ([]byte, error) {
	sum := fmt.Sprintf("%x", sha256.Sum256(b.content))
	doc := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      p.repository + "-" + version,
		DocumentNamespace: source + "/sbom/" + p.repository + "/" + sum,
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "millrace-images"}},
			Created:  b.time.Format(time.RFC3339),
		},
		Packages:      []*spdx.Package{programPackage(p, version, sum, b)},
		Relationships: []*spdx.Relationship{relationship("DOCUMENT", spdx.RelationshipDescribes, "program")},
	}
	library := &debug.Module{Path: "stdlib", Version: strings.TrimPrefix(b.info.GoVersion, "go")}
	for i, module := range append([]*debug.Module{library}, b.info.Deps...) {
		if module.Replace != nil {
			module = module.Replace
		}
		id := spdx.ElementID(fmt.Sprintf("module-%d", i))
		doc.Packages = append(doc.Packages, modulePackage(id, module))
		doc.Relationships = append(doc.Relationships, relationship("program", spdx.RelationshipDependsOn, id))
	}
	var out bytes.Buffer
	err := spdxjson.Write(doc, &out, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	return out.Bytes(), err
}

// printBill writes the bill of materials of a program that is built already.
func printBill(out io.Writer, o options) error {
	rev, err := findRevision(o.module)
	if err != nil {
		return err
	}
	b, err := readBinary(o.bill, rev)
	if err != nil {
		return fmt.Errorf("--bill: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(o.bill), ".exe")
	bill, err := billOfMaterials(program{archive: name, repository: name, title: name}, o.version, b)
	if err != nil {
		return err
	}
	_, err = out.Write(bill)
	return err
}

func programPackage(p program, version, sum string, b binary) *spdx.Package {
	return &spdx.Package{
		PackageName:             p.title,
		PackageSPDXIdentifier:   "program",
		PackageVersion:          version,
		PackageSupplier:         &spdx.Supplier{SupplierType: "Organization", Supplier: "The Millrace authors"},
		PackageDownloadLocation: source,
		PackageChecksums:        []spdx.Checksum{{Algorithm: spdx.SHA256, Value: sum}},
		PackageLicenseConcluded: license,
		PackageLicenseDeclared:  license,
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
