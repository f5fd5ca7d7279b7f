//go:build e2e

package e2e

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// install imports the images and installs the chart in the same way as a user.
func install(s *suite) {
	s.awaitNode()
	for _, image := range []string{"operator", "worker", "sample"} {
		if err := s.cluster.ImportImage(s.Context(), filepath.Join(root, "bin", "images", image+".tar")); err != nil {
			s.Fatal(err)
		}
	}
	s.keep("helm-install.txt", s.helm("install", release, filepath.Join(root, "config", "chart"),
		"--namespace", system, "--create-namespace", "--wait", "--timeout", "90s"))
	tested := s.helm("test", release, "--namespace", system, "--logs", "--timeout", "90s")
	s.keep("helm-test.txt", tested)
	if !strings.Contains(tested, "Succeeded") {
		s.Errorf("helm test did not say that it succeeded:\n%s", tested)
	}
}

// metrics checks that only accounts with permission can read the metrics.
func metrics(s *suite) {
	address := s.kubectl("get", "service", operator, "--namespace", system, "-o", "jsonpath={.spec.clusterIP}")
	url := "https://" + address + ":8443/metrics"
	if status, _ := s.fetch(url, ""); status != http.StatusUnauthorized {
		s.Errorf("metrics without a token: status %d", status)
	}
	tokens := map[string]string{}
	for _, account := range []string{"somebody", "prometheus"} {
		s.kubectl("create", "serviceaccount", account)
		tokens[account] = strings.TrimSpace(s.kubectl("create", "token", account))
	}
	s.kubectl("create", "clusterrolebinding", "prometheus",
		"--clusterrole="+operator+"-metrics-reader", "--serviceaccount="+namespace+":prometheus")
	if status, _ := s.fetch(url, tokens["somebody"]); status != http.StatusForbidden {
		s.Errorf("metrics with the token of an account without permission: status %d", status)
	}
	status, body := s.fetch(url, tokens["prometheus"])
	if status != http.StatusOK || !strings.Contains(body, "controller_runtime_reconcile_total") {
		s.Errorf("metrics with the token of an account with permission: status %d: %.200s", status, body)
	}
}

// upgrade changes a value of the chart, which replaces the operator and keeps the workers.
func upgrade(s *suite) {
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	was := s.operatorPod()
	s.helm("upgrade", release, filepath.Join(root, "config", "chart"), "--namespace", system,
		"--set", "log.level=1", "--wait", "--timeout", "90s")
	s.await("the old operator's end", patience, func() error {
		if s.operatorPod() == was {
			return errors.New("it is still there")
		}
		return nil
	})
	s.awaitConditions(checkouts, ready()...)
	s.expectSamePods(before)
}

// fetch gets a page of the operator. It does not check the certificate, which is self-signed.
func (s *suite) fetch(url, token string) (status int, body string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// uninstall uninstalls the chart. The CRD and the StreamProcessors stay, and can be deleted
// without an operator.
func uninstall(s *suite) {
	const name = "left"
	s.apply(manifest(name, "  suspend: true\n  deletionPolicy: DeleteGroup\n"))
	s.await("the finalizer", patience, func() error {
		sp, err := s.processor(name)
		if err == nil && len(sp.Finalizers) == 0 {
			err = errors.New("there is none")
		}
		return err
	})
	defer s.kubectl("delete", "sp", name, "--timeout=10s")
	s.helm("uninstall", release, "--namespace", system, "--wait", "--timeout", "120s")
	s.kubectl("get", "crd", "streamprocessors.millrace.dev")
}

// deploy installs the operator without Helm, and runs a StreamProcessor.
func deploy(s *suite) {
	s.program("", "make", "-C", root, "deploy", "KUBECTL="+s.tool("kubectl"))
	s.apply(manifest(checkouts, ""))
	s.awaitConditions(checkouts, ready()...)
	s.kubectl("delete", "sp", checkouts, "--timeout=60s")
	s.program("", "make", "-C", root, "undeploy", "KUBECTL="+s.tool("kubectl"))
}
