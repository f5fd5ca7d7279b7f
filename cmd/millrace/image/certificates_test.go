package image

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCertificates(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Certificates(empty); err == nil || !strings.Contains(err.Error(), "contains no certificate") {
		t.Errorf("got %v for a file without certificates, want an error that says so", err)
	}
	if _, err := Certificates(empty + ".missing"); err == nil || !strings.Contains(err.Error(), "certificates: open "+empty) {
		t.Errorf("got %v for a missing file, want an error that names it", err)
	}
}

// TestPublicAuthoritiesArePinned checks that the list has the authorities that most brokers and
// registries use, and does not depend on the machine.
func TestPublicAuthoritiesArePinned(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/nowhere")
	pinned, err := Certificates("")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rest := pinned; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, certificate.Subject.CommonName)
	}
	if len(names) < 100 {
		t.Errorf("got %d authorities", len(names))
	}
	for _, name := range []string{"ISRG Root X1", "Amazon Root CA 1", "GTS Root R1", "DigiCert Global Root G2"} {
		if !slices.Contains(names, name) {
			t.Errorf("the authority %s is missing", name)
		}
	}
}
