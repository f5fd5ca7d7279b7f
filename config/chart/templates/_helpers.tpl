{{/* The prefix of all names: millrace-operator for the release "millrace". */}}
{{- define "millrace.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- printf "%s-operator" (.Release.Name | trunc 41 | trimSuffix "-") -}}
{{- else -}}
{{- printf "%s-operator" (printf "%s-%s" .Release.Name $name | trunc 41 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* The same for objects outside of namespaces. Several releases may each watch some
namespaces, but only one may watch all. */}}
{{- define "millrace.clusterName" -}}
{{- if .Values.watchNamespaces -}}
{{- printf "%s-%s" (include "millrace.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- include "millrace.fullname" . -}}
{{- end -}}
{{- end -}}

{{- define "millrace.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "millrace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The labels that select the operator's pods. They can't change in an upgrade. */}}
{{- define "millrace.selectorLabels" -}}
app.kubernetes.io/name: millrace-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of the pod of helm test, which differ from those of an operator. */}}
{{- define "millrace.checkLabels" -}}
app.kubernetes.io/name: millrace-check
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "millrace.labels" -}}
{{ include "millrace.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image: include "millrace.image" (list . WHICH), where WHICH is operator or worker.
With a digest, the appVersion is not used as the tag. */}}
{{- define "millrace.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- $digest := index $image.digests (index . 1) -}}
{{- $tag := $image.tag -}}
{{- if not (or $tag $digest) -}}
{{- $tag = $root.Chart.AppVersion -}}
{{- end -}}
{{- printf "%s/%s" (trimSuffix "/" $image.registry) (index $image (index . 1)) -}}
{{- with $tag }}{{ printf ":%s" . }}{{ end -}}
{{- with $digest }}{{ printf "@%s" . }}{{ end -}}
{{- end -}}

{{/* The rules of a role in files/role.yaml, which is generated from the markers in
controllers/rbac.go: include "millrace.rules" (list . KIND). */}}
{{- define "millrace.rules" -}}
{{- $kind := index . 1 -}}
{{- range splitList "\n---\n" ((index . 0).Files.Get "files/role.yaml") -}}
{{- $role := fromYaml . -}}
{{- if eq $role.kind $kind -}}
{{- toYaml $role.rules -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "millrace.subjects" -}}
- kind: ServiceAccount
  name: {{ include "millrace.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
