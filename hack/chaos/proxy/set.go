package proxy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
)

// Set is the proxies of a cluster, one for each broker. Its methods may be called from any
// goroutine.
type Set struct{ proxies []*proxy }

// Listen opens n proxies on the loopback. They accept connections, which wait until
// Forward says where they go.
func Listen(n int) (*Set, error) {
	s := &Set{}
	for range n {
		p, err := listen()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open a proxy: %w", err), s.Close())
		}
		s.proxies = append(s.proxies, p)
	}
	return s, nil
}

// Addrs returns the proxies' addresses, in the order of the brokers.
func (s *Set) Addrs() []string {
	var addrs []string
	for _, p := range s.proxies {
		addrs = append(addrs, p.address)
	}
	return addrs
}

// Forward sets the address that a broker's proxy connects to. It is called once for each.
func (s *Set) Forward(broker int, target string) {
	p := s.proxies[broker]
	p.target = target
	close(p.ready)
}

// Close ends all connections and waits for them.
func (s *Set) Close() error {
	var errs []error
	for _, p := range s.proxies {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// Begin puts a fault in force. Several may be at the same time.
func (s *Set) Begin(f Fault) *Injection {
	hit := s.proxies
	if f.Broker != AllBrokers {
		hit = s.proxies[f.Broker : f.Broker+1]
	}
	i := &Injection{fault: f, random: rand.New(rand.NewPCG(f.Seed, 1))}
	i.end = sync.OnceFunc(func() {
		for _, p := range hit {
			p.end(i)
		}
	})
	for _, p := range hit {
		p.begin(i)
	}
	return i
}
