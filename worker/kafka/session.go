package kafka

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// minReauthentication is the shortest time between two authentications on one
// connection that Kafka allows, with a margin.
const minReauthentication = 1100 * time.Millisecond

// session is a connection whose broker lets a session last for some time only
// (KIP-368): it closes the connection at the first request that comes later. So
// before a request, when little of the time is left, the session authenticates
// again on the same connection, and the requests notice nothing. If that fails, it
// moves to another connection to the same broker: the broker closes one on which it
// has refused credentials, and accepts others than before on a new one only.
//
// As kafka-go's transport sends one request at a time, the first write after a read
// begins a request.
type session struct {
	dialer  *dialer
	address string

	// Only the goroutine that reads and writes uses these.
	versions map[protocol.ApiKey]int16
	begun    time.Time
	renewAt  time.Time // when to authenticate again; zero is never
	goodTill time.Time // after it, a request may come too late
	reading  bool      // the last call was a read, or there was none

	mu            sync.Mutex
	conn          net.Conn  // guarded by mu
	closed        bool      // guarded by mu
	readDeadline  time.Time // guarded by mu
	writeDeadline time.Time // guarded by mu
}

func newSession(d *dialer, address string, conn net.Conn, versions map[protocol.ApiKey]int16, begun time.Time, lifetime time.Duration) *session {
	s := &session{dialer: d, address: address, conn: conn, versions: versions, reading: true}
	s.lasts(begun, lifetime)
	return s
}

// lasts sets how long the session lasts; 0 is as long as the connection. The session is
// renewed after 75 to 85 % of the time: connections of the same age should not do it all
// at once, and a request may take a while if this process or the broker is short of
// processor time.
func (s *session) lasts(begun time.Time, lifetime time.Duration) {
	if lifetime <= 0 {
		s.renewAt, s.goodTill = time.Time{}, time.Time{}
		return
	}
	part := time.Duration(float64(lifetime) * (0.75 + 0.1*rand.Float64()))
	s.begun, s.renewAt = begun, begun.Add(part)
	s.goodTill = begun.Add(lifetime - min(lifetime/20, time.Second))
}

// Read implements net.Conn.
func (s *session) Read(b []byte) (int, error) {
	s.reading = true
	return s.current().Read(b)
}

// Write implements net.Conn.
func (s *session) Write(b []byte) (int, error) {
	if s.reading && !s.renewAt.IsZero() && !time.Now().Before(s.renewAt) {
		if err := s.renew(); err != nil {
			return 0, err
		}
	}
	s.reading = false
	return s.current().Write(b)
}

// renew authenticates again, on this connection or a new one.
func (s *session) renew() error {
	ctx, cancel := s.bounded()
	defer cancel()
	err := s.reauthenticate(ctx)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*credentialsError](err); ok && time.Now().Before(s.goodTill) {
		// The session is still good, and nothing was sent.
		s.renewAt = time.Now().Add(time.Until(s.goodTill)/4 + time.Millisecond)
		return nil
	}
	if ctx.Err() != nil || s.overdue() {
		return &DialError{Address: s.address, Stage: StageSASL, Err: err, remedy: s.dialer.login.remedy}
	}
	s.dialer.log.V(1).Info("could not authenticate again on a connection; another one takes its place",
		"address", s.address, "error", err.Error())
	return s.replace(ctx)
}

// bounded returns the time that there is to renew the session.
func (s *session) bounded() (context.Context, context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := time.Now().Add(s.dialer.timeout)
	if !s.writeDeadline.IsZero() && s.writeDeadline.Before(limit) {
		limit = s.writeDeadline
	}
	return context.WithDeadline(context.Background(), limit)
}

// overdue reports whether the caller has given up its wait for the request's answer.
func (s *session) overdue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || !s.readDeadline.IsZero() && !time.Now().Before(s.readDeadline)
}

// errTooSoon is the error of a session that is too short to renew.
var errTooSoon = errors.New("the broker refuses to authenticate twice within a second")

// reauthenticate goes through the mechanism's dialogue on the connection.
func (s *session) reauthenticate(ctx context.Context) error {
	if time.Since(s.begun) < minReauthentication {
		return errTooSoon
	}
	conn := s.current()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer s.restoreDeadlines()
	exchange := protocol.NewConn(conn, s.dialer.clientID)
	exchange.SetVersions(s.versions)
	begun := time.Now()
	lifetime, err := s.dialer.login.authenticate(ctx, exchange, s.address)
	if !stop() {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	s.lasts(begun, lifetime)
	return nil
}

// replace moves the session to another connection.
func (s *session) replace(ctx context.Context) error {
	// The broker may count the connections of a client.
	_ = s.current().Close()
	conn, err := s.dialer.dialServer(ctx, s.address)
	if err != nil {
		return err
	}
	s.renewAt, s.goodTill = time.Time{}, time.Time{}
	if fresh, ok := conn.(*session); ok {
		conn, s.versions, s.renewAt, s.goodTill = fresh.conn, fresh.versions, fresh.renewAt, fresh.goodTill
		s.begun = fresh.begun
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return net.ErrClosed
	}
	s.conn = conn
	return s.applyDeadlines()
}

func (s *session) current() net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

func (s *session) restoreDeadlines() {
	s.mu.Lock()
	defer s.mu.Unlock()
	// An error means that the connection is closed, as the next call will say.
	_ = s.applyDeadlines()
}

// applyDeadlines needs mu.
func (s *session) applyDeadlines() error {
	return errors.Join(s.conn.SetReadDeadline(s.readDeadline), s.conn.SetWriteDeadline(s.writeDeadline))
}

// SetDeadline implements net.Conn.
func (s *session) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readDeadline, s.writeDeadline = t, t
	return s.conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (s *session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readDeadline = t
	return s.conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (s *session) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeDeadline = t
	return s.conn.SetWriteDeadline(t)
}

// Close implements net.Conn.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.conn.Close()
}

// LocalAddr implements net.Conn.
func (s *session) LocalAddr() net.Addr { return s.current().LocalAddr() }

// RemoteAddr implements net.Conn.
func (s *session) RemoteAddr() net.Addr { return s.current().RemoteAddr() }
