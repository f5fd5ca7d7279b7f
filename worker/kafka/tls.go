package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/millrace-dev/millrace/worker/config"
)

// tlsConfig reads the files that c names.
func tlsConfig(c *config.TLS) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		roots, err := readCAs(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.caFile: %w", err)
		}
		conf.RootCAs = roots
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return nil, errors.New("kafka.tls: certFile and keyFile belong together: set both or neither")
	}
	if c.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: read the client certificate %s with its key %s: %w", c.CertFile, c.KeyFile, err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

func readCAs(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}

// tlsFor returns the configuration for a connection to address: without a
// configured server name, the certificate must be for the host that is dialled.
func tlsFor(conf *tls.Config, address string) *tls.Config {
	if conf.ServerName != "" {
		return conf
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	conf = conf.Clone()
	conf.ServerName = host
	return conf
}
