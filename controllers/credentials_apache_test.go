package controllers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	workerconfig "github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestSecretsAsTheyAreMade: a StreamProcessor refers to Secrets with the keys that
// Strimzi, cert-manager and kubectl use. The operator and the pods log in to an Apache
// Kafka that demands a certificate and a password.
func TestSecretsAsTheyAreMade(t *testing.T) {
	t.Parallel()
	user := kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: "enrich", Password: "right"}
	broker := kafkatest.Apache(t, kafkatest.MutualTLS(), kafkatest.Users(user))
	broker.CreateTopic("orders", 3, nil)
	broker.CreateTopic("enriched", 1, nil)
	o := newOperator(t, 0)
	o.watch = watchKafka(t)
	o.run(plan.Environment{WorkerImage: "worker:1"})
	pair := broker.CA.Client("enrich")
	ca, cert, key := text(t, broker.CA.File), text(t, pair.CertFile), text(t, pair.KeyFile)

	// Strimzi's Secrets of the Kafka and of the KafkaUser. The user's ca.crt is the
	// certificate of the clients' authority.
	o.secret("shop-cluster-ca-cert", corev1.SecretTypeOpaque, map[string]string{"ca.crt": ca, "ca.p12": "p12", "ca.password": "store"})
	o.secret("enrich", corev1.SecretTypeOpaque, map[string]string{
		"ca.crt": text(t, kafkatest.NewCA(t).File), "user.crt": cert, "user.key": key, "user.p12": "p12", "user.password": "store",
		"password":         user.Password,
		"sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="enrich" password="right";`,
	})
	o.secured("strimzi", broker, &v1alpha1.TLSSpec{
		CA:                   []v1alpha1.CASource{{SecretRef: &v1alpha1.CARef{Name: "shop-cluster-ca-cert"}}},
		CertificateSecretRef: &v1alpha1.CertificateRef{Name: "enrich", Key: "user.crt"},
		KeySecretRef:         &v1alpha1.PrivateKeyRef{Name: "enrich", Key: "user.key"},
	}, v1alpha1.SecretKeyRef{Name: "enrich", Key: "password"})

	// The Secrets of cert-manager, and of `kubectl create secret generic --from-file`
	// with a file that an editor has saved.
	o.secret("enrich-tls", corev1.SecretTypeTLS, map[string]string{"ca.crt": ca, "tls.crt": cert, "tls.key": key})
	o.secret("enrich-password", corev1.SecretTypeOpaque, map[string]string{"password": user.Password + "\n"})
	o.secured("cert-manager", broker, &v1alpha1.TLSSpec{
		CA:                   []v1alpha1.CASource{{SecretRef: &v1alpha1.CARef{Name: "enrich-tls"}}},
		CertificateSecretRef: &v1alpha1.CertificateRef{Name: "enrich-tls"},
		KeySecretRef:         &v1alpha1.PrivateKeyRef{Name: "enrich-tls"},
	}, v1alpha1.SecretKeyRef{Name: "enrich-password", Key: "password"})

	for _, name := range []string{"strimzi", "cert-manager"} {
		o.expect(name, "KafkaReachable", yes, "Reachable")
		d := o.replicas(name, 2)
		if err := o.logInAsPod(d); err != nil {
			t.Errorf("a pod of %s: %v", name, err)
		}
	}
	o.rotate(broker)
}

// rotate replaces the authority by a bundle without it, and then by a bundle with it.
func (o *operator) rotate(broker *kafkatest.Broker) {
	o.Helper()
	authority := &corev1.Secret{}
	authority.Name, authority.Namespace = "shop-cluster-ca-cert", o.namespace
	other := text(o.T, kafkatest.NewCA(o.T).File)
	o.patch(authority, fmt.Sprintf(`{"stringData": {"ca.crt": %q}}`, other))
	o.expect("strimzi", "KafkaReachable", no, "NotAuthorized", "certificate")
	o.patch(authority, fmt.Sprintf(`{"stringData": {"ca.crt": %q}}`, other+text(o.T, broker.CA.File)))
	o.expect("strimzi", "KafkaReachable", yes, "Reachable")
}

// secured makes a StreamProcessor that uses SCRAM over TLS.
func (o *operator) secured(name string, broker *kafkatest.Broker, tls *v1alpha1.TLSSpec, password v1alpha1.SecretKeyRef) {
	o.Helper()
	o.processor(name, func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Kafka = v1alpha1.KafkaSpec{
			BootstrapServers: broker.SecureAddrs(), TLS: tls,
			SASL: &v1alpha1.SASLSpec{Mechanism: v1alpha1.SASLScramSHA512, Username: "enrich", PasswordSecretRef: &password},
		}
	})
}

func (c *testCluster) secret(name string, kind corev1.SecretType, data map[string]string) {
	c.Helper()
	secret := &corev1.Secret{Type: kind, StringData: data}
	secret.Name, secret.Namespace = name, c.namespace
	c.create(secret)
}

// watchKafka returns a watcher that asks real brokers.
func watchKafka(t *testing.T) func(*Wakes, ctrl.Manager) KafkaWatch {
	return func(wakes *Wakes, mgr ctrl.Manager) KafkaWatch {
		watcher := kafkawatch.New(kafkawatch.Options{
			Interval: 200 * time.Millisecond, Wake: wakes.Wake, Tokens: ServiceAccountTokens(mgr.GetClient()), Logger: testr.New(t),
		})
		if err := mgr.Add(watcher); err != nil {
			t.Fatal(err)
		}
		return watcher
	}
}

// logInAsPod logs in as a worker of a Deployment does at its start, with the files that
// the kubelet would mount.
func (o *operator) logInAsPod(d *appsv1.Deployment) error {
	o.Helper()
	dir := o.mount(d)
	var file corev1.ConfigMap
	if err := o.client.Get(o.Context(), o.key(fileOf(d)), &file); err != nil {
		return err
	}
	cfg, _, err := workerconfig.Parse([]byte(strings.ReplaceAll(file.Data["worker.yaml"], "/etc/millrace-credentials", dir)))
	if err != nil {
		return err
	}
	connection, err := kafka.ConfigFrom(cfg.Kafka, "worker", cfg.Input.Topic)
	if err != nil {
		return err
	}
	client, err := kafka.NewClient(connection)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(o.Context(), time.Minute)
	defer cancel()
	return client.Ping(ctx)
}

// mount writes the files of a Deployment's projected volume.
func (o *operator) mount(d *appsv1.Deployment) string {
	o.Helper()
	dir := o.TempDir()
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			secret := &corev1.Secret{}
			if err := o.client.Get(o.Context(), o.key(source.Secret.Name), secret); err != nil {
				o.Fatal(err)
			}
			for _, item := range source.Secret.Items {
				path := filepath.Join(dir, item.Path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					o.Fatal(err)
				}
				if err := os.WriteFile(path, secret.Data[item.Key], 0o600); err != nil {
					o.Fatal(err)
				}
			}
		}
	}
	return dir
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
