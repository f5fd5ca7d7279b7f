package controllers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	workerconfig "github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

// testCluster is one namespace of a real API server, as its administrator sees it.
type testCluster struct {
	*testing.T
	api       *controllerstest.API
	client    client.Client // the administrator's
	namespace string
	user      string // the operator's
}

// operator is an operator that looks after the namespace, with the permissions of
// config/rbac. The test fakes Kafka and the pods.
type operator struct {
	*testCluster
	kafka *fakeKafka
	// watch returns a watcher of Kafka that takes the place of kafka; nil for kafka.
	watch  func(*Wakes, ctrl.Manager) KafkaWatch
	pods   *fakePods
	checks atomic.Int64 // of expressions
	// rollouts is Options.MaxRollouts, home Options.Operator.
	rollouts int
	home     string
	overlap  func(*http.Request) error
	stop     func()
}

func startOperator(t *testing.T, partitions int) *operator {
	t.Helper()
	o := newOperator(t, partitions)
	o.run(plan.Environment{WorkerImage: "worker:1"})
	return o
}

// newOperator returns an operator that does not run yet.
func newOperator(t *testing.T, partitions int) *operator {
	t.Helper()
	api := controllerstest.Start(t)
	c := &testCluster{T: t, api: api, client: api.Client, namespace: api.Namespace(t)}
	c.user = "operator-" + c.namespace
	c.grant()
	return &operator{testCluster: c, kafka: newFakeKafka(partitions), pods: newFakePods()}
}

// loggerUntilTheEnd writes into the test's log as long as the test runs. Recording an
// event in the background may fail after that.
func loggerUntilTheEnd(t *testing.T) logr.Logger {
	var mu sync.Mutex
	ended := false
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	})
	return funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			t.Log(prefix, args)
		}
	}, funcr.Options{})
}

// grant gives the operator's user the rules of config/rbac.
func (c *testCluster) grant() {
	c.Helper()
	content, err := os.ReadFile("../config/rbac/role.yaml")
	if err != nil {
		c.Fatal(err)
	}
	var role rbacv1.ClusterRole // the first document
	if err := yaml.Unmarshal(firstDocument(content), &role); err != nil {
		c.Fatal(err)
	}
	role.Name = c.user
	c.create(&role)
	c.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: c.user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: c.user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: c.user}},
	})
}

func firstDocument(content []byte) []byte {
	first, _, _ := bytes.Cut(bytes.TrimPrefix(content, []byte("---\n")), []byte("\n---\n"))
	return first
}

func containsWords(message string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(message, word) })
}

// run starts the operator, and stops a running one before.
func (o *operator) run(env plan.Environment) {
	o.Helper()
	if o.stop != nil {
		o.stop()
	}
	mgr, err := ctrl.NewManager(o.api.User(o.T, o.user), ctrl.Options{
		Scheme: o.api.Scheme, Logger: loggerUntilTheEnd(o.T),
		Cache:      CacheOptions([]string{o.namespace}),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		o.Fatal(err)
	}
	wakes := &Wakes{}
	o.kafka.wake, o.pods.wake = wakes.Wake, wakes.Wake
	references, err := NewReferences(mgr, []string{o.namespace})
	if err != nil {
		o.Fatal(err)
	}
	var watch KafkaWatch = o.kafka
	if o.watch != nil {
		watch = o.watch(wakes, mgr)
	}
	r := New(Options{
		Client: mgr.GetClient(), Reader: mgr.GetAPIReader(), References: references, Events: mgr.GetEventRecorder(resources.Manager),
		Kafka: watch, Pods: o.pods, Clock: clock.RealClock{}, Environment: env,
		MaxRollouts: o.rollouts, Operator: o.home,
		CheckExpressions: func(c workerconfig.CEL) error {
			o.checks.Add(1)
			return cel.Check(c)
		},
	})
	o.overlap = r.CheckOverlap
	ctx, cancel := context.WithCancel(context.Background())
	if err := r.SetupWithManager(ctx, mgr, wakes); err != nil {
		o.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	o.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			o.Errorf("the operator ended: %v", err)
		}
		o.stop = nil
	}
	o.Cleanup(func() {
		if o.stop != nil {
			o.stop()
		}
	})
}

// processor makes a StreamProcessor that copies a topic.
func (c *testCluster) processor(name string, change ...func(*v1alpha1.StreamProcessor)) *v1alpha1.StreamProcessor {
	c.Helper()
	sp := &v1alpha1.StreamProcessor{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace},
		Spec: v1alpha1.StreamProcessorSpec{
			Kafka:     v1alpha1.KafkaSpec{BootstrapServers: []string{"kafka:9092"}},
			Input:     v1alpha1.InputSpec{Topic: "orders"},
			Output:    &v1alpha1.OutputSpec{Topic: "enriched"},
			Processor: v1alpha1.ProcessorSpec{CEL: &v1alpha1.CELSpec{}},
			Replicas:  new(int32(2)),
		},
	}
	for _, do := range change {
		do(sp)
	}
	c.create(sp)
	return sp
}

// overlay returns a template with a part of a pod's spec, in JSON.
func overlay(spec string) *v1alpha1.PodTemplateSpec {
	return &v1alpha1.PodTemplateSpec{Spec: &runtime.RawExtension{Raw: []byte(spec)}}
}

func (c *testCluster) create(object client.Object) {
	c.Helper()
	if err := c.client.Create(c.Context(), object); err != nil {
		c.Fatalf("create %T: %v", object, err)
	}
}

