package cluster

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/hack/chaos/process"
)

// broker is one broker of a cluster, which may be down.
type broker struct {
	id                   int
	dir, script, options string

	direct, workers, controller string // where it listens
	advertised                  string // what the workers are told in place of workers

	mu      sync.Mutex
	process *process.Process // guarded by mu; nil before the first start
}

func (b *broker) propertiesFile() string { return filepath.Join(b.dir, "server.properties") }
func (b *broker) logFile() string        { return filepath.Join(b.dir, "broker.log") }

// configure writes server.properties. Later sets replace lines of earlier ones.
func (b *broker) configure(more ...map[string]string) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("make the directory of broker %d: %w", b.id, err)
	}
	properties := b.properties()
	for _, m := range more {
		maps.Copy(properties, m)
	}
	if err := os.WriteFile(b.propertiesFile(), []byte(lines(properties)), 0o600); err != nil {
		return fmt.Errorf("write the configuration of broker %d: %w", b.id, err)
	}
	return nil
}

func (b *broker) format(ctx context.Context) error {
	out, err := b.command(ctx, "format").CombinedOutput()
	if err != nil {
		return fmt.Errorf("format the data directory of broker %d: %w\n%s", b.id, err, out)
	}
	return nil
}

func (b *broker) command(ctx context.Context, verb string, options ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.script, verb, b.propertiesFile())
	cmd.Env = append(os.Environ(), "KAFKA_JVM_OPTS="+strings.Join(append(options, b.options), " "))
	return cmd
}

// classArchive returns the JVM's options for an archive of loaded classes, which halves
// the processor time of a start. The first broker that is shut down writes it.
func (b *broker) classArchive() []string {
	archive := filepath.Join(filepath.Dir(b.dir), "classes.jsa")
	if _, err := os.Stat(archive); err == nil {
		return []string{"-XX:SharedArchiveFile=" + archive}
	}
	return []string{"-XX:ArchiveClassesAtExit=" + archive, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"}
}

// launch starts the broker's process and waits for nothing.
func (b *broker) launch() error {
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of broker %d: %w", b.id, err)
	}
	defer func() { _ = log.Close() }()
	// The script's process becomes the JVM, which outlives the caller's context.
	cmd := b.command(context.Background(), "run", b.classArchive()...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := process.Start(cmd)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.process = p
	return nil
}

// current returns the broker's last process, or nil.
func (b *broker) current() *process.Process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.process
}

// awaitTakingPart waits until the broker answers and names itself. It does not before the
// controllers let it take part.
func (b *broker) awaitTakingPart(ctx context.Context) error {
	client, err := newClient(b.direct)
	if err != nil {
		return err
	}
	defer client.Close()
	p := b.current()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.Exited():
			cancel()
		case <-ctx.Done():
		}
	}()
	err = until(ctx, fmt.Sprintf("wait until broker %d takes part", b.id), func(ctx context.Context) error {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		res, err := client.SeedBrokers()[0].Request(ctx, req)
		if err != nil {
			return err
		}
		for _, named := range res.(*kmsg.MetadataResponse).Brokers {
			if int(named.NodeID) == b.id {
				return nil
			}
		}
		return fmt.Errorf("broker %d does not name itself", b.id)
	})
	if err != nil && !p.Running() {
		return fmt.Errorf("broker %d ended while it was starting: %w\n%s", b.id, p.Err(), logTail(b.logFile()))
	}
	return err
}

// logTail returns the end of a log, for an error.
func logTail(file string) string {
	const size = 4000
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-size):])
}
