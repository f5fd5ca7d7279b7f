// Package chart tests the Helm chart and the kustomizations in config/, and puts
// into the chart what is generated elsewhere: a chart can't have files outside of
// its folder.
package chart

//go:generate cp ../../config/crd/bases/millrace.dev_streamprocessors.yaml ../../config/chart/files/crd.yaml
//go:generate cp ../../config/rbac/role.yaml ../../config/chart/files/role.yaml
//go:generate cp ../../config/prometheus/alerts.yaml ../../config/chart/files/alerts.yaml
