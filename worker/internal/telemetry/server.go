package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// ServerConfig says what a Server serves.
type ServerConfig struct {
	// Addr is host:port; port 0 picks a free one.
	Addr string
	// Metrics is the handler of /metrics.
	Metrics http.Handler
	// Health and Ready return an error if the worker is not healthy or not ready.
	Health, Ready func() error
	Status        func() workerstatus.Status
	Logger        logr.Logger
}

// Server serves /metrics, /healthz, /readyz and /status.
type Server struct {
	http     *http.Server
	listener net.Listener
	closing  func()        // answers requests for the final status; may be called again
	done     chan struct{} // closed when the server has stopped
}

// Listen starts a server. It returns an error if it can't listen on the address.
func Listen(cfg ServerConfig) (*Server, error) {
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("telemetry.listen %q: %w; choose a free address, or \"\" to serve nothing", cfg.Addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", cfg.Metrics)
	mux.HandleFunc("GET /healthz", check(cfg.Health))
	mux.HandleFunc("GET /readyz", check(cfg.Ready))
	closing := make(chan struct{})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("final") && !awaitClosing(w, r, closing) {
			return
		}
		if err := writeStatus(w, cfg.Status(), r.URL.Query().Has("troubled")); err != nil {
			cfg.Logger.V(1).Info("could not answer /status", "error", err.Error())
		}
	})
	s := &Server{
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: 5 * time.Second,
			WriteTimeout:      30 * time.Second,
		},
		listener: listener,
		closing:  sync.OnceFunc(func() { close(closing) }),
		done:     make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			cfg.Logger.Error(err, "stopped serving metrics and health", "address", cfg.Addr)
		}
	}()
	return s, nil
}

// writeStatus writes the whole status, or only its partitions in trouble.
func writeStatus(w http.ResponseWriter, status workerstatus.Status, troubled bool) error {
	encode := func(s workerstatus.Status) ([]byte, error) { return json.Marshal(s) }
	if troubled {
		encode = encodeTroubled
	}
	content, err := encode(status)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(content, '\n'))
	return err
}

// awaitClosing holds a request for /status?final until the server closes, so that the
// client gets the status at the worker's end. It returns false if the client leaves
// before.
func awaitClosing(w http.ResponseWriter, r *http.Request, closing <-chan struct{}) bool {
	// The request may take as long as the worker runs. If the deadline can't be
	// removed, the server cuts the request off, and its client does without the
	// answer.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	select {
	case <-closing:
		return true
	case <-r.Context().Done():
		return false
	}
}

func check(f func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := f(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok") // fails if the client has left
	}
}

// Addr returns the address on which the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close answers the requests for the final status, and stops the server after the
// requests under way. It waits at most a second for them.
func (s *Server) Close() error {
	s.closing()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // a pod's grace period ends soon
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	<-s.done
	return nil
}
