package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// localSecrets are the directories beside the manifest that stand for the
// Secrets it refers to: secrets/NAME, with a file for each key.
func (m *manifest) localSecrets() resources.CredentialPaths {
	dir := func(name string) string { return filepath.Join(filepath.Dir(m.path), "secrets", name) }
	var paths resources.CredentialPaths
	if tls := m.processor.Spec.Kafka.TLS; tls != nil {
		if tls.CASecretRef != nil {
			paths.CA = dir(tls.CASecretRef.Name)
		}
		if tls.CertSecretRef != nil {
			paths.ClientCert = dir(tls.CertSecretRef.Name)
		}
	}
	if sasl := m.processor.Spec.Kafka.SASL; sasl != nil {
		paths.SASL = dir(sasl.SecretRef.Name)
	}
	return paths
}

// missingSecrets tells which of the files that k names are not there.
func missingSecrets(k config.Kafka) error {
	var files []string
	if k.TLS != nil {
		files = append(files, k.TLS.CAFile, k.TLS.CertFile, k.TLS.KeyFile)
	}
	if k.SASL != nil {
		files = append(files, k.SASL.UsernameFile, k.SASL.PasswordFile)
	}
	var missing []error
	for _, file := range files {
		if _, err := os.Stat(file); file != "" && errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, fmt.Errorf("key %s of Secret %s is wanted in the file %s",
				filepath.Base(file), filepath.Base(filepath.Dir(file)), file))
		}
	}
	return errors.Join(missing...)
}
