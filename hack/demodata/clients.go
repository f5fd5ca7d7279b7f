package main

import (
	"fmt"
	"math/rand/v2"
)

// client is a visitor of the site.
type client struct {
	address string
	agent   string
	bot     bool
}

var browsers = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.2 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0",
	"ShopApp/7.4.1 (Android 15)",
	"ShopApp/7.4.0 (iOS 19.2)",
}

var bots = []string{
	"Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",
	"PriceWatchBot/1.8",
	"curl/8.14.1",
	"python-requests/2.32.5",
}

// newClients generates visitors with addresses from the ranges for documentation (RFC 5737 and
// RFC 3849).
func newClients(rng *rand.Rand) []client {
	var clients []client
	for _, network := range []string{"192.0.2", "198.51.100", "203.0.113"} {
		for host := 1; host < 255; host++ {
			clients = append(clients, client{address: fmt.Sprintf("%s.%d", network, host)})
		}
	}
	for range 2_500 {
		address := fmt.Sprintf("2001:db8:%x:%x::%x", rng.IntN(64), rng.IntN(256), 1+rng.IntN(15))
		clients = append(clients, client{address: address})
	}
	rng.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	for i := range clients {
		c := &clients[i]
		if c.bot = rng.Float64() < 0.06; c.bot {
			c.agent = bots[rng.IntN(len(bots))]
		} else {
			c.agent = browsers[rng.IntN(len(browsers))]
		}
	}
	return clients
}
