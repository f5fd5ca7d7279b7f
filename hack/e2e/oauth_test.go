//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// tokenLifetime is short enough for tokens and sessions to expire during the test, and long
// enough for a slow machine to present a token in time.
const tokenLifetime = 12 * time.Second

// tokenEndpoint is an OAuth 2 server that knows one client, e2e.
type tokenEndpoint struct {
	*httptest.Server
	given atomic.Int64
}

// startTokenEndpoint starts a token endpoint on the node, where pods reach it, with a
// certificate of the broker's authority.
func startTokenEndpoint(s *suite, ca *kafkatest.CA) *tokenEndpoint {
	s.Helper()
	pair := ca.Server(cluster.NodeAddress)
	certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		s.Fatal(err)
	}
	listener, err := net.Listen("tcp", cluster.NodeAddress+":0")
	if err != nil {
		s.Fatal(err)
	}
	e := &tokenEndpoint{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "e2e" || secret != password || r.FormValue("grant_type") != "client_credentials" {
			http.Error(w, `{"error": "invalid_client"}`, http.StatusUnauthorized)
			return
		}
		e.given.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": %g}`,
			kafkatest.Token(s.T, user, tokenLifetime), tokenLifetime.Seconds())
	}))
	e.Listener = listener
	e.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	e.StartTLS()
	s.Cleanup(e.Close)
	return e
}

// oauthBearer checks that the operator and the pods log in with tokens of the endpoint, and
// log in again on their connections before the tokens expire.
func oauthBearer(s *suite, broker *kafkatest.Broker) {
	refunds := copier{namespace, "refunds"}
	endpoint := startTokenEndpoint(s, broker.CA)
	s.kubectl("create", "configmap", "corporate-ca", "--from-file=ca.crt="+broker.CA.File)
	s.kubectl("create", "secret", "generic", "oauth-client", "--from-literal=id=e2e", "--from-literal=secret="+password)
	refunds.run(s, withKafka(manifest(refunds.name, ""), fmt.Sprintf(`    bootstrapServers: [%q]
    tls: {ca: [{configMapRef: {name: corporate-ca}}]}
    sasl:
      mechanism: OAUTHBEARER
      oauth:
        tokenEndpoint:
          url: %s/token
          clientIdSecretRef: {name: oauth-client, key: id}
          clientSecretRef: {name: oauth-client, key: secret}
          ca: [{configMapRef: {name: corporate-ca}}]
`, broker.SecureAddrs()[0], endpoint.URL)))
	first, running := endpoint.given.Load(), time.Now()
	if first < 2 {
		s.Errorf("the endpoint issued %d tokens, too few for the operator and a pod", first)
	}
	s.await("the end of the first tokens, and new ones for both", patience, func() error {
		if given := endpoint.given.Load(); given < first+2 || time.Since(running) < tokenLifetime {
			return fmt.Errorf("the endpoint has issued %d tokens, %d of them later", given, given-first)
		}
		return nil
	})
	refunds.copies(s)
	pods, err := refunds.pods(s)
	if err != nil || len(pods) != 1 || pods[0].Status.ContainerStatuses[0].RestartCount > 0 {
		s.Errorf("the pod of the start was replaced (%v): %+v", err, pods)
	}
	s.kubectl("delete", "sp", refunds.name, "--timeout=60s") // before the endpoint ends
}
