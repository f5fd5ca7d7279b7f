package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
)

// world is a cluster in memory. Its API server fails with the probability faults.
type world struct {
	*testing.T
	client.Client
	rand   *rand.Rand
	faults float64
	// opts are those of r; opts.Client is w.Client, or what intercept puts before it.
	opts  Options
	r     *Reconciler
	kafka *fakeKafka
	clock *clocktesting.FakePassiveClock
}

var worldKey = types.NamespacedName{Namespace: "shop", Name: "enrich"}

func newWorld(t *testing.T, seed uint64) *world {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, rand: rand.New(rand.NewPCG(seed, 1)), kafka: newFakeKafka(6), clock: clocktesting.NewFakePassiveClock(time.Unix(1000, 0))}
	w.Client = fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&v1alpha1.StreamProcessor{}, &appsv1.Deployment{}).
		WithIndex(&v1alpha1.StreamProcessor{}, groupIndex, new(groups).indexKeys).
		WithInterceptorFuncs(w.faulty()).Build()
	w.kafka.facts.At = time.Unix(999, 0)
	w.restart()
	return w
}

// restart makes a reconciler that knows nothing, with changed options.
func (w *world) restart(change ...func(*Options)) {
	w.opts = Options{
		Client: &intercepted{w.Client}, Reader: w.Client, Events: events.NewFakeRecorder(10_000),
		Kafka: w.kafka, Pods: newFakePods(), Clock: w.clock,
		Environment: plan.Environment{WorkerImage: "worker:1"},
	}
	for _, c := range change {
		c(&w.opts)
	}
	w.r = New(w.opts)
}

// intercepted is a client that a test may replace while the reconciler runs.
type intercepted struct{ client.Client }

// intercept puts functions between the reconciler and its client.
func (w *world) intercept(funcs interceptor.Funcs) {
	w.opts.Client.(*intercepted).Client = interceptor.NewClient(w.Client.(client.WithWatch), funcs)
}

var errInjected = errors.New("injected")

func (w *world) fault() error {
	if w.rand.Float64() >= w.faults {
		return nil
	}
	if w.rand.IntN(2) == 0 {
		return apierrors.NewConflict(schema.GroupResource{Resource: "things"}, "enrich", errInjected)
	}
	return apierrors.NewInternalError(errInjected)
}

// faulty returns functions that fail before a request has an effect, or after it, as if
// the answer got lost.
func (w *world) faulty() interceptor.Funcs {
	around := func(do func() error) error {
		if err := w.fault(); err != nil {
			return err
		}
		return errors.Join(do(), w.fault())
	}
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if err := w.fault(); err != nil {
				return err
			}
			return c.Get(ctx, key, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return around(func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return around(func() error { return c.Apply(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return around(func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			return around(func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
		},
	}
}

// acts returns events from outside. They lead to the same state in any order.
func (w *world) acts() []func() {
	change := func(change func(*v1alpha1.StreamProcessorSpec)) func() {
		return func() {
			sp := &v1alpha1.StreamProcessor{}
			w.must(w.Get(w.Context(), worldKey, sp))
			change(&sp.Spec)
			sp.Generation++
			w.must(w.Update(w.Context(), sp))
		}
	}
	return []func(){
		change(func(s *v1alpha1.StreamProcessorSpec) { s.Replicas = new(int32(9)) }),
		change(func(s *v1alpha1.StreamProcessorSpec) { s.Ordering = v1alpha1.Key }),
		change(func(s *v1alpha1.StreamProcessorSpec) { s.Processor.CEL.Filter = "json.total > 0" }),
		change(func(s *v1alpha1.StreamProcessorSpec) {
			s.Template = overlay(`{"nodeSelector": {"disk": "fast"}}`)
		}),
		func() {
			w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions = make([]kafkawatch.Partition, 8) })
		},
		func() { w.kafka.change(func(f *kafkawatch.Facts) { f.Err = errNoBroker }) },
		func() { w.restart() },
		w.drift, w.drift,
		w.settle, w.settle,
	}
}

// drift has somebody change the Deployment, if there is one yet.
func (w *world) drift() {
	d := &appsv1.Deployment{}
	if w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: "enrich-worker"}, d) == nil {
		d.Spec.Replicas = new(int32(1))
		d.Generation++
		w.must(w.Update(w.Context(), d))
	}
}

// settle sets the Deployment's status as its controller would.
func (w *world) settle() {
	d := &appsv1.Deployment{}
	if w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: "enrich-worker"}, d) != nil {
		return
	}
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n}
	w.must(w.Status().Update(w.Context(), d))
}

