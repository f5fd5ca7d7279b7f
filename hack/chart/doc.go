// Package chart tests the Helm chart and the kustomizations in config/. go generate copies
// generated files into the chart, because a chart can't use files outside of its folder.
package chart

//go:generate cp ../../config/crd/bases/millrace.dev_streamprocessors.yaml ../../config/chart/files/crd.yaml
//go:generate cp ../../config/rbac/role.yaml ../../config/chart/files/role.yaml
//go:generate cp ../../config/prometheus/alerts.yaml ../../config/chart/files/alerts.yaml
//go:generate cp ../../config/grafana/streamprocessors.json ../../config/grafana/operator.json ../../config/chart/files/grafana/
