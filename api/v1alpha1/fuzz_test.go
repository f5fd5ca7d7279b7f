package v1alpha1

import (
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

// FuzzDecode checks that Decode never panics, and that an accepted manifest means the
// same when it is written and read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		least, full, "", "{}", "---\n---\n", "- 1", "'", "a: &a [*a]", least + "---\nx",
		`{"apiVersion":"millrace.dev/v1alpha1","kind":"StreamProcessor","spec":{"replicas":0}}`,
		least + "  inFlight: {bytes: 1e3, records: 1e3}\n  autoscaling: {minReplicas: 0, maxReplicas: 2}",
		least + "  failure: {timeout: 1h2m3.004s, backoff: {max: }}\n  template: {metadata: {labels: {a: b}}}",
		least + "  template: {spec: {containers: [{name: worker, $patch: replace, resources: {limits: {cpu: 1e3}}}, {name: b}], volumes: null}}",
		least + "status: {observedGeneration: 3, input: {lag: 5}, conditions: [{type: Ready, lastTransitionTime: \"2026-01-01T00:00:00Z\"}]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, manifest []byte) {
		sp, err := Decode(manifest)
		if err != nil {
			return
		}
		written, err := yaml.Marshal(sp)
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		again, err := Decode(written)
		if err != nil {
			t.Fatalf("read back: %v\n%s", err, written)
		}
		if !apiequality.Semantic.DeepEqual(again, sp) {
			t.Errorf("read back\n%+v\nwant\n%+v\nwritten as\n%s", again, sp, written)
		}
	})
}
