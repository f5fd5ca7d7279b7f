// Command images builds the images of Millrace as OCI archives. An image contains a static
// program, the certificates of public authorities and the program's bill of materials. The
// build needs no daemon, no root and no base image. The same commit and toolchain give the
// same image, byte for byte.
//
//	go -C hack/images run . --version 0.1.0
//
// The archives are for ctr images import, skopeo copy oci-archive:FILE,
// podman load and docker load.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// programs lists the images: the name of the archive, the name of the repository and the main
// package.
var programs = []program{
	{archive: "operator", repository: "operator", pkg: "./cmd/operator", title: "Millrace operator"},
	{archive: "worker", repository: "worker", pkg: "./cmd/worker", title: "Millrace worker"},
	{archive: "sample", repository: "sample-language", pkg: "./config/samples/language", title: "Millrace sample: language"},
}

type program struct{ archive, repository, pkg, title string }

type options struct {
	version, registry  string
	module, out        string
	certificates, only string
	bill               string
	platforms          []v1.Platform
}

func main() {
	opts, err := parse(os.Args[1:])
	if err == nil {
		err = run(opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	var platforms string
	flags := flag.NewFlagSet("images", flag.ExitOnError)
	flags.StringVar(&o.version, "version", "", "tag of the images")
	flags.StringVar(&o.registry, "registry", "ghcr.io/millrace-dev", "what the images' names begin with")
	flags.StringVar(&o.module, "module", "../..", "folder of the module whose programs are built")
	flags.StringVar(&o.out, "out", "../../bin/images", "folder of the archives")
	flags.StringVar(&o.certificates, "certificates", "", "file of the authorities' certificates in PEM (default: Mozilla's list, as go.mod pins it)")
	flags.StringVar(&o.only, "only", "", "build only this one: operator, worker or sample; or certificates, a file of them for other builders")
	flags.StringVar(&o.bill, "bill", "", "build no image: print the bill of materials of this program, which go build has made of the module")
	flags.StringVar(&platforms, "platforms", "linux/"+runtime.GOARCH, "comma-separated; with many of them the archive has an index of images")
	_ = flags.Parse(args) // it exits
	if o.version == "" {
		return o, fmt.Errorf("--version: must be set")
	}
	for name := range strings.SplitSeq(platforms, ",") {
		platform, err := v1.ParsePlatform(name)
		if err != nil || platform.OS != "linux" || platform.Architecture == "" {
			return o, fmt.Errorf("--platforms: %q is not like linux/amd64", name)
		}
		o.platforms = append(o.platforms, *platform)
	}
	return o, nil
}

func run(o options) error {
	if o.bill != "" {
		return printBill(os.Stdout, o)
	}
	certificates, err := readCertificates(o.certificates)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if o.only == "certificates" {
		return os.WriteFile(filepath.Join(o.out, "ca-certificates.crt"), certificates, 0o644)
	}
	rev, err := findRevision(o.module)
	if err != nil {
		return err
	}
	built := 0
	for _, p := range programs {
		if o.only != "" && o.only != p.archive {
			continue
		}
		if err := p.make(o, rev, certificates); err != nil {
			return fmt.Errorf("%s: %w", p.archive, err)
		}
		built++
	}
	if built == 0 {
		return fmt.Errorf("--only: there is no image %q", o.only)
	}
	return nil
}

// make builds the program's archive and prints its tag.
func (p program) make(o options, rev revision, certificates []byte) error {
	var images []v1.Image
	for _, platform := range o.platforms {
		image, err := p.build(o, rev, platform, certificates)
		if err != nil {
			return err
		}
		images = append(images, image)
	}
	name := fmt.Sprintf("%s/%s:%s", strings.TrimSuffix(o.registry, "/"), p.repository, o.version)
	file := filepath.Join(o.out, p.archive+".tar")
	digest, err := writeArchive(file, name, images, o.platforms)
	if err != nil {
		return err
	}
	if shown, err := filepath.Rel(o.module, file); err == nil {
		file = shown
	}
	fmt.Printf("%s\t%s\t%s\n", name, file, digest)
	return nil
}

func (p program) build(o options, rev revision, platform v1.Platform, certificates []byte) (v1.Image, error) {
	binary, err := compile(o.module, p.pkg, rev, platform)
	if err != nil {
		return nil, err
	}
	bill, err := billOfMaterials(p, o.version, binary)
	if err != nil {
		return nil, err
	}
	name := p.archive + ".spdx.json"
	if len(o.platforms) > 1 {
		name = p.archive + "." + platform.Architecture + ".spdx.json"
	}
	if err := os.WriteFile(filepath.Join(o.out, name), bill, 0o644); err != nil {
		return nil, err
	}
	return assemble(p, o.version, platform, binary, certificates, bill)
}
