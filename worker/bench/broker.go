package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// brokerPatience is how long Apache Kafka may take to start.
const brokerPatience = time.Minute

// broker is the broker that all programs of a comparison use.
type broker struct {
	name  string
	addrs []string
	stop  func()
}

// startBroker starts an Apache Kafka, or the embedded broker on a machine without Java.
func startBroker(ctx context.Context) (*broker, error) {
	if _, err := exec.LookPath("java"); err != nil {
		fmt.Fprintln(os.Stderr, "Java is missing: using the embedded broker instead of Apache Kafka")
		return startEmbedded()
	}
	return startApache(ctx)
}

func startEmbedded() (*broker, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	return &broker{name: "embedded (kfake)", addrs: cluster.ListenAddrs(), stop: cluster.Close}, nil
}

func startApache(ctx context.Context) (*broker, error) {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) }
	address, properties, err := writeProperties(dir)
	if err != nil {
		clean()
		return nil, err
	}
	if out, err := kafkaScript("format", properties).CombinedOutput(); err != nil {
		clean()
		return nil, fmt.Errorf("format the broker's log directory: %w\n%s", err, out)
	}
	server := kafkaScript("run", properties)
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // keeps Ctrl-C from the broker
	if err := server.Start(); err != nil {
		clean()
		return nil, fmt.Errorf("start Apache Kafka: %w", err)
	}
	b := &broker{name: "Apache Kafka (hack/kafka.sh)", addrs: []string{address}, stop: func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		_ = server.Wait()
		clean()
	}}
	if err := b.await(ctx); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func kafkaScript(args ...string) *exec.Cmd {
	cmd := exec.Command("hack/kafka.sh", args...)
	cmd.Env = append(os.Environ(), "KAFKA_JVM_OPTS=-Xms1g -Xmx1g")
	return cmd
}

// writeProperties writes the configuration of a broker that is its own controller and
// keeps its data in dir.
func writeProperties(dir string) (address, file string, err error) {
	address, err = freeAddress()
	if err != nil {
		return "", "", err
	}
	controller, err := freeAddress()
	if err != nil {
		return "", "", err
	}
	lines := []string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.bootstrap.servers=" + controller,
		"controller.listener.names=CONTROLLER",
		"inter.broker.listener.name=PLAINTEXT",
		"listeners=PLAINTEXT://" + address + ",CONTROLLER://" + controller,
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs=" + filepath.Join(dir, "data"),
		"group.initial.rebalance.delay.ms=0",
		"offsets.topic.num.partitions=1",
		"offsets.topic.replication.factor=1",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
	}
	file = filepath.Join(dir, "server.properties")
	return address, file, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

// await waits until the broker answers.
func (b *broker) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, brokerPatience)
	defer cancel()
	for {
		client, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
		if err != nil {
			return err
		}
		err = client.Ping(ctx)
		client.Close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s did not answer within %s", b.name, brokerPatience), err)
		}
	}
}
