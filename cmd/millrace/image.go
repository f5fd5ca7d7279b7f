package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/cmd/millrace/image"
)

const imageBuildLong = `Build the image of a Go program, without a daemon.

The command compiles a main package of your module for each platform, and makes an
image of the program, the certificates of public authorities and the program's
bill of materials. It needs the go command, and no Docker, no root and no base
image. The program is static, so it can't use cgo. Time zones are compiled in. It
runs as user 65532. The same source and toolchain give the same image.

--output writes an archive for docker load, kind load image-archive,
podman load and ctr images import. --push writes to the registry in the image's
name, with the credentials of docker login. Each prints the image's name with its
digest.`

const imageBuildExample = `  # Make an archive, and bring it to a test cluster
  millrace image build ./cmd/mine -t registry.example.com/team/mine:1.0 -o mine.tar
  kind load image-archive mine.tar

  # Push an image for two platforms
  millrace image build ./cmd/mine -t registry.example.com/team/mine:1.0 \
    --platform linux/amd64,linux/arm64 --push`

func newImageCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "image", Short: "Build images of processors in Go", Args: cobra.NoArgs}
	cmd.AddCommand(newImageBuildCommand())
	return cmd
}

// imageBuild holds the flags of `millrace image build`.
type imageBuild struct {
	tag, output string
	platforms   []string
	push        bool
}

func newImageBuildCommand() *cobra.Command {
	var opts imageBuild
	cmd := &cobra.Command{
		Use:     "build PACKAGE -t NAME:TAG {-o FILE | --push}",
		Short:   "Build the image of a Go program, without a daemon",
		Long:    imageBuildLong,
		Example: imageBuildExample,
		Args:    onePackage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return opts.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.tag, "tag", "t", "", "The image's `name` and tag, as the manifest has it")
	flags.StringVarP(&opts.output, "output", "o", "", "Write the image to this `file`, an archive")
	flags.BoolVar(&opts.push, "push", false, "Push the image to its registry")
	flags.StringSliceVar(&opts.platforms, "platform", []string{"linux/" + runtime.GOARCH}, "The `platforms` to build for, separated by commas")
	return cmd
}

func onePackage(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name one main package, such as ./cmd/mine: there are %d arguments", len(args))
	}
	return nil
}

func (o *imageBuild) run(ctx context.Context, pkg string, stdout, stderr io.Writer) error {
	switch {
	case o.tag == "":
		return errors.New("no name: name the image with -t registry.example.com/team/mine:1.0")
	case o.output == "" && !o.push:
		return errors.New("no output: write the image to a file with -o FILE, or to its registry with --push")
	}
	tag, err := image.ParseName(o.tag)
	if err != nil {
		return fmt.Errorf("--tag: %w", err)
	}
	platforms, err := image.ParsePlatforms(o.platforms)
	if err != nil {
		return fmt.Errorf("--platform: %w", err)
	}
	certificates, err := image.Certificates("")
	if err != nil {
		return err
	}
	title := path.Base(tag.RepositoryStr())
	source := image.Source{
		Program: image.Program{Name: title, Title: title, Version: tag.TagStr()},
		Package: pkg, Certificates: certificates, Messages: stderr,
	}
	images, err := source.Build(ctx, platforms)
	if err != nil {
		return err
	}
	return o.deliver(ctx, tag, images, stdout)
}

// deliver writes the images to where the flags say.
func (o *imageBuild) deliver(ctx context.Context, tag name.Tag, images []image.Image, stdout io.Writer) error {
	if o.output != "" {
		digest, err := image.WriteArchive(o.output, tag, images)
		if err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		if _, err := fmt.Fprintf(stdout, "%s is in %s\n", named(tag, digest), o.output); err != nil {
			return err
		}
	}
	if o.push {
		digest, err := image.Push(ctx, tag, images)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "%s is in its registry\n", named(tag, digest)); err != nil {
			return err
		}
	}
	return nil
}

func named(tag name.Tag, digest fmt.Stringer) string { return tag.String() + "@" + digest.String() }
