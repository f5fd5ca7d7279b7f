package chart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// patience is long enough for a machine that is busy with other tests.
const patience = time.Minute

// metricsAreGuarded checks that only an account with the role can read the metrics.
func metricsAreGuarded(t *testing.T, api *controllerstest.API, url, role string) {
	t.Helper()
	await(t, "metrics to be refused", func() error { return answers(url, "", http.StatusUnauthorized) })
	await(t, "the refusal of an account without permission", func() error {
		return answers(url, tokenOf(t, api, "stranger"), http.StatusForbidden)
	})
	token := tokenOf(t, api, "prometheus")
	applyAll(t, api, []*unstructured.Unstructured{readerBinding(role, "prometheus")})
	await(t, "metrics to be served", func() error { return answers(url, token, http.StatusOK) })
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func await(t *testing.T, what string, done func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for ; ; <-tick.C {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s: %v", what, err)
		}
	}
}

func failIf(failed bool, why string) error {
	if failed {
		return errors.New(why)
	}
	return nil
}

// insecure does not check the operator's certificate, which is self-signed.
var insecure = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
}

func answers(url, token string, want int) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := insecure.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return failIf(res.StatusCode != want, fmt.Sprintf("%s answers %s, not %d", url, res.Status, want))
}

// tokenOf creates a ServiceAccount and returns a token of it.
func tokenOf(t *testing.T, api *controllerstest.API, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	if err := client.IgnoreAlreadyExists(api.Client.Create(context.Background(), account)); err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{}
	if err := api.Client.SubResource("token").Create(context.Background(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// readerBinding is the binding that the chart's notes describe.
func readerBinding(role, account string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
		"metadata": map[string]any{"name": role},
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": account, "namespace": namespace}},
	}}
}
