package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestForwards: without faults, everything arrives as it was sent.
func TestForwards(t *testing.T) {
	_, s := proxied(t)
	c := dial(t, s.Addrs()[0])
	for _, size := range []int{0, 1, 3, chunkSize - 1, chunkSize, 5*chunkSize + 7} {
		if err := c.exchange(0, bytes.Repeat([]byte{'x'}, size)); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
}

// TestOtherBytesPass: a proxy does not stand in the way of bytes that are no frames.
func TestOtherBytesPass(t *testing.T) {
	f := newFrames(answerHeader)
	sent := bytes.Repeat([]byte{0xff}, 100)
	var got []byte
	for rest := sent; len(rest) > 0; {
		var part []byte
		var begins bool
		part, rest, begins = f.next(rest)
		if begins {
			t.Error("bytes that are no frame begin one")
		}
		got = append(got, part...)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes got through", len(got), len(sent))
	}
}

// TestAwaitsTarget: connections that are made before the broker's address is known wait
// for it.
func TestAwaitsTarget(t *testing.T) {
	b, s := proxied(t)
	c := dial(t, s.Addrs()[1])
	if err := c.send(0, nil); err != nil {
		t.Fatal(err)
	}
	s.Forward(1, b.listener.Addr().String())
	if _, err := readFrame(c); err != nil {
		t.Error(err)
	}
}

func TestDelay(t *testing.T) {
	_, s := proxied(t)
	c := dial(t, s.Addrs()[0])
	i := s.Begin(Fault{Kind: Delay, Broker: AllBrokers, Share: 1, Delay: 30 * time.Millisecond})
	start := time.Now()
	if err := c.exchange(0, []byte("late")); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("request and answer took %s, want 60 ms or more", took)
	}
	i.End()
	i.End()
	if i.Hits() != 1 {
		t.Errorf("%d connections were hit, want 1", i.Hits())
	}
	if err := c.exchange(0, []byte("soon")); err != nil {
		t.Error(err)
	}
}

func TestThrottle(t *testing.T) {
	_, s := proxied(t)
	c := dial(t, s.Addrs()[0])
	i := s.Begin(Fault{Kind: Throttle, Share: 1, Rate: 1_000_000})
	start := time.Now()
	if err := c.exchange(0, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	// The pause after the last bytes of each direction is not seen.
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("200 kB at 1 MB/s took %s", took)
	}
	i.End()
}

func TestReset(t *testing.T) {
	_, s := proxied(t)
	early := dial(t, s.Addrs()[0])
	if err := early.exchange(0, nil); err != nil {
		t.Fatal(err)
	}
	i := s.Begin(Fault{Kind: Reset, Share: 1, Delay: 20 * time.Millisecond})
	late := dial(t, s.Addrs()[0])
	for _, c := range []*client{early, late} {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection ended with %v, want a reset", err)
		}
	}
	if i.Hits() != 2 {
		t.Errorf("%d connections were hit, want 2", i.Hits())
	}
	i.End()
	if err := dial(t, s.Addrs()[0]).exchange(0, nil); err != nil {
		t.Error(err)
	}
}

