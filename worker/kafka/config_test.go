package kafka

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConfigFromReadsFiles(t *testing.T) {
	ca := kafkatest.NewCA(t)
	pair := ca.Client("worker")
	cfg, err := ConfigFrom(config.Kafka{
		BootstrapServers: []string{"kafka-0:9093", "kafka-1"},
		TLS:              &config.TLS{CAFiles: []string{ca.File}, CertFile: pair.CertFile, KeyFile: pair.KeyFile, ServerName: "kafka"},
		SASL: &config.SASL{
			Mechanism:    "SCRAM-SHA-512",
			UsernameFile: writeFile(t, "alice\n"),
			PasswordFile: writeFile(t, " with blanks \r\n"),
		},
	}, "orders-0", "orders", "orders-enriched")
	if err != nil {
		t.Fatalf("ConfigFrom: %v", err)
	}
	if want := (SASL{Mechanism: "SCRAM-SHA-512", Username: "alice", Password: " with blanks "}); *cfg.SASL != want {
		t.Errorf("credentials: got %+v, want %+v", *cfg.SASL, want)
	}
	if cfg.TLS.ServerName != "kafka" || len(cfg.TLS.Certificates) != 1 || cfg.TLS.RootCAs == nil {
		t.Errorf("TLS: got name %q, %d certificates, roots %v", cfg.TLS.ServerName, len(cfg.TLS.Certificates), cfg.TLS.RootCAs)
	}
	if cfg.ClientID != "orders-0" || len(cfg.Topics) != 2 {
		t.Errorf("got client id %q and topics %v", cfg.ClientID, cfg.Topics)
	}
}

func TestConfigFromNamesWhatIsWrong(t *testing.T) {
	servers := []string{"kafka:9092"}
	missing := filepath.Join(t.TempDir(), "missing")
	empty, text := writeFile(t, "\n"), writeFile(t, "text")
	pair := kafkatest.NewCA(t).Client("worker")
	for _, c := range []struct {
		name  string
		kafka config.Kafka
		is    error
		parts []string
	}{
		{"no server", config.Kafka{}, nil, []string{"kafka.bootstrapServers is empty"}},
		{
			"no CA file",
			config.Kafka{BootstrapServers: servers, TLS: &config.TLS{CAFiles: []string{missing}}},
			fs.ErrNotExist,
			[]string{"kafka.tls.caFiles[0]", missing},
		},
		{
			"CA file without PEM",
			config.Kafka{BootstrapServers: servers, TLS: &config.TLS{CAFiles: []string{text}}},
			nil,
			[]string{"kafka.tls.caFiles[0]", text, "no PEM certificate"},
		},
		{
			"certificate without key",
			config.Kafka{BootstrapServers: servers, TLS: &config.TLS{CertFile: pair.CertFile}},
			nil,
			[]string{"kafka.tls", "set both or neither"},
		},
		{
			"key that is none",
			config.Kafka{BootstrapServers: servers, TLS: &config.TLS{CertFile: pair.CertFile, KeyFile: text}},
			nil,
			[]string{"kafka.tls", pair.CertFile, text},
		},
		{
			"no user name file",
			config.Kafka{BootstrapServers: servers, SASL: &config.SASL{Mechanism: "PLAIN", PasswordFile: text}},
			nil,
			[]string{"kafka.sasl.usernameFile is not set"},
		},
		{
			"empty password",
			config.Kafka{
				BootstrapServers: servers,
				SASL:             &config.SASL{Mechanism: "PLAIN", UsernameFile: text, PasswordFile: empty},
			},
			nil,
			[]string{"kafka.sasl.passwordFile", "is empty"},
		},
		{
			"missing password file",
			config.Kafka{
				BootstrapServers: servers,
				SASL:             &config.SASL{Mechanism: "PLAIN", UsernameFile: text, PasswordFile: missing},
			},
			fs.ErrNotExist,
			[]string{"kafka.sasl.passwordFile", missing},
		},
		{
			"unknown mechanism",
			config.Kafka{
				BootstrapServers: servers,
				SASL:             &config.SASL{Mechanism: "GSSAPI", UsernameFile: text, PasswordFile: text},
			},
			nil,
			[]string{"kafka.sasl", `"GSSAPI"`, "SCRAM-SHA-512"},
		},
		{
			"no client secret",
			config.Kafka{BootstrapServers: servers, SASL: &config.SASL{
				Mechanism: "OAUTHBEARER", OAuth: &config.OAuth{TokenEndpoint: "https://idp/", ClientID: "c"},
			}},
			nil,
			[]string{"kafka.sasl.oauth.clientSecretFile is not set"},
		},
		{
			"no CA file of the token endpoint",
			config.Kafka{BootstrapServers: servers, SASL: &config.SASL{
				Mechanism: "OAUTHBEARER",
				OAuth: &config.OAuth{
					TokenEndpoint: "https://idp/", ClientID: "c", ClientSecretFile: text, CAFiles: []string{pair.CertFile, missing},
				},
			}},
			fs.ErrNotExist,
			[]string{"kafka.sasl.oauth.caFiles[1]", missing},
		},
		{
			"no region",
			config.Kafka{BootstrapServers: servers, SASL: &config.SASL{Mechanism: "AWS_MSK_IAM", AWS: &config.AWS{}}},
			nil,
			[]string{"kafka.sasl: ", "needs the AWS region"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ConfigFrom(c.kafka, "id")
			expectError(t, err, c.is, c.parts...)
		})
	}
}

func TestBootstrapServerForms(t *testing.T) {
	for server, want := range map[string]string{
		"kafka:9093":           "kafka:9093",
		"kafka":                "kafka:9092",
		"kafka.svc.local:9092": "kafka.svc.local:9092",
		"10.0.0.1:9092":        "10.0.0.1:9092",
		"[::1]:9092":           "[::1]:9092",
		"[::1]":                "[::1]:9092",
		"":                     "",
		":9092":                "",
		"kafka:":               "",
		"kafka:port":           "",
		"kafka:70000":          "",
		"a:1,b:2":              "",
		"a,b:2":                "",
		"kafka://a:9092":       "",
		"a b":                  "",
	} {
		got, err := hostPort(server)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", server, got, err, want)
		}
	}
}
