package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/millrace-dev/millrace/cmd/millrace/validate"
)

// flagValues says what the flags of a type take. The errors of pflag name Go's functions.
var flagValues = map[string]string{
	"bool":   "true or false",
	"int":    "a whole number",
	"int64":  "a whole number",
	"uint16": "a whole number from 0 to 65535",
}

// explainFlag replaces pflag's errors by ones that say what to write.
func explainFlag(cmd *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if wanted := flagValues[wrong.GetFlag().Value.Type()]; wanted != "" {
			return fmt.Errorf("--%s is %q: it must be %s", wrong.GetFlag().Name, wrong.GetValue(), wanted)
		}
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if meant := validate.Nearest(unknown.GetSpecifiedName(), names); meant != "" {
			return fmt.Errorf("%w; did you mean --%s?", err, meant)
		}
		return fmt.Errorf("%w: %s --help lists the flags", err, cmd.CommandPath())
	}
	return err
}

// noEmptyFlag refuses flags with an empty text, which are most often those of a variable
// that is not set: the command would do without them, and for example join another consumer
// group than the user means.
func noEmptyFlag(cmd *cobra.Command, _ []string) error {
	var errs []error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && blank(f.Value.String()) {
			errs = append(errs, fmt.Errorf("--%s is empty: write a value, or leave the flag out", f.Name))
		}
	})
	return errors.Join(errs...)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