func TestRefuse(t *testing.T) {
	_, s := proxied(t)
	c := dial(t, s.Addrs()[0])
	if err := c.exchange(0, nil); err != nil {
		t.Fatal(err)
	}
	first, second := s.Begin(Fault{Kind: Refuse, Share: 1}), s.Begin(Fault{Kind: Refuse})
	if _, err := readFrame(c); err == nil {
		t.Error("the connection goes on")
	}
	refused := func() bool {
		conn, err := net.Dial("tcp", s.Addrs()[0])
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	if !refused() {
		t.Error("a connection is accepted")
	}
	first.End()
	if !refused() {
		t.Error("a connection is accepted before the last fault has ended")
	}
	second.End()
	if err := dial(t, s.Addrs()[0]).exchange(0, nil); err != nil {
		t.Error(err)
	}
}

// TestBlackHole: nothing gets through in either direction, and afterwards connections go
// on or are reset.
func TestBlackHole(t *testing.T) {
	b, s := proxied(t)
	wentOn, reset := 0, 0
	for seed := uint64(0); wentOn == 0 || reset == 0; seed++ {
		early := dial(t, s.Addrs()[0])
		if err := early.exchange(0, nil); err != nil {
			t.Fatal(err)
		}
		b.await(t)
		i := s.Begin(Fault{Kind: BlackHole, Share: 1, Seed: seed})
		late := dial(t, s.Addrs()[0])
		for _, c := range []*client{early, late} {
			if err := c.send(0, nil); err != nil {
				t.Fatal(err)
			}
			if seed == 0 && !c.silent() {
				t.Error("something comes out of the black hole")
			}
		}
		select {
		case <-b.came:
			t.Error("a request arrives through the black hole")
		default:
		}
		i.End()
		for _, c := range []*client{early, late} {
			if _, err := readFrame(c); err == nil {
				wentOn++
				b.await(t)
			} else {
				reset++
			}
		}
	}
}

// TestHalfOpen: what one direction has lost is lost for good, and new connections work.
func TestHalfOpen(t *testing.T) {
	for _, kind := range []Kind{LoseRequests, LoseAnswers} {
		t.Run(string(kind), func(t *testing.T) {
			b, s := proxied(t)
			c := dial(t, s.Addrs()[0])
			i := s.Begin(Fault{Kind: kind, Share: 1})
			if err := c.send(0, nil); err != nil {
				t.Fatal(err)
			}
			if kind == LoseAnswers {
				b.await(t)
			}
			if !c.silent() {
				t.Error("an answer comes")
			}
			i.End()
			if !c.silent() {
				t.Error("a lost answer comes later")
			}
			if want := map[Kind]int{LoseRequests: 0, LoseAnswers: 1}[kind]; b.times(c.correlation) != want {
				t.Errorf("the request arrived %d times, want %d", b.times(c.correlation), want)
			}
			if err := dial(t, s.Addrs()[0]).exchange(0, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCutAnswer: the broker has got the request, and its answer ends early.
func TestCutAnswer(t *testing.T) {
	for _, kind := range []Kind{CutAnswer, DropAnswer} {
		t.Run(string(kind), func(t *testing.T) {
			b, s := proxied(t)
			const api, other = 26, 28
			payload := make([]byte, 3*chunkSize)
			i := s.Begin(Fault{Kind: kind, Share: 1, APIs: []int16{api}, Chance: 1})
			for range 20 {
				c := dial(t, s.Addrs()[0])
				if err := c.exchange(other, payload); err != nil {
					t.Fatalf("the answer to another API: %v", err)
				}
				if err := c.send(api, payload); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(c)
				if err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Fatal(err)
				}
				if kind == DropAnswer && len(got) > 0 || len(got) >= len(payload)+answerHeader {
					t.Errorf("%d bytes of the answer came", len(got))
				}
				if b.times(c.correlation) == 0 {
					t.Error("the request did not arrive")
				}
			}
			i.End()
			if i.Hits() != 20 {
				t.Errorf("%d answers were hit, want 20", i.Hits())
			}
		})
	}
}

// TestLateRequest: a request arrives after its connection has gone.
func TestLateRequest(t *testing.T) {
	b, s := proxied(t)
	s.Begin(Fault{Kind: LateRequest, Share: 1, Chance: 1, Delay: 50 * time.Millisecond})
	c := dial(t, s.Addrs()[0])
	if err := c.send(0, make([]byte, 2*chunkSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := readFrame(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ended with %v, want a reset", err)
	}
	if b.times(c.correlation) > 0 {
		t.Error("the request has arrived already")
	}
	b.await(t)
	if b.times(c.correlation) != 1 {
		t.Errorf("the request arrived %d times, want once", b.times(c.correlation))
	}
}

// TestShare: the seed decides which connections are hit.
func TestShare(t *testing.T) {
	chosen := func(seed uint64) (numbers []uint64) {
		i := &Injection{fault: Fault{Share: 0.5, Seed: seed}}
		for n := range uint64(100) {
			if i.chooses(n) {
				numbers = append(numbers, n)
			}
		}
		return numbers
	}
	one, again, other := chosen(1), chosen(1), chosen(2)
	if len(one) < 30 || len(one) > 70 {
		t.Errorf("%d of 100 connections are hit, want about half", len(one))
	}
	if !slices.Equal(one, again) || slices.Equal(one, other) {
		t.Errorf("the seed 1 chooses %v and %v, the seed 2 %v", one, again, other)
	}
}
