package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// bundles are where distributions keep the certificates of public authorities.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // openSUSE
	"/etc/ssl/cert.pem",                  // macOS
}

// readCertificates reads a file, or this machine's where none is named.
func readCertificates(file string) ([]byte, error) {
	files := bundles
	if file != "" {
		files = []string{file}
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
			err = fmt.Errorf("%s: has no certificate", file)
		}
		return content, err
	}
	return nil, fmt.Errorf("no certificates at %v: install ca-certificates, or name a file with --certificates", files)
}
