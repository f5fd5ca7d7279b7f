package proxy

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHammer: under overlapping faults of all kinds an exchange fails or is right, and when
// all have ended every new connection works.
func TestHammer(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	_, s := proxied(t)
	var clients, faults sync.WaitGroup
	var over atomic.Bool
	for n := range 8 {
		clients.Go(func() {
			for !over.Load() {
				if err := exchanges(s.Addrs()[0], int16(n)); errors.Is(err, errOtherBytes) {
					t.Error(err)
				}
			}
		})
	}
	for n := range 4 {
		faults.Go(func() { inject(s, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	faults.Wait()
	over.Store(true)
	clients.Wait()
	if err := dial(t, s.Addrs()[0]).exchange(0, nil); err != nil {
		t.Errorf("after all faults: %v", err)
	}
}

// exchanges makes exchanges on one connection until one fails or there were enough.
func exchanges(addr string, api int16) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	c := &client{Conn: conn}
	for n := range 20 {
		_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond))
		if err := c.exchange(api, bytes.Repeat([]byte{byte(n)}, n*1000)); err != nil {
			return err
		}
	}
	return nil
}

// inject puts one random fault after another in force.
func inject(s *Set, random *rand.Rand) {
	kinds := []Kind{Delay, Throttle, Reset, Refuse, BlackHole, LoseRequests, LoseAnswers, CutAnswer, DropAnswer, LateRequest}
	for range 15 {
		i := s.Begin(Fault{
			Kind: kinds[random.IntN(len(kinds))], Broker: AllBrokers, Share: random.Float64(), Seed: random.Uint64(),
			Delay: time.Duration(random.IntN(20)) * time.Millisecond, Rate: 1 + random.IntN(1<<20), Chance: random.Float64(),
		})
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
		i.End()
	}
}
