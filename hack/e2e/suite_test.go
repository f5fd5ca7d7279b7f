//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

const (
	root      = "../.."
	release   = "millrace"
	system    = "millrace-system" // the operator's namespace
	operator  = "millrace-operator"
	namespace = "default" // the StreamProcessors'
)

// patience is the deadline of a step without another deadline.
const patience = 90 * time.Second

// suite is the cluster, the broker and their clients. Each subtest gets a copy with its own
// testing.T.
type suite struct {
	*testing.T
	cluster *cluster.Cluster
	kafka   *kafkatest.Cluster
	client  client.WithWatch

	binaries, out string
}

// setting returns an environment variable that hack/e2e/run.sh sets.
func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		prerequisite.Missing(t, "run make e2e, which prepares a node for this test")
	}
	return value
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	s := &suite{T: t, binaries: setting(t, "MILLRACE_E2E_BIN"), out: setting(t, "MILLRACE_E2E_OUT")}
	pause := filepath.Join(s.out, "pause.tar")
	if err := cluster.WriteImage(pause, cluster.PauseImage, filepath.Join(s.out, "pause")); err != nil {
		t.Fatal(err)
	}
	var err error
	s.cluster, err = cluster.Start(t.Context(), cluster.Config{
		Binaries: s.binaries,
		Pause:    pause,
		State:    setting(t, "MILLRACE_E2E_STATE"),
		Logs:     setting(t, "MILLRACE_E2E_LOGS"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.connect()
	return s
}

// connect creates the client of the API server.
func (s *suite) connect() {
	s.Helper()
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		s.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.cluster.Kubeconfig())
	if err != nil {
		s.Fatal(err)
	}
	// The test asks often, so its client has no rate limit.
	config.QPS = -1
	if s.client, err = client.NewWithWatch(config, client.Options{Scheme: scheme.Scheme}); err != nil {
		s.Fatal(err)
	}
}

// step runs a part of the scenario as a subtest. Later steps need it to succeed.
func (s *suite) step(name string, run func(*suite)) {
	s.Helper()
	ok := s.Run(name, func(t *testing.T) {
		view := *s
		view.T, view.kafka = t, s.kafka.For(t)
		started := time.Now()
		run(&view)
		t.Logf("took %v", time.Since(started).Round(100*time.Millisecond))
	})
	if !ok {
		s.FailNow()
	}
}

// await waits until check returns nil. If it never does, await fails the test with the last
// error.
func (s *suite) await(what string, limit time.Duration, check func() error) {
	s.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		err := check()
		if err == nil {
			return
		}
		if ended := s.cluster.Ended(); ended != nil {
			s.Fatal(ended)
		}
		if time.Now().After(deadline) {
			s.Fatalf("waited %v in vain: %s: %v", limit, what, err)
		}
	}
}

// kubectl runs kubectl and returns its standard output.
func (s *suite) kubectl(args ...string) string {
	s.Helper()
	return s.program("", s.tool("kubectl"), args...)
}

// apply applies a manifest.
func (s *suite) apply(manifest string) {
	s.Helper()
	s.program(manifest, s.tool("kubectl"), "apply", "-f", "-")
}

func (s *suite) helm(args ...string) string {
	s.Helper()
	return s.program("", filepath.Join(root, "bin", "helm"), args...)
}

// tool returns the path of one of the cluster's programs.
func (s *suite) tool(name string) string { return filepath.Join(s.binaries, name) }

// program runs kubectl or helm, and fails the test if that fails.
func (s *suite) program(input, path string, args ...string) string {
	s.Helper()
	out, err := s.try(input, path, args...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *suite) try(input, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := s.command(ctx, path, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(out), fmt.Errorf("%s %s: %w\n%s", filepath.Base(path), strings.Join(args, " "), err, out)
}

// command returns a command that uses the cluster. Helm's files go to a temporary directory.
func (s *suite) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.cluster.Kubeconfig(), "HOME="+s.cluster.State)
	return cmd
}

// watch runs kubectl get sp -w, which writes to a file, until it is stopped.
func (s *suite) watch(file string) (stop func()) {
	s.Helper()
	out, err := os.Create(filepath.Join(s.out, file))
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := s.command(ctx, s.tool("kubectl"), "get", "sp", "--watch")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	return sync.OnceFunc(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		_ = out.Close()
	})
}

// keep writes the output that a person would see to a file, for docs/status.md.
func (s *suite) keep(name, content string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.out, name), []byte(content), 0o644); err != nil {
		s.Fatal(err)
	}
}
