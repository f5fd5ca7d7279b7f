package kafka

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/millrace-dev/millrace/worker/config"
)

// defaultPort is the port of a bootstrap server without one.
const defaultPort = "9092"

// ConfigFrom makes a client's configuration from the configuration file's part, and reads
// the files with certificates and credentials. topics are all topics that the client will
// use.
func ConfigFrom(k config.Kafka, clientID string, topics ...string) (ClientConfig, error) {
	return onDisk.ConfigFrom(k, clientID, topics...)
}

// ConfigFrom is like the function of this name, and reads the files from f.
func (f Files) ConfigFrom(k config.Kafka, clientID string, topics ...string) (ClientConfig, error) {
	cfg := ClientConfig{BootstrapServers: k.BootstrapServers, ClientID: clientID, Topics: topics}
	if _, err := bootstrapServers(k.BootstrapServers); err != nil {
		return ClientConfig{}, err
	}
	if k.TLS != nil {
		conf, err := f.tls(k.TLS, "kafka.tls")
		if err != nil {
			return ClientConfig{}, err
		}
		cfg.TLS = conf
	}
	if k.SASL != nil {
		credentials, err := f.sasl(k.SASL)
		if err != nil {
			return ClientConfig{}, err
		}
		cfg.SASL = credentials
	}
	return cfg, nil
}

// bootstrapServers returns the addresses in the form host:port.
func bootstrapServers(servers []string) ([]string, error) {
	if len(servers) == 0 {
		return nil, errors.New("kafka.bootstrapServers is empty: name at least one broker as host:port")
	}
	addresses := make([]string, 0, len(servers))
	for _, server := range servers {
		address, err := hostPort(server)
		if err != nil {
			return nil, fmt.Errorf("kafka.bootstrapServers: %q: %w", server, err)
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

func hostPort(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if missing, ok := errors.AsType[*net.AddrError](err); ok && missing.Err == "missing port in address" {
		host, port, err = strings.Trim(server, "[]"), defaultPort, nil
	}
	if err != nil {
		return "", fmt.Errorf("not an address of the form host:port: %w", err)
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	// With a comma, kafka-go would take the item for two addresses.
	if host == "" || strings.ContainsAny(host, ", /") {
		return "", errors.New("not an address of the form host:port, one in each item")
	}
	return net.JoinHostPort(host, port), nil
}