// must fails the test for an error of the test's own calls.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) reconcile() {
	ctx := ctrl.LoggerInto(w.Context(), logr.Discard())
	_, _ = w.r.Reconcile(ctx, ctrl.Request{NamespacedName: worldKey}) // tried again
	w.clock.SetTime(w.clock.Now().Add(time.Second))
}

// outside calls do without faults.
func (w *world) outside(do func()) {
	faults := w.faults
	w.faults = 0
	do()
	w.faults = faults
}

// processor makes the StreamProcessor, which copies a topic.
func (w *world) processor(autoscaling *v1alpha1.AutoscalingSpec) {
	w.Helper()
	sp := &v1alpha1.StreamProcessor{}
	sp.Name, sp.Namespace, sp.UID, sp.Generation = worldKey.Name, worldKey.Namespace, "1", 1
	sp.Spec = v1alpha1.StreamProcessorSpec{
		Kafka:       v1alpha1.KafkaSpec{BootstrapServers: []string{"kafka:9092"}},
		Input:       v1alpha1.InputSpec{Topic: "orders"},
		Output:      &v1alpha1.OutputSpec{Topic: "enriched"},
		Processor:   v1alpha1.ProcessorSpec{CEL: &v1alpha1.CELSpec{}},
		Autoscaling: autoscaling,
	}
	w.must(w.Create(w.Context(), sp))
}

// run mixes reconciliations and acts, and then reconciles without faults. It returns the
// final state.
func (w *world) run() string {
	w.processor(nil)
	w.faults = 0.3
	acts := w.acts()
	w.rand.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
	for _, act := range acts {
		for range w.rand.IntN(4) {
			w.reconcile()
		}
		w.outside(act)
	}
	w.faults = 0
	w.kafka.change(func(f *kafkawatch.Facts) { f.Err = nil })
	for range 3 {
		w.reconcile()
		w.settle()
		w.clock.SetTime(w.clock.Now().Add(figuresInterval))
	}
	w.reconcile()
	return w.state()
}

// state returns the objects without times and versions.
func (w *world) state() string {
	sp, d, c := &v1alpha1.StreamProcessor{}, &appsv1.Deployment{}, &corev1.ConfigMap{}
	w.must(w.Get(w.Context(), worldKey, sp))
	worker := types.NamespacedName{Namespace: "shop", Name: "enrich-worker"}
	w.must(w.Get(w.Context(), worker, d))
	w.must(w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: fileOf(d)}, c))
	e := &corev1.ConfigMap{}
	w.must(w.Get(w.Context(), types.NamespacedName{Namespace: "shop", Name: fileOf(d) + "-expressions"}, e))
	for i := range sp.Status.Conditions {
		sp.Status.Conditions[i].LastTransitionTime.Reset()
	}
	content, err := json.MarshalIndent([]any{sp.Status, d.Spec, d.Annotations, c.Data, e.Data}, "", " ")
	w.must(err)
	return string(content)
}

// TestAnyOrderEndsTheSame: faults, restarts of the operator and the order of events don't
// change the final state.
func TestAnyOrderEndsTheSame(t *testing.T) {
	want := newWorld(t, 0).run()
	for seed := range uint64(200) {
		if got := newWorld(t, seed+1).run(); got != want {
			t.Fatalf("seed %d ends with\n%s\nwant\n%s", seed+1, got, want)
		}
	}
	var status []json.RawMessage
	if err := json.Unmarshal([]byte(want), &status); err != nil {
		t.Fatal(err)
	}
	var s v1alpha1.StreamProcessorStatus
	if err := json.Unmarshal(status[0], &s); err != nil {
		t.Fatal(err)
	}
	if s.Replicas != 8 || s.ObservedGeneration != 5 {
		t.Errorf("final status: %s", status[0])
	}
}
