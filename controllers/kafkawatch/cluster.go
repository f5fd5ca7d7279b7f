package kafkawatch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Cluster is how to reach a cluster, from where, and as whom.
type Cluster struct {
	// Namespace is where the pods are that read from the cluster: the names of its
	// brokers are resolved as theirs are.
	Namespace        string
	BootstrapServers []string
	// TLS is nil for a plaintext connection.
	TLS *TLS
	// SASL is nil for none.
	SASL *kafka.SASL
}

// TLS turns encryption on. All but the name are in PEM.
type TLS struct {
	// CA holds the authorities; empty for those of the system.
	CA []byte
	// Cert and Key are the client's certificate; empty for none.
	Cert, Key []byte
	// ServerName is what the brokers' certificates are for, "" for the address
	// that is dialled.
	ServerName string
}

// clientID is what brokers show in their logs and quotas.
const clientID = "millrace-operator"

func (c *Cluster) equal(o *Cluster) bool {
	return c.Namespace == o.Namespace && slices.Equal(c.BootstrapServers, o.BootstrapServers) && c.TLS.equal(o.TLS) && c.SASL.Equal(o.SASL)
}

func (t *TLS) equal(o *TLS) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.ServerName == o.ServerName &&
		bytes.Equal(t.CA, o.CA) && bytes.Equal(t.Cert, o.Cert) && bytes.Equal(t.Key, o.Key)
}

// identity tells clusters and credentials apart without holding them.
type identity [sha256.Size]byte

// identity does not depend on the order of the servers. It depends on the namespace
// even where these servers' names don't: brokers may advertise short ones.
func (c *Cluster) identity() identity {
	servers := slices.Sorted(slices.Values(c.BootstrapServers))
	fields := [][]byte{[]byte(c.Namespace)}
	for _, server := range servers {
		fields = append(fields, []byte(server))
	}
	fields = append(fields, nil) // no server is empty
	if t := c.TLS; t != nil {
		fields = append(fields, []byte("tls"), t.CA, t.Cert, t.Key, []byte(t.ServerName))
	}
	if s := c.SASL; s != nil {
		credentials := s.Identity()
		fields = append(fields, []byte("sasl"), credentials[:])
	}
	var b []byte
	for _, field := range fields {
		b = append(binary.AppendUvarint(b, uint64(len(field))), field...)
	}
	return sha256.Sum256(b)
}

// connect makes what asks the cluster; it does not dial yet.
func (c *Cluster) connect(network *dial.Network, log logr.Logger) (*kafka.Admin, error) {
	dialer := &dial.Dialer{Network: network, Namespace: c.Namespace}
	cfg := kafka.ClientConfig{
		BootstrapServers: c.BootstrapServers, ClientID: clientID, SASL: c.SASL, Logger: log,
		Dial: dialer.Dial, Trusts: dialer.Trusts,
	}
	if t := c.TLS; t != nil {
		conf, err := kafka.TLSFromPEM(t.CA, t.Cert, t.Key, t.ServerName)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: %w", err)
		}
		cfg.TLS = conf
	}
	return kafka.NewAdmin(cfg)
}
