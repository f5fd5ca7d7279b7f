package crd

import "strings"

// templateRules are those of spec.template.
var templateRules = []rule{
	{
		"spec.template.labels", "the labels app.kubernetes.io/name, /instance",
		[]string{template("labels: {app.kubernetes.io/part-of: a, app.kubernetes.io/version: b, team: c}")},
		[]string{
			template("labels: {app.kubernetes.io/name: a}"), template("labels: {app.kubernetes.io/instance: a}"),
			template("labels: {app.kubernetes.io/component: a}"), template("labels: {app.kubernetes.io/managed-by: a}"),
			template("labels: {millrace.dev/a: b}"),
		},
	},
	{
		"spec.template.labels", "a label's value has ASCII letters",
		[]string{template("labels: {a: '', b: A, c: a-_.1}")},
		[]string{template("labels: {a: a b}"), template("labels: {a: -a}"), template("labels: {a: a.}")},
	},
	{
		"spec.template.annotations", "the annotations of millrace.dev/",
		[]string{template("annotations: {example.com/a: b}")},
		[]string{template("annotations: {millrace.dev/config-hash: b}")},
	},
	{
		"spec.template.resources", "a request is above its limit",
		[]string{
			template("resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1000m, memory: 1024Mi}}"),
			template("resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}"), template("resources: {limits: {cpu: 1}}"), template("resources: {}"),
		},
		[]string{
			template("resources: {requests: {cpu: 1}, limits: {cpu: 999m}}"), template("resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}"),
			template("resources: {requests: {ephemeral-storage: 2Gi}, limits: {ephemeral-storage: 1Gi}}"),
		},
	},
	{
		"spec.template.resources.claims", "claims need resourceClaims",
		[]string{template("resources: {claims: null}")},
		[]string{template("resources: {claims: [{name: gpu}]}")},
	},
	{
		"spec.template.env", "each variable needs a name",
		[]string{template("env: [{name: A}, {name: a.b-c}]")},
		[]string{template("env: [{name: A}, {name: ''}]"), template("env: [{name: A=b}]")},
	},
	{
		"spec.template.env", "variables that begin with MILLRACE_",
		[]string{template("env: [{name: MY_MILLRACE_A, value: b}]")},
		[]string{template("env: [{name: MILLRACE_A, value: b}]")},
	},
	{
		"spec.template.env", "a variable has value or valueFrom",
		[]string{template("env: [{name: A, value: '', valueFrom: {fieldRef: {fieldPath: metadata.name}}}]")},
		[]string{template("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]")},
	},
	{
		"spec.template.volumes", "a volume's name has",
		[]string{template("volumes: [{name: a-1, emptyDir: {}}]")},
		[]string{template("volumes: [{name: A, emptyDir: {}}]"), template("volumes: [{name: '', emptyDir: {}}]"), template("volumes: [{name: a-, emptyDir: {}}]")},
	},
	{
		"spec.template.volumes", "volumes that begin with millrace",
		[]string{template("volumes: [{name: a-millrace, emptyDir: {}}]")},
		[]string{template("volumes: [{name: millrace-config, emptyDir: {}}]")},
	},
	{
		"spec.template.volumes", "a volume must be of a kind that restricted pods may have",
		[]string{
			template("volumes: [{name: a, configMap: {name: c}}, {name: b, secret: {secretName: s}}, {name: c, persistentVolumeClaim: {claimName: p}}]"),
			template("volumes: [{name: a, projected: {sources: []}}, {name: b, downwardAPI: {items: []}}, {name: c, csi: {driver: d}}]"),
			template("volumes: [{name: a, image: {reference: r}}, {name: b, ephemeral: {}}, {name: c, emptyDir: {}}]"),
		},
		[]string{template("volumes: [{name: a, hostPath: {path: /}}]"), template("volumes: [{name: a, nfs: {server: s, path: /}}]"), template("volumes: [{name: a}]")},
	},
	{
		"spec.template.volumeMounts", "each of volumeMounts must name one of volumes",
		[]string{mounts("/a", "/b"), template("volumes: [{name: a, emptyDir: {}}]"), template("volumeMounts: []")},
		[]string{template("volumeMounts: [{name: a, mountPath: /a}]"), template("volumes: [{name: a, emptyDir: {}}], volumeMounts: [{name: b, mountPath: /b}]")},
	},
	{
		"spec.template.volumeMounts", "a mountPath must begin with '/'",
		[]string{mounts("/a"), mounts("/a/b-c_d.e"), mounts("/a/")},
		[]string{mounts("a"), mounts(""), mounts("/a//b"), mounts("/a/../b"), mounts("/./a"), mounts("/a:b")},
	},
	{
		"spec.template.volumeMounts", "/etc/millrace and what is beside it",
		[]string{mounts("/etc/model", "/tmp")},
		[]string{mounts("/etc/millrace"), mounts("/etc/millrace-secrets/ca"), mounts("/etc"), mounts("/etc/"), mounts("/")},
	},
	{
		"spec.template.imagePullSecrets", "each item must name a Secret",
		[]string{template("imagePullSecrets: [{name: a}]")},
		[]string{template("imagePullSecrets: [{name: ''}]"), template("imagePullSecrets: [{}]")},
	},
}

func template(fields string) string { return spec("template: {" + fields + "}") }

func mounts(paths ...string) string {
	var list []string
	for _, path := range paths {
		list = append(list, "{name: a, mountPath: '"+path+"'}")
	}
	return template("volumes: [{name: a, emptyDir: {}}], volumeMounts: [" + strings.Join(list, ", ") + "]")
}