// update changes a StreamProcessor as a user does.
func (c *testCluster) update(name string, change func(*v1alpha1.StreamProcessor)) {
	c.Helper()
	c.eventually("an update of "+name, func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := c.client.Get(c.Context(), c.key(name), sp); err != nil {
			return err
		}
		change(sp)
		return c.client.Update(c.Context(), sp)
	})
}

func (c *testCluster) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: c.namespace, Name: name}
}

// eventually waits until check returns nil.
func (c *testCluster) eventually(what string, check func() error) {
	c.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	err := errors.New("not tried")
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		if err = check(); err == nil {
			return
		}
	}
	c.Fatalf("waited in vain for %s: %v", what, err)
}

// deployment waits until the Deployment of a StreamProcessor passes check.
func (c *testCluster) deployment(name string, check func(*appsv1.Deployment) error) *appsv1.Deployment {
	c.Helper()
	d := &appsv1.Deployment{}
	c.eventually("the Deployment of "+name, func() error {
		if err := c.client.Get(c.Context(), c.key(name+"-worker"), d); err != nil {
			return err
		}
		return check(d)
	})
	return d
}

// file returns the ConfigMap that the Deployment of a StreamProcessor refers to.
func (c *testCluster) file(name string) *corev1.ConfigMap {
	c.Helper()
	config := &corev1.ConfigMap{}
	c.deployment(name, func(d *appsv1.Deployment) error {
		return c.client.Get(c.Context(), c.key(fileOf(d)), config)
	})
	return config
}

// expressions returns the ConfigMap with the expressions of the Deployment's pods.
func (c *testCluster) expressions(name string) *corev1.ConfigMap {
	c.Helper()
	config := &corev1.ConfigMap{}
	c.deployment(name, func(d *appsv1.Deployment) error {
		return c.client.Get(c.Context(), c.key(fileOf(d)+"-expressions"), config)
	})
	return config
}

// fileOf returns the name of the ConfigMap that a Deployment refers to.
func fileOf(d *appsv1.Deployment) string {
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.ConfigMap != nil {
			return v.ConfigMap.Name
		}
	}
	return ""
}

// replicas waits until the Deployment asks for so many pods.
func (c *testCluster) replicas(name string, want int32) *appsv1.Deployment {
	c.Helper()
	return c.deployment(name, func(d *appsv1.Deployment) error {
		if *d.Spec.Replicas != want {
			return fmt.Errorf("it asks for %d pods, not %d", *d.Spec.Replicas, want)
		}
		return nil
	})
}

// settle sets the Deployment's status as if all pods run.
func (c *testCluster) settle(name string) {
	c.Helper()
	c.deployment(name, func(d *appsv1.Deployment) error {
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		}
		return c.client.Status().Update(c.Context(), d)
	})
}

// runs waits until the Deployment asks for so many pods and the status says that they
// run. It settles the Deployment until then.
func (o *operator) runs(name string, want int32) *appsv1.Deployment {
	o.Helper()
	var d *appsv1.Deployment
	o.eventually(fmt.Sprintf("%d pods of %s to run", want, name), func() error {
		d = o.replicas(name, want)
		if d.Status.ObservedGeneration < d.Generation || d.Status.ReadyReplicas != want {
			o.settle(name)
			return errUnsettled
		}
		sp := &v1alpha1.StreamProcessor{}
		if err := o.client.Get(o.Context(), o.key(name), sp); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(sp.Status.Conditions, "Ready"); c == nil || c.Reason != "Running" || sp.Status.ReadyReplicas != want {
			return fmt.Errorf("its status is %+v", sp.Status)
		}
		return nil
	})
	return d
}

// expect waits for a condition of the present generation with words in its message. The
// status "" stands for no such condition.
func (c *testCluster) expect(name, kind string, status metav1.ConditionStatus, reason string, words ...string) *v1alpha1.StreamProcessor {
	c.Helper()
	sp := &v1alpha1.StreamProcessor{}
	c.eventually(fmt.Sprintf("%s of %s to be %s/%s %q", kind, name, status, reason, words), func() error {
		if err := c.client.Get(c.Context(), c.key(name), sp); err != nil {
			return err
		}
		if sp.Status.ObservedGeneration != sp.Generation {
			return fmt.Errorf("the status is of generation %d, not %d", sp.Status.ObservedGeneration, sp.Generation)
		}
		shown := meta.FindStatusCondition(sp.Status.Conditions, kind)
		if shown == nil {
			shown = &metav1.Condition{}
		}
		if shown.Status != status || shown.Reason != reason || !containsWords(shown.Message, words) {
			return fmt.Errorf("it is %s/%s: %s", shown.Status, shown.Reason, shown.Message)
		}
		return nil
	})
	return sp
}

// event waits for an event about a StreamProcessor.
func (c *testCluster) event(name, reason string) {
	c.Helper()
	c.eventSays(name, reason, "")
}

// eventSays waits for an event with a text in its message.
func (c *testCluster) eventSays(name, reason, text string) {
	c.Helper()
	c.eventually("an event "+reason, func() error {
		var list corev1.EventList
		if err := c.client.List(c.Context(), &list, client.InNamespace(c.namespace)); err != nil {
			return err
		}
		var seen []string
		for _, e := range list.Items {
			if e.InvolvedObject.Name == name && e.Reason == reason && strings.Contains(e.Message, text) {
				return nil
			}
			seen = append(seen, e.InvolvedObject.Name+": "+e.Reason+": "+e.Message)
		}
		return fmt.Errorf("there are %q", seen)
	})
}
