package image

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Certificates reads a file in PEM. Without a file it returns Mozilla's list of public
// authorities from a module that go.mod pins, so that the list does not depend on the machine.
func Certificates(file string) ([]byte, error) {
	if file == "" {
		return publicAuthorities()
	}
	content, err := os.ReadFile(file)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
		err = fmt.Errorf("%s contains no certificate in PEM", file)
	}
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return content, nil
}

// publicAuthorities returns the pinned list in PEM. It leaves out authorities that Mozilla trusts
// under conditions, because a file of certificates can't express conditions.
func publicAuthorities() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, fmt.Errorf("the pinned list of authorities: %w", err)
		}
		fmt.Fprintf(&out, "# %s\n", certificate.Subject)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
