package kafka

import (
	"crypto/tls"
	"fmt"
)

// TLSFromPEM makes a TLS configuration of what is in memory rather than in
// files. Without ca the system's authorities count; cert and key belong together
// and may both be empty; an empty serverName is the address that is dialled.
func TLSFromPEM(ca, cert, key []byte, serverName string) (*tls.Config, error) {
	roots, err := rootsOf(ca)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: serverName}
	if len(cert) == 0 && len(key) == 0 {
		return conf, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the client certificate with its key: %w", err)
	}
	conf.Certificates = []tls.Certificate{pair}
	return conf, nil
}
