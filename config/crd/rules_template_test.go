package crd

// templateRules are the rules about labels and annotations of pods and Deployments.
var templateRules = append(metadataRules("spec.template.metadata", podMetadata), metadataRules("spec.deployment", deploymentMetadata)...)

func metadataRules(field string, with func(string) string) []rule {
	return []rule{
		{
			field + ".labels", "the labels app.kubernetes.io/name, /instance",
			[]string{with("labels: {app.kubernetes.io/part-of: a, app.kubernetes.io/version: b, team: c}")},
			[]string{
				with("labels: {app.kubernetes.io/name: a}"), with("labels: {app.kubernetes.io/instance: a}"),
				with("labels: {app.kubernetes.io/component: a}"), with("labels: {app.kubernetes.io/managed-by: a}"),
				with("labels: {millrace.dev/a: b}"),
			},
		},
		{
			field + ".labels", "a label's value has ASCII letters",
			[]string{with("labels: {a: '', b: A, c: a-_.1}")},
			[]string{with("labels: {a: a b}"), with("labels: {a: -a}"), with("labels: {a: a.}")},
		},
		{
			field + ".annotations", "the annotations of millrace.dev/",
			[]string{with("annotations: {example.com/a: b}")},
			[]string{with("annotations: {millrace.dev/config-hash: b}")},
		},
	}
}

func deploymentMetadata(fields string) string { return spec("deployment: {" + fields + "}") }
func podMetadata(fields string) string {
	return spec("template: {metadata: {" + fields + "}}")
}
