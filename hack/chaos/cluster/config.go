package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
)

const (
	size      = 3 // brokers
	minInSync = 2 // replicas that a write has to reach
)

// Config says where and how a cluster runs.
type Config struct {
	// Dir gets a directory for each broker, with its configuration, data and log.
	Dir string
	// Script is the path of hack/kafka.sh.
	Script string
	// JVMOptions replace those of this package.
	JVMOptions string
	// Advertised are the addresses that the workers are told, one for each broker. If it is
	// empty, they are told where the brokers listen.
	Advertised []string
	// Properties are lines of each broker's server.properties. They replace this package's.
	Properties map[string]string
}

// jvmOptions keep three brokers small and quick to start.
const jvmOptions = "-Xms128m -Xmx320m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"

// The user that the workers log in as, by SASL/PLAIN.
const (
	userName     = "worker"
	userPassword = "worker-secret"
)

// properties returns the lines of a broker's server.properties.
func (b *broker) properties() map[string]string {
	return map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        fmt.Sprint(b.id),
		"log.dirs":                       filepath.Join(b.dir, "data"),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "DIRECT",
		"listeners":                      fmt.Sprintf("DIRECT://%s,SUBJECTS://%s,CONTROLLER://%s", b.direct, b.workers, b.controller),
		"advertised.listeners":           fmt.Sprintf("DIRECT://%s,SUBJECTS://%s", b.direct, b.advertised),
		"listener.security.protocol.map": "DIRECT:PLAINTEXT,SUBJECTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",

		"sasl.enabled.mechanisms": "PLAIN",
		"listener.name.subjects.plain.sasl.jaas.config": fmt.Sprintf(
			"org.apache.kafka.common.security.plain.PlainLoginModule required user_%s=%q;", userName, userPassword),
		"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":           "User:ANONYMOUS",

		"auto.create.topics.enable":                "false",
		"default.replication.factor":               fmt.Sprint(size),
		"min.insync.replicas":                      fmt.Sprint(minInSync),
		"offsets.topic.num.partitions":             "3",
		"offsets.topic.replication.factor":         fmt.Sprint(size),
		"transaction.state.log.num.partitions":     "3",
		"transaction.state.log.replication.factor": fmt.Sprint(size),
		"transaction.state.log.min.isr":            fmt.Sprint(minInSync),
		"group.initial.rebalance.delay.ms":         "0",
		"group.min.session.timeout.ms":             "1000",

		// The controllers notice soon that a broker is dead, and it may register again as soon.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",
		"replica.lag.time.max.ms":      "5000",
		// Leaders move when the run moves them.
		"auto.leader.rebalance.enable": "false",
		// The default of 128 MiB is for larger heaps.
		"log.cleaner.dedupe.buffer.size": "4194304",
		"num.io.threads":                 "4",
		"num.network.threads":            "2",
	}
}

// lines formats properties as a file, in a fixed order.
func lines(properties map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&b, "%s=%s\n", key, properties[key])
	}
	return b.String()
}

// freeAddresses returns n free addresses of the loopback. Their ports are below the range
// from which systems take the ports of outgoing connections, so they stay free while
// their broker is down.
func freeAddresses(n int) ([]string, error) {
	const first, count = 15000, 15000
	var addresses []string
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		// The listener stays open until all are found, so that none is found twice.
		defer func() { _ = listener.Close() }()
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("did not find %d free ports", n)
}
