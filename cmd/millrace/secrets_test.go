package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// A cluster that wants TLS and a password is fed, worked on and collected from
// with the files beside the manifest.
func TestRunOnASecuredCluster(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			ca := kafkatest.NewCA(t)
			pair := ca.Server("127.0.0.1")
			certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			_, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"),
				kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}),
				kfake.EnableSASL(), kfake.Superuser(mechanism, "millrace", "secret"))
			path := writeFile(t, "manifest.yaml", []byte(strings.Replace(baseManifest, "kafka: {", "kafka: {tls: {ca: [{secretRef: {name: authority}}]}, sasl: {mechanism: "+
				mechanism+", usernameSecretRef: {name: user, key: username}, passwordSecretRef: {name: user, key: password}}, ", 1)+copying))
			content, want := numbered(100)
			args := []string{"-f", path, "--brokers", brokers, "--input-file", writeFile(t, "in.jsonl", content), "--until-drained"}

			missing := filepath.Join("secrets", "authority", "ca.crt")
			if o := millraceRun(testContext(t), t, nil, args...); o.err == nil || !strings.Contains(o.err.Error(), missing) {
				t.Errorf("error %v does not name the file %s", o.err, missing)
			}
			authority, err := os.ReadFile(ca.File)
			if err != nil {
				t.Fatal(err)
			}
			writeSecret(t, path, "authority", map[string]string{"ca.crt": string(authority)})
			writeSecret(t, path, "user", map[string]string{"username": "millrace", "password": "secret\n"})
			if o := millraceRun(testContext(t), t, nil, args...); o.err != nil || !slices.Equal(o.lines, want) {
				t.Errorf("%d lines, want %d; error %v", len(o.lines), len(want), o.err)
			}
		})
	}
}

// writeSecret writes the keys of a Secret where a run of the manifest looks for
// them.
func writeSecret(t *testing.T, manifest, name string, keys map[string]string) {
	t.Helper()
	dir := filepath.Join(filepath.Dir(manifest), "secrets", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for key, value := range keys {
		if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
