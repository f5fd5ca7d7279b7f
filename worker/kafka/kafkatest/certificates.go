package kafkatest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is a certificate authority for one test. Its files are removed with the test.
type CA struct {
	// File names the file with its certificate, in PEM.
	File string

	tb   testing.TB
	dir  string
	now  time.Time
	cert *x509.Certificate
	key  crypto.Signer
}

// KeyPair is a certificate and its key, in PEM files.
type KeyPair struct {
	CertFile, KeyFile string
	// File names a file with both, the key first, as Kafka's PEM key stores require.
	File string
}

// NewCA makes an authority.
func NewCA(tb testing.TB) *CA {
	tb.Helper()
	ca := &CA{tb: tb, dir: tb.TempDir(), now: time.Now()}
	template := ca.template("Millrace test authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	ca.key = ca.newKey()
	ca.cert = ca.sign(template, template, ca.key.Public(), ca.key)
	ca.File = ca.write("ca.pem", block("CERTIFICATE", ca.cert.Raw))
	return ca
}

// At returns the same authority at another time: its certificates are valid for some
// hours around it.
func (ca *CA) At(now time.Time) *CA {
	other := *ca
	other.dir, other.now = ca.tb.TempDir(), now
	return &other
}

// Server issues a certificate for the given host names and addresses.
func (ca *CA) Server(hosts ...string) KeyPair {
	ca.tb.Helper()
	template := ca.template(hosts[0])
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return ca.issue("server-"+hosts[0], template)
}

// Client issues a client certificate.
func (ca *CA) Client(commonName string) KeyPair {
	ca.tb.Helper()
	template := ca.template(commonName)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return ca.issue("client-"+commonName, template)
}

func (ca *CA) issue(name string, template *x509.Certificate) KeyPair {
	ca.tb.Helper()
	key := ca.newKey()
	cert := ca.sign(template, ca.cert, key.Public(), ca.key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		ca.tb.Fatalf("encode a key: %v", err)
	}
	keyPEM, certPEM := block("PRIVATE KEY", der), block("CERTIFICATE", cert.Raw)
	return KeyPair{
		CertFile: ca.write(name+".crt", certPEM),
		KeyFile:  ca.write(name+".key", keyPEM),
		File:     ca.write(name+".pem", append(keyPEM, certPEM...)),
	}
}

func (ca *CA) newKey() crypto.Signer {
	ca.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.tb.Fatalf("make a key: %v", err)
	}
	return key
}

func (ca *CA) sign(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	ca.tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		ca.tb.Fatalf("sign a certificate: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.tb.Fatalf("parse a certificate: %v", err)
	}
	return cert
}

func (ca *CA) write(name string, content []byte) string {
	ca.tb.Helper()
	file := filepath.Join(ca.dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		ca.tb.Fatalf("write a certificate: %v", err)
	}
	return file
}

func (ca *CA) template(commonName string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    ca.now.Add(-time.Hour),
		NotAfter:     ca.now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
