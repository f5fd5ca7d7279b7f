package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// keys issues the certificates with which the cluster's programs authenticate each other.
type keys struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newKeys creates an authority, whose certificate is in ca.crt, and a key for the tokens of
// service accounts.
func newKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory for keys: %w", err)
	}
	k := &keys{dir: dir}
	template := certificate(pkix.Name{CommonName: "Millrace test cluster"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	k.cert = template
	var err error
	if k.cert, k.key, err = k.issue("ca", template); err != nil {
		return nil, err
	}
	_, _, err = k.issue("service-accounts", certificate(pkix.Name{CommonName: "service accounts"}))
	return k, err
}

// server issues a certificate for the API server, NAME.crt and NAME.key.
func (k *keys) server(name string, addresses ...string) error {
	template := certificate(pkix.Name{CommonName: name})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	_, _, err := k.issue(name, template)
	return err
}

// client issues a client certificate for a user in a group.
func (k *keys) client(name, user, group string) error {
	subject := pkix.Name{CommonName: user}
	if group != "" {
		subject.Organization = []string{group}
	}
	template := certificate(subject)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	_, _, err := k.issue(name, template)
	return err
}

func certificate(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		Subject:   subject,
		NotBefore: time.Now().Add(-time.Minute),
		NotAfter:  time.Now().Add(24 * time.Hour),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}

// issue signs a certificate for a new key and writes both. The authority signs its own
// certificate.
func (k *keys) issue(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key for %s: %w", name, err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	signer := k.key
	if template.IsCA {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, k.cert, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key of %s: %w", name, err)
	}
	if err := writePEM(k.certFile(name), "CERTIFICATE", der); err != nil {
		return nil, nil, err
	}
	if err := writePEM(k.keyFile(name), "EC PRIVATE KEY", private); err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("parse the certificate of %s: %w", name, err)
	}
	return cert, key, nil
}

func writePEM(file, kind string, der []byte) error {
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return fmt.Errorf("write a certificate or key: %w", err)
	}
	return nil
}

func (k *keys) certFile(name string) string { return filepath.Join(k.dir, name+".crt") }
func (k *keys) keyFile(name string) string  { return filepath.Join(k.dir, name+".key") }
