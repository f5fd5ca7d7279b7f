package resources

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestChangesThatBreakWorkersAreRefused checks that the error names the field and a remedy.
func TestChangesThatBreakWorkersAreRefused(t *testing.T) {
	const at = "spec.template.spec.containers[0]"
	for template, want := range map[string]string{
		"{containers: [{$patch: delete, name: worker}]}":             "spec.template.spec.containers: the container worker can't be removed",
		"{containers: [{$patch: replace}, {name: other, image: a}]}": "spec.template.spec.containers: the container worker can't be removed",
		"{containers: null}":                                                                                               "spec.template.spec.containers: the container worker can't be removed",
		"{containers: [{name: worker, image: a}]}":                                                                         at + ".image: it is set elsewhere: write it into spec.processor.container.image",
		"{containers: [{name: worker, command: [a]}]}":                                                                     at + ".command: it is set elsewhere",
		"{containers: [{name: worker, args: []}]}":                                                                         at + ".args: they are set elsewhere",
		"{containers: [{name: worker, ports: [{containerPort: 8080, name: http}]}]}":                                       at + ".ports: the worker serves metrics and health on port 8080",
		"{containers: [{name: worker, ports: [{containerPort: 9090, name: metrics}]}]}":                                    at + ".ports: the worker serves metrics and health on port 8080",
		"{containers: [{name: worker, ports: null}]}":                                                                      at + ".ports: the worker serves metrics and health on port 8080",
		"{containers: [{name: a}, {name: worker, env: [{name: MILLRACE_A}]}]}":                                             "spec.template.spec.containers[1].env: MILLRACE_A: variables that begin with",
		"{containers: [{name: worker, volumeMounts: [{mountPath: /etc/millrace, name: a}]}], volumes: [{name: a}]}":        at + ".volumeMounts: the mount of /etc/millrace is the operator's own",
		"{containers: [{name: worker, volumeMounts: [{$patch: delete, mountPath: /etc/millrace-state}]}]}":                 at + ".volumeMounts: the mount of /etc/millrace-state is the operator's own",
		"{containers: [{name: worker, volumeMounts: [{mountPath: /etc/, name: a}]}], volumes: [{name: a}]}":                at + ".volumeMounts: /etc/ would hide the worker's configuration",
		"{containers: [{name: worker, volumeMounts: [{mountPath: /, name: a}]}], volumes: [{name: a}]}":                    at + ".volumeMounts: / would hide",
		"{containers: [{name: worker, volumeMounts: [{mountPath: /a/../etc/millrace/b, name: a}]}], volumes: [{name: a}]}": at + ".volumeMounts: /a/../etc/millrace/b: paths that begin with /etc/millrace",
		"{containers: [{name: worker, volumeMounts: [{mountPath: /model, name: model}]}]}":                                 at + ".volumeMounts[0].name: there is no volume \"model\": add it",
		"{volumes: [{name: millrace-config, emptyDir: {}}]}":                                                               "spec.template.spec.volumes[0].name: millrace-config: volumes that begin with millrace-",
		"{volumes: [{name: millrace-own, emptyDir: {}}]}":                                                                  "spec.template.spec.volumes[0].name: millrace-own: volumes that begin with millrace-",
		"{volumes: null}": "spec.template.spec.volumes: millrace-config is the operator's own: keep it",
		"{volumes: [{$patch: delete, name: millrace-tmp}]}":                                         "spec.template.spec.volumes: millrace-tmp is the operator's own: keep it",
		"{initContainers: [{name: a, ports: [{containerPort: 8080}]}]}":                             "spec.template.spec.initContainers[0].ports[0]: port 8080 and the name",
		"{containers: [{name: a, ports: [{containerPort: 1}, {containerPort: 2, name: metrics}]}]}": "spec.template.spec.containers[0].ports[1]: port 8080 and the name",
		"{serviceAccount: a}":                 "spec.template.spec.serviceAccount: the field has another name now: write serviceAccountName",
		"{terminationGracePeriodSeconds: 29}": "spec.template.spec.terminationGracePeriodSeconds: 29 s are too few to drain: write at least 30, or shorten spec.drainTimeout",
		"{terminationGracePeriodSeconds: 36, containers: [{name: worker, lifecycle: {preStop: {sleep: {seconds: 7}}}}]}":   "write at least 37",
		"{terminationGracePeriodSeconds: null, containers: [{name: worker, lifecycle: {preStop: {sleep: {seconds: 7}}}}]}": "30 s are too few",
		"{containers: [{name: worker, livenessProbe: {terminationGracePeriodSeconds: 3}}]}":                                at + ".livenessProbe.terminationGracePeriodSeconds: 3 s are too few",
		"{containers: [{name: worker, securityContext: {$patch: merge}}]}":                                                 "securityContext.$patch: it must be replace or delete",
	} {
		sp := decode(t, least)
		raw, err := yaml.YAMLToJSON([]byte(template))
		if err != nil {
			t.Fatal(err)
		}
		sp.Spec.Template = &v1alpha1.PodTemplateSpec{Spec: &runtime.RawExtension{Raw: raw}}
		err = CheckTemplate(sp)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want an error with %s", template, err, want)
		}
	}
}

// TestOtherChangesAreAccepted checks changes of settings that the workers do not need.
func TestOtherChangesAreAccepted(t *testing.T) {
	for _, template := range []string{
		"{}", "{containers: []}", "{volumes: []}", "{containers: [{name: worker}]}",
		"{containers: [{name: worker, ports: [{containerPort: 8080, hostPort: 8080}, {containerPort: 6060, name: pprof}]}]}",
		"{hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, priorityClassName: batch, runtimeClassName: gvisor}",
		"{terminationGracePeriodSeconds: 600}", "{terminationGracePeriodSeconds: 30}",
		"{containers: [{name: worker, livenessProbe: null, startupProbe: null, readinessProbe: null}]}",
		"{volumes: [{name: a, hostPath: {path: /data}}], containers: [{name: worker, volumeMounts: [{name: a, mountPath: /etc/models}]}]}",
		"{resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}], containers: [{name: worker, resources: {claims: [{name: gpu}]}}]}",
		"{initContainers: [{name: a, image: b, restartPolicy: Always, volumeMounts: [{name: millrace-config, mountPath: /config}]}]}",
	} {
		if err := CheckTemplate(decode(t, least+"  template: {spec: "+template+"}")); err != nil {
			t.Errorf("%s: %v", template, err)
		}
	}
}
