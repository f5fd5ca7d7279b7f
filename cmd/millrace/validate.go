package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/cmd/millrace/validate"
)

const validateLong = `Find the mistakes in manifests, without a cluster.

The command says what the API server and the operator would say: unknown fields,
values that are not allowed, fields that don't fit each other, pod templates and
expressions. It reports all mistakes at once, each in one line:

  FILE:LINE:COLUMN: FIELD: what is wrong; what to write

The command ends with exit code 1 if there is a mistake, so that it can guard a
repository. It lists objects of other kinds without checking them. From a
directory it takes the files whose names end in .yaml, .yml or .json, except the
cases of millrace test.`

const validateExample = `  # Check a manifest
  millrace validate -f processor.yaml

  # Check all manifests in a directory, and what a tool generates
  millrace validate -f config/samples
  kustomize build overlay | millrace validate -f -`

func newValidateCommand() *cobra.Command {
	var names []string
	cmd := &cobra.Command{
		Use:     "validate -f FILE...",
		Short:   "Find the mistakes in manifests, without a cluster",
		Long:    validateLong,
		Example: validateExample,
		Args:    noManifestAsArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			files, err := manifestFiles(names)
			if err != nil {
				return err
			}
			v := validation{out: cmd.OutOrStdout()}
			for _, name := range files {
				text, err := readInput(cmd.InOrStdin(), name)
				if err != nil {
					return err
				}
				if err := v.file(displayName(name), text); err != nil {
					return err
				}
			}
			return v.result()
		},
	}
	addFilenames(cmd.Flags(), &names)
	return cmd
}

// validation prints the findings about files, and counts them.
type validation struct {
	out               io.Writer
	mistakes, checked int
}

func (v *validation) file(name string, text []byte) error {
	objects, err := validate.File(text)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := v.object(name, o); err != nil {
			return err
		}
	}
	return nil
}

func (v *validation) object(file string, o validate.Object) error {
	var lines strings.Builder
	kind := strings.ToLower(o.Kind)
	switch {
	case len(o.Findings) > 0:
		v.mistakes += len(o.Findings)
		lines.WriteString(listed(file, o.Findings))
	case o.Other:
		fmt.Fprintf(&lines, "%s: %s %s is not a StreamProcessor, and was not checked\n", file, kind, o.Name)
	default:
		v.checked++
		fmt.Fprintf(&lines, "%s: %s %s is valid\n", file, kind, o.Name)
	}
	_, err := io.WriteString(v.out, lines.String())
	return err
}

// listed returns a line for each finding about a file.
func listed(file string, findings []validate.Finding) string {
	var lines strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&lines, "%s:%s\n", file, f)
	}
	return lines.String()
}

func (v *validation) result() error {
	switch {
	case v.mistakes > 0:
		return errors.New(counted(v.mistakes, "mistake"))
	case v.checked == 0:
		return errors.New("there is no StreamProcessor in the files")
	default:
		return nil
	}
}
