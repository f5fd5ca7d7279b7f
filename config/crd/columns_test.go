package crd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// The output of kubectl get. The columns after the bar appear with -o wide only.
const (
	headings = "Name Ready Reason Replicas Partitions Lag LagSeconds Age | " +
		"ReadyReplicas Suspended Input Output Group ScaleReason Message"
	rowOfAll = "copy True Running 2 12 1234 3 AGE | " +
		"1 true in out millrace-copy LagAboveTarget 2 of 2 pods are ready"
	rowOfNew = "copy <nil> <nil> <nil> <nil> <nil> <nil> AGE | " +
		"<nil> false in out <nil> <nil> <nil>"
)

func TestColumns(t *testing.T) {
	api := controllerstest.Start(t)
	sp := create(t, api, spec("suspend: true"))
	sp.Status = allStatus()
	if err := api.Client.Status().Update(context.Background(), sp); err != nil {
		t.Fatal(err)
	}
	got := table(t, api, sp.Namespace)
	if want := headings + "\n" + rowOfAll; got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
	got = table(t, api, create(t, api).Namespace)
	if want := headings + "\n" + rowOfNew; got != want {
		t.Errorf("the table of a new StreamProcessor is\n%s\nwant\n%s", got, want)
	}
}

// table requests the table of a namespace's StreamProcessors as kubectl does.
func table(t *testing.T, api *controllerstest.API, namespace string) string {
	t.Helper()
	config := rest.CopyConfig(api.Config)
	config.GroupVersion, config.APIPath = &v1alpha1.GroupVersion, "/apis"
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	c, err := rest.RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	content, err := c.Get().Namespace(namespace).Resource("streamprocessors").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(context.Background()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	var answer metav1.Table
	if err := json.Unmarshal(content, &answer); err != nil {
		t.Fatal(err)
	}
	titles := make([]any, len(answer.ColumnDefinitions))
	for i, column := range answer.ColumnDefinitions {
		titles[i] = column.Name
	}
	lines := []string{line(answer.ColumnDefinitions, titles)}
	for _, row := range answer.Rows {
		row.Cells[slices.Index(titles, any("Age"))] = "AGE"
		lines = append(lines, line(answer.ColumnDefinitions, row.Cells))
	}
	return strings.Join(lines, "\n")
}

// line joins the cells, with a bar before the first column of -o wide.
func line(columns []metav1.TableColumnDefinition, cells []any) string {
	var words []string
	for i, cell := range cells {
		if columns[i].Priority > 0 && columns[i-1].Priority == 0 {
			words = append(words, "|")
		}
		words = append(words, fmt.Sprint(cell))
	}
	return strings.Join(words, " ")
}

// TestNames checks the names that kubectl accepts for the resource.
func TestNames(t *testing.T) {
	api := controllerstest.Start(t)
	sp := create(t, api)
	for _, name := range []string{"sp", "streamprocessor", "streamprocessors.millrace.dev"} {
		out, err := api.Kubectl(t, "", "get", name, "-n", sp.Namespace, "-o", "name")
		if err != nil || strings.TrimSpace(out) != "streamprocessor.millrace.dev/copy" {
			t.Errorf("kubectl get %s: %s, error %v", name, out, err)
		}
	}
	if out, err := api.Kubectl(t, "", "get", "all", "-n", sp.Namespace, "-o", "name"); err != nil || strings.Contains(out, "streamprocessor") {
		t.Errorf("kubectl get all: %s, error %v; want no StreamProcessor, because all stands for the kinds of Kubernetes", out, err)
	}
	out, err := api.Kubectl(t, "", "explain", "sp.spec.drainTimeout")
	if err != nil || !strings.Contains(out, "drainTimeout bounds how long") {
		t.Errorf("kubectl explain: %s, error %v", out, err)
	}
}
