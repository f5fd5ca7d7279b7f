package faults

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace-dev/millrace/hack/chaos/proxy"
)

// TestKinds: the table says of each kind what the driver needs.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.Name == "" || seen[k.Name] {
			t.Errorf("the name %q is missing or there twice", k.Name)
		}
		seen[k.Name] = true
		if k.Class == "" || k.Weight <= 0 || k.Begin == nil || k.Hold[0] > k.Hold[1] {
			t.Errorf("%s: the kind is not complete: %+v", k.Name, k)
		}
	}
}

// TestNetworkFaultsReplay: a seed gives the same faults, and each can be ended.
func TestNetworkFaultsReplay(t *testing.T) {
	proxies, err := proxy.Listen(3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxies.Close() }()
	for _, ids := range []func() string{nil, func() string { return "id" }} {
		e := &Env{Proxies: proxies, TransactionalID: ids}
		details := func(seed uint64) (all []string) {
			pick := rand.New(rand.NewPCG(seed, 0))
			for _, k := range networkKinds() {
				applied, err := k.Begin(t.Context(), e, pick)
				if err != nil {
					t.Fatalf("%s: %v", k.Name, err)
				}
				if err := applied.End(t.Context()); err != nil {
					t.Errorf("end %s: %v", k.Name, err)
				}
				all = append(all, k.Name+": "+applied.Detail)
			}
			return all
		}
		same := 0
		one, again, other := details(1), details(1), details(2)
		for i := range one {
			if one[i] != again[i] {
				t.Errorf("the same seed gives %q and %q", one[i], again[i])
			}
			if one[i] == other[i] {
				same++
			}
		}
		if same == len(one) {
			t.Errorf("another seed gives the same faults: %q", one)
		}
		t.Log(one)
	}
}

// TestRequestsHit: a fault that hits single requests names those it hits.
func TestRequestsHit(t *testing.T) {
	for _, ids := range []func() string{nil, func() string { return "id" }} {
		e := &Env{TransactionalID: ids}
		pick := rand.New(rand.NewPCG(1, 1))
		for range 100 {
			f := proxy.Fault{}
			detail := single(&f, pick, allAPIs(e))
			if len(f.APIs) == 0 || f.Chance <= 0 || f.Chance > 1 || detail == "" {
				t.Errorf("the fault %+v hits no requests, %q", f, detail)
			}
		}
	}
}
