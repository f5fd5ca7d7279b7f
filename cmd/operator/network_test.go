package main

import (
	"net/netip"
	"slices"
	"testing"
)

// TestAddressesOfTheAPIServer in the forms that configurations have it in.
func TestAddressesOfTheAPIServer(t *testing.T) {
	for server, want := range map[string]string{
		"https://10.96.0.1:443":      "10.96.0.1:443",
		"https://[fd00::1]:6443":     "[fd00::1]:6443",
		"10.0.0.1:6443":              "10.0.0.1:6443",
		"https://10.0.0.1/clusters/": "10.0.0.1:443",
	} {
		if got := addressesOf(t.Context(), server); !slices.Equal(got, []netip.AddrPort{netip.MustParseAddrPort(want)}) {
			t.Errorf("%s: %v, want %s", server, got, want)
		}
	}
}

// TestBrokersAreDeniedByDefault where a user could use the operator's place.
func TestBrokersAreDeniedByDefault(t *testing.T) {
	network, err := brokerNetwork(t.Context(), defaults(), "https://10.96.0.1:443")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:8081", "169.254.169.254:80", "10.96.0.1:443"} {
		if network.Policy.Allows(netip.MustParseAddrPort(address)) {
			t.Errorf("%s may be connected to", address)
		}
	}
	if !network.Policy.Allows(netip.MustParseAddrPort("10.96.0.1:9092")) {
		t.Error("a broker at another port of the API server's address is denied")
	}
}
