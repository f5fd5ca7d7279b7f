package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestRunOnASecuredCluster: the feeder, the worker and the collector use the
// certificates and the password in the files beside the manifest.
func TestRunOnASecuredCluster(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			ca := kafkatest.NewCA(t)
			_, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"), kfake.TLS(mutualTLS(t, ca)),
				kfake.EnableSASL(), kfake.Superuser(mechanism, "millrace", "secret"))
			path := writeFile(t, "manifest.yaml", []byte(strings.Replace(baseManifest, "kafka: {", secured(mechanism), 1)+copying))
			content, want := numbered(100)
			args := []string{"-f", path, "--brokers", brokers, "--input-file", writeFile(t, "in.jsonl", content), "--until-drained"}

			o := millraceRun(testContext(t), t, nil, args...)
			for _, missing := range []string{
				"spec.kafka.tls.ca[0].configMapRef: missing file ", filepath.Join("configmaps", "authority", "ca.crt"),
				"spec.kafka.sasl.passwordSecretRef: ", filepath.Join("secrets", "user", "password") + `: write the value of Secret "user", key "password" into it`,
			} {
				if o.err == nil || !strings.Contains(o.err.Error(), missing) {
					t.Errorf("error %v does not name %s", o.err, missing)
				}
			}
			pair := ca.Client("millrace")
			writeKeys(t, path, "configmaps/authority", map[string]string{"ca.crt": text(t, ca.File)})
			writeSecret(t, path, "user", map[string]string{
				"username": "millrace", "password": "secret\n", "user.crt": text(t, pair.CertFile), "user.key": text(t, pair.KeyFile),
			})
			if o := millraceRun(testContext(t), t, nil, args...); o.err != nil || !slices.Equal(o.lines, want) {
				t.Errorf("%d lines, want %d; error %v", len(o.lines), len(want), o.err)
			}
		})
	}
}

// TestRunWithTokens: the feeder, the worker and the collector use the service account's
// token from its file.
func TestRunWithTokens(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Tokens())
	broker.CreateTopic("in", 2, nil)
	broker.CreateTopic("out", 2, nil)
	path := writeFile(t, "manifest.yaml", []byte(strings.Replace(baseManifest, "kafka: {",
		"kafka: {sasl: {mechanism: OAUTHBEARER, oauth: {serviceAccountToken: {audience: kafka}, extensions: {pool: a}}}, ", 1)+copying))
	content, want := numbered(100)
	args := []string{"-f", path, "--brokers", broker.SecureAddrs()[0], "--input-file", writeFile(t, "in.jsonl", content), "--until-drained"}
	if o := millraceRun(testContext(t), t, nil, args...); o.err == nil || !strings.Contains(o.err.Error(), filepath.Join("tokens", "kafka")) {
		t.Errorf("error %v does not name the token's file", o.err)
	}
	writeKeys(t, path, "tokens", map[string]string{"kafka": kafkatest.Token(t, "dora", time.Hour) + "\n"})
	o := millraceRun(testContext(t), t, nil, args...)
	slices.Sort(o.lines)
	slices.Sort(want)
	if o.err != nil || !slices.Equal(o.lines, want) {
		t.Errorf("%d lines, want %d; error %v", len(o.lines), len(want), o.err)
	}
}

func secured(mechanism string) string {
	return `kafka: {
      tls: {ca: [{configMapRef: {name: authority}}], certificateSecretRef: {name: user, key: user.crt}, keySecretRef: {name: user, key: user.key}},
      sasl: {mechanism: ` + mechanism + `, usernameSecretRef: {name: user, key: username}, passwordSecretRef: {name: user, key: password}}, `
}

// mutualTLS returns the configuration of a broker that asks for a certificate of ca's.
func mutualTLS(t *testing.T, ca *kafkatest.CA) *tls.Config {
	t.Helper()
	pair := ca.Server("127.0.0.1")
	certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(text(t, ca.File)))
	return &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// writeSecret writes the keys of a Secret to the files that a run of the manifest
// reads.
func writeSecret(t *testing.T, manifest, name string, keys map[string]string) {
	t.Helper()
	writeKeys(t, manifest, filepath.Join("secrets", name), keys)
}

// writeKeys writes a file for each key into a directory beside the manifest.
func writeKeys(t *testing.T, manifest, below string, keys map[string]string) {
	t.Helper()
	dir := filepath.Join(filepath.Dir(manifest), below)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for key, value := range keys {
		if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
