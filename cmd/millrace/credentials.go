package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// checkCredentials returns an error that lists the missing files beside the manifest,
// each with the field that needs it and with its content.
func (m *manifest) checkCredentials() error {
	dir := filepath.Dir(m.path)
	keys, tokens := resources.Credentials(m.processor)
	var errs []error
	check := func(field, file, content string) {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: %s: missing file %s: write %s into it", m.path, field, file, content))
		}
	}
	for _, key := range keys {
		check(key.Field, key.Path(dir), fmt.Sprintf("the value of %v", key))
	}
	for _, token := range tokens {
		check(token.Field, token.Path(dir), token.String())
	}
	return errors.Join(errs...)
}
