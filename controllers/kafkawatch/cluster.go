package kafkawatch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

// Cluster says how to reach a cluster, from which namespace, and with which credentials.
type Cluster struct {
	// Namespace is that of the pods that read from the cluster. The operator resolves
	// the names of brokers as those pods do.
	Namespace string
	config.Kafka
	// Files holds the contents of the files that Kafka names.
	Files map[string][]byte
	// Tokens holds the service accounts whose tokens are in the other files that Kafka
	// names.
	Tokens map[string]ServiceAccount
}

// ServiceAccount is a service account of Kubernetes with the properties of its token.
type ServiceAccount struct {
	Namespace, Name string
	Audience        string
	// ExpirationSeconds is the requested lifetime of a token.
	ExpirationSeconds int64
}

// clientID identifies the operator in the brokers' logs and quotas.
const clientID = "millrace-operator"

func (c *Cluster) equal(o *Cluster) bool {
	return c.Namespace == o.Namespace && reflect.DeepEqual(c.Kafka, o.Kafka) &&
		maps.EqualFunc(c.Files, o.Files, bytes.Equal) && maps.Equal(c.Tokens, o.Tokens)
}

// identity identifies a cluster and credentials without holding them.
type identity [sha256.Size]byte

// identity does not depend on the order of the servers, nor on the names of files. It
// always depends on the namespace, because brokers may advertise short names.
func (c *Cluster) identity(credentials *kafka.SASL) identity {
	fields := [][]byte{[]byte(c.Namespace)}
	for _, server := range slices.Sorted(slices.Values(c.BootstrapServers)) {
		fields = append(fields, []byte(server))
	}
	fields = append(fields, nil) // ends the servers, none of which is empty
	if t := c.TLS; t != nil {
		fields = append(fields, []byte("tls"), []byte(t.ServerName), c.Files[t.CertFile], c.Files[t.KeyFile])
		for _, file := range t.CAFiles {
			fields = append(fields, c.Files[file])
		}
	}
	id := credentials.Identity()
	fields = append(fields, id[:])
	var b []byte
	for _, field := range fields {
		b = append(binary.AppendUvarint(b, uint64(len(field))), field...)
	}
	return sha256.Sum256(b)
}

// config reads the files in the same way as a worker.
func (c *Cluster) config(tokens func(ServiceAccount) kafka.TokenSource) (kafka.ClientConfig, error) {
	files := kafka.Files{
		Read: func(name string) ([]byte, error) {
			content, ok := c.Files[name]
			if !ok {
				return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
			}
			return content, nil
		},
		Tokens: func(name string) kafka.TokenSource { return tokens(c.Tokens[name]) },
	}
	return files.ConfigFrom(c.Kafka, clientID)
}

// connect returns a client for the cluster, which does not dial yet.
func (c *Cluster) connect(cfg kafka.ClientConfig, network *dial.Network, log logr.Logger) (*admin.Admin, error) {
	dialer := &dial.Dialer{Network: network, Namespace: c.Namespace}
	cfg.Dial, cfg.Trusts, cfg.Logger = dialer.Dial, dialer.Trusts, log
	return admin.New(cfg)
}
