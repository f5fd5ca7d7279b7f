// Command images builds the images of Millrace as OCI archives, with the code of
// `millrace image build`.
//
//	go run ./hack/images --version 0.1.0
//
// The archives are for ctr images import, skopeo copy oci-archive:FILE,
// podman load and docker load.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/millrace-dev/millrace/cmd/millrace/image"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	opts, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, opts)
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
	flags.StringVar(&o.module, "module", ".", "folder of the module whose programs are built")
	flags.StringVar(&o.out, "out", "bin/images", "folder of the archives")
	flags.StringVar(&o.certificates, "certificates", "", "file of the authorities' certificates in PEM (default: Mozilla's list, as go.mod pins it)")
	flags.StringVar(&o.only, "only", "", "build only this one: operator, worker or sample; or certificates, a file of them for other builders")
	flags.StringVar(&o.bill, "bill", "", "build no image: print the bill of materials of this program, which go build has made of the module")
	flags.StringVar(&platforms, "platforms", "linux/"+runtime.GOARCH, "comma-separated; with many of them the archive has an index of images")
	_ = flags.Parse(args) // it exits
	if o.version == "" {
		return o, fmt.Errorf("--version: must be set")
	}
	var err error
	if o.platforms, err = image.ParsePlatforms(strings.Split(platforms, ",")); err != nil {
		return o, fmt.Errorf("--platforms: %w", err)
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	if o.bill != "" {
		return printBill(os.Stdout, o)
	}
	certificates, err := image.Certificates(o.certificates)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if o.only == "certificates" {
		return os.WriteFile(filepath.Join(o.out, "ca-certificates.crt"), certificates, 0o644)
	}
	built := 0
	for _, p := range programs {
		if o.only != "" && o.only != p.archive {
			continue
		}
		if err := p.make(ctx, o, certificates); err != nil {
			return fmt.Errorf("%s: %w", p.archive, err)
		}
		built++
	}
	if built == 0 {
		return fmt.Errorf("--only: there is no image %q", o.only)
	}
	return nil
}

// make builds the program's archive, writes its bills of materials beside it and prints its
// tag.
func (p program) make(ctx context.Context, o options, certificates []byte) error {
	tag, err := image.ParseName(fmt.Sprintf("%s/%s:%s", strings.TrimSuffix(o.registry, "/"), p.repository, o.version))
	if err != nil {
		return err
	}
	source := image.Source{
		Program: described(p.repository, p.title, o.version),
		Dir:     o.module, Package: p.pkg, Certificates: certificates, Messages: os.Stderr,
	}
	images, err := source.Build(ctx, o.platforms)
	if err != nil {
		return err
	}
	for _, built := range images {
		if err := os.WriteFile(filepath.Join(o.out, p.billName(o, built)), built.Bill, 0o644); err != nil {
			return err
		}
	}
	file := filepath.Join(o.out, p.archive+".tar")
	digest, err := image.WriteArchive(file, tag, images)
	if err != nil {
		return err
	}
	fmt.Printf("%s\t%s\t%s\n", tag, file, digest)
	return nil
}

func (p program) billName(o options, built image.Image) string {
	if len(o.platforms) > 1 {
		return p.archive + "." + built.Platform.Architecture + ".spdx.json"
	}
	return p.archive + ".spdx.json"
}
