package crd

import (
	"context"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestDefaultsEqualThoseOfALocalRun checks that a manifest means the same locally and in a
// cluster.
func TestDefaultsEqualThoseOfALocalRun(t *testing.T) {
	api := controllerstest.Start(t)
	for name, change := range map[string]string{
		"the least":   "",
		"no output":   spec("output: null, processor: {cel: {topic: key}}"),
		"no topic":    spec("output: {topic: null, kafka: {bootstrapServers: ['b:1'], tls: {ca: [{secretRef: {name: ca}}]}}}, processor: {cel: {topic: key}}"),
		"empty parts": spec("failure: {backoff: {}, deadLetter: {topic: d, create: {partitions: 1}}}, inFlight: {}, autoscaling: {maxReplicas: 3, behavior: {}, vertical: {maxCPU: 2}}, template: {spec: {nodeSelector: {b: c, a: d}}}, deployment: {}, kafka: {tls: {ca: [{secretRef: {name: ca}}, {configMapRef: {name: ca}}], certificateSecretRef: {name: a}, keySecretRef: {name: a}}}"),
		"a token":     sasl("mechanism: OAUTHBEARER, oauth: {serviceAccountToken: {audience: kafka}}"),
		"an endpoint": sasl("mechanism: OAUTHBEARER, oauth: {tokenEndpoint: {url: 'https://a/b', clientId: c, clientSecretRef: {name: d, key: e}, ca: [{configMapRef: {name: f}}]}}"),
		"zeros":       spec("replicas: 0, autoscaling: {minReplicas: 0, maxReplicas: 3}, suspend: false"),
		"other parts": spec("failure: {maxAttempts: 2, timeout: 3s}, inFlight: {bytes: 1Gi}, ordering: Partition"),
		"nulls":       spec("drainTimeout: null"),
	} {
		t.Run(name, func(t *testing.T) {
			sent := parse(t, least, change)
			manifest, err := yaml.Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			want, err := v1alpha1.Decode(manifest)
			if err != nil {
				t.Fatal(err)
			}
			sent.SetNamespace(api.Namespace(t))
			if err := strict(api).Create(context.Background(), sent); err != nil {
				t.Fatal(err)
			}
			got := &v1alpha1.StreamProcessor{}
			if err := api.Client.Get(context.Background(), client.ObjectKeyFromObject(sent), got); err != nil {
				t.Fatal(err)
			}
			if !apiequality.Semantic.DeepEqual(got.Spec, want.Spec) {
				t.Errorf("the server sets the defaults\n%s\nDefault sets\n%s", asYAML(t, got.Spec), asYAML(t, want.Spec))
			}
		})
	}
}

func TestEveryFieldIsKept(t *testing.T) {
	api := controllerstest.Start(t)
	sent := parse(t, full)
	want := asYAML(t, sent.Object["spec"])
	if err := try(api, sent); err != nil {
		t.Fatal(err)
	}
	if got := asYAML(t, sent.Object["spec"]); got != want {
		t.Errorf("the server stored\n%s\nwant\n%s", got, want)
	}
}

func asYAML(t *testing.T, value any) string {
	t.Helper()
	content, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
