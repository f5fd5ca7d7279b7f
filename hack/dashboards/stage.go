package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/millrace-dev/millrace/hack/chaos/process"
)

// namespace is that of the StreamProcessors.
const namespace = "shop"

// patience is how long a program may take to be ready.
const patience = 2 * time.Minute

// stage is all that is running. It has no nodes: workers are processes beside the API server,
// and the stage tells the Deployments how many of them there are, as a cluster would.
type stage struct {
	dir        string
	brokers    *kfake.Cluster
	api        *envtest.Environment
	client     client.Client
	kubeconfig string
	operator   string // the address of its metrics
	prometheus *prometheus
	children   []*process.Process
	ports      map[string]string // of workers' metrics, by the name of the pod
}

// open starts everything but the workers.
func (s *stage) open(ctx context.Context) (err error) {
	s.ports = map[string]string{}
	if s.brokers, err = kfake.NewCluster(kfake.NumBrokers(1)); err != nil {
		return fmt.Errorf("start a broker: %w", err)
	}
	for _, p := range processors {
		if err := s.createTopics(p); err != nil {
			return err
		}
	}
	if err := s.openCluster(ctx); err != nil {
		return err
	}
	for _, w := range workers {
		if s.ports[w.pod], err = unusedAddress(); err != nil {
			return err
		}
	}
	return s.openPrometheus(ctx)
}

func (s *stage) createTopics(p processor) error {
	if p.partitions == 0 {
		return nil // the missing topic is the point of it
	}
	for _, topic := range []string{p.name, p.name + "-done", p.name + "-dlq"} {
		if err := s.brokers.CreateTopic(topic, p.partitions, nil); err != nil {
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
	}
	return nil
}

// openCluster starts the API server and the operator, and applies the StreamProcessors.
func (s *stage) openCluster(ctx context.Context) error {
	s.api = &envtest.Environment{CRDDirectoryPaths: []string{"config/crd/bases"}, ErrorIfCRDPathMissing: true}
	if _, err := s.api.Start(); err != nil {
		return fmt.Errorf("start the API server: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	var err error
	if s.client, err = client.New(s.api.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	for _, name := range []string{namespace, "millrace-system"} {
		if err := s.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	for _, p := range processors {
		manifest, err := p.object(s.brokers.ListenAddrs())
		if err != nil {
			return err
		}
		if err := s.client.Create(ctx, manifest); err != nil {
			return fmt.Errorf("create the StreamProcessor %s: %w", p.name, err)
		}
	}
	return s.startOperator(ctx)
}

func (s *stage) startOperator(ctx context.Context) (err error) {
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	if err := os.WriteFile(s.kubeconfig, s.api.KubeConfig, 0o600); err != nil {
		return err
	}
	if s.operator, err = unusedAddress(); err != nil {
		return err
	}
	cmd := exec.Command("bin/operator", "--worker-image=worker:test", "--leader-elect", "--leader-elect-namespace=millrace-system",
		"--metrics-secure=false", "--metrics-bind-address="+s.operator, "--health-probe-bind-address=0",
		"--denied-brokers=192.0.2.0/24") // the broker is on the loopback
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	if err := s.start(cmd, "operator"); err != nil {
		return err
	}
	return answers(ctx, "http://"+s.operator+"/metrics")
}

// start starts a child, whose output goes into a file.
func (s *stage) start(cmd *exec.Cmd, name string) error {
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	child, err := process.Start(cmd)
	if err != nil {
		return err
	}
	s.children = append(s.children, child)
	go func() {
		if err := child.Err(); err != nil {
			text, _ := os.ReadFile(log.Name())
			fmt.Fprintf(os.Stderr, "dashboards: %s has ended: %v\n%s\n", name, err, text[max(0, len(text)-2000):])
		}
	}()
	return nil
}

// report tells the Deployments how many of their pods are ready.
func (s *stage) report(ctx context.Context, ready map[string]int32) error {
	for name, count := range ready {
		deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-worker"}}
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(deployment), deployment); err != nil {
			if apierrors.IsNotFound(err) {
				continue // the operator has yet to make it
			}
			return err
		}
		before := deployment.DeepCopy()
		st := &deployment.Status
		st.ObservedGeneration = deployment.Generation
		st.Replicas, st.UpdatedReplicas, st.ReadyReplicas, st.AvailableReplicas = count, count, count, count
		if err := s.client.Status().Patch(ctx, deployment, client.MergeFrom(before)); err != nil {
			return fmt.Errorf("report the pods of %s: %w", name, err)
		}
	}
	return nil
}

// close ends everything that was started.
func (s *stage) close() {
	for _, child := range slices.Backward(s.children) {
		child.Terminate()
		select {
		case <-child.Exited():
		case <-time.After(20 * time.Second):
			child.Kill()
		}
	}
	if s.api != nil {
		_ = s.api.Stop()
	}
	if s.brokers != nil {
		s.brokers.Close()
	}
}

// unusedAddress returns an address of this machine that nobody listens at.
func unusedAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// answers waits until a URL does.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(response.Status)
		}
		last = err
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", url, errors.Join(ctx.Err(), last))
		}
	}
}
