package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/millrace-dev/millrace/worker/config"
)

// TLSConfig reads the files that c names. field is the path of c in the configuration, for
// errors.
func TLSConfig(c *config.TLS, field string) (*tls.Config, error) { return onDisk.tls(c, field) }

// tls is like TLSConfig, and reads the files from f.
func (f Files) tls(c *config.TLS, field string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	ca, err := f.authorities(field+".caFiles", c.CAFiles)
	if err != nil {
		return nil, err
	}
	if conf.RootCAs, err = rootsOf(ca); err != nil {
		return nil, fmt.Errorf("%s.caFiles: %w", field, err)
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return nil, fmt.Errorf("%s: certFile and keyFile belong together: set both or neither", field)
	}
	if c.CertFile != "" {
		pair, err := f.keyPair(c)
		if err != nil {
			return nil, fmt.Errorf("%s: read the client certificate %s with its key %s: %w", field, c.CertFile, c.KeyFile, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

func (f Files) keyPair(c *config.TLS) (tls.Certificate, error) {
	cert, err := f.Read(c.CertFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := f.Read(c.KeyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// authorities returns the content of all files. Each must contain a certificate.
func (f Files) authorities(field string, files []string) ([]byte, error) {
	var all []byte
	for i, file := range files {
		pem, err := f.Read(file)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", field, i, err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s[%d]: %s holds no PEM certificate", field, i, file)
		}
		all = append(append(all, pem...), '\n')
	}
	return all, nil
}

// rootsOf returns the authorities in ca, in PEM. If ca is empty, it returns nil, which
// stands for those of the system.
func rootsOf(ca []byte) (*x509.CertPool, error) {
	if len(ca) == 0 {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA holds no PEM certificate")
	}
	return roots, nil
}

// tlsFor returns the configuration for a connection to address: without a configured
// server name, the certificate must be for the host of the address.
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
