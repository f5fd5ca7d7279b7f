package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const host = "https://shop.example"

// route is one kind of request to the site.
type route struct {
	weight       float64
	method, path string // {product}, {order}, {user}, {page} and {word} are filled in
	medianMS     float64
	medianBytes  float64
	asset        bool
	// failing is the share of answers with 5xx on a normal day.
	failing float64
	// status is the status of a successful answer.
	status int
}

var routes = []route{
	{9, "GET", "/", 60, 14_000, false, 0.002, 200},
	{7, "GET", "/products?page={page}", 180, 31_000, false, 0.004, 200},
	{14, "GET", "/products/{product}", 95, 22_000, false, 0.003, 200},
	{6, "GET", "/search?q={word}", 340, 18_000, false, 0.008, 200},
	{8, "GET", "/api/v1/products/{product}", 35, 2_400, false, 0.003, 200},
	{5, "GET", "/api/v1/products/{product}/reviews", 120, 6_800, false, 0.004, 200},
	{5, "GET", "/api/v1/users/{user}/recommendations", 420, 5_100, false, 0.012, 200},
	{4, "GET", "/api/v1/orders/{order}", 70, 1_900, false, 0.006, 200},
	{1.6, "POST", "/api/v1/orders", 520, 640, false, 0.02, 201},
	{3, "POST", "/api/v1/cart/items", 55, 310, false, 0.004, 201},
	{1.2, "POST", "/checkout", 640, 2_100, false, 0.02, 303},
	{1.5, "POST", "/login", 210, 480, false, 0.004, 303},
	{12, "GET", "/static/app.9c1f27d4.js", 4, 184_000, true, 0.0003, 200},
	{8, "GET", "/static/site.41b0aa6e.css", 3, 38_000, true, 0.0003, 200},
	{16, "GET", "/images/products/{product}.webp", 6, 46_000, true, 0.0005, 200},
	{2, "GET", "/healthz", 1, 2, true, 0, 200},
	{0.5, "GET", "/wp-login.php", 2, 162, false, 0, 404},
	{0.3, "GET", "/.env", 2, 162, false, 0, 404},
	{0.2, "POST", "/xmlrpc.php", 2, 162, false, 0, 404},
}

var words = strings.Fields("lamp desk chair kettle teapot blanket shelf notebook pencil bicycle helmet backpack tent boots raincoat scarf wallet headphones keyboard monitor cable charger")

// incident is a span of time in which a part of the site answers slowly or not at all.
type incident struct {
	from, to time.Time
	prefix   string
	failing  float64
	slower   float64
}

var incidents = []incident{
	{at(9, 40), at(9, 58), "/search", 0.05, 4},
	{at(14, 5), at(14, 31), "/api/v1/orders", 0.45, 6},
	{at(14, 5), at(14, 31), "/checkout", 0.4, 5},
	{at(20, 50), at(21, 20), "/api/v1/users", 0.2, 5},
}

func at(hour, minute int) time.Time {
	return day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// site generates requests.
type site struct {
	clients  []client
	visitors *rand.Zipf // which client
	products *rand.Zipf
	weights  float64
	orders   int
}

func newSite(rng *rand.Rand) *site {
	s := &site{clients: newClients(rng), orders: 481_000}
	s.visitors = rand.NewZipf(rng, 1.15, 12, uint64(len(s.clients)-1))
	s.products = rand.NewZipf(rng, 1.2, 8, 4_999)
	for _, r := range routes {
		s.weights += r.weight
	}
	return s
}

func (s *site) request(rng *rand.Rand, at time.Time) entry {
	c, r := s.clients[s.visitors.Uint64()], s.route(rng)
	path := s.path(rng, r)
	status, slower := outcome(rng, r, path, at)
	e := entry{
		Time:       at.Format("2006-01-02T15:04:05.000Z07:00"),
		RequestID:  fmt.Sprintf("%08x", rng.Uint32()),
		Client:     c.address,
		Method:     r.method,
		Path:       path,
		Status:     status,
		Bytes:      size(rng, r, path),
		DurationMS: math.Round(10*logNormal(rng, r.medianMS*slower, 0.65)) / 10,
		UserAgent:  c.agent,
	}
	if status >= 300 && status != 303 {
		e.Bytes = 120 + rng.IntN(60)
	}
	if !c.bot && rng.Float64() < 0.7 {
		e.Referer = host + s.referer(rng)
	}
	return e
}

func (s *site) route(rng *rand.Rand) route {
	at := rng.Float64() * s.weights
	for _, r := range routes {
		if at -= r.weight; at < 0 {
			return r
		}
	}
	return routes[0]
}

func (s *site) path(rng *rand.Rand, r route) string {
	before, rest, found := strings.Cut(r.path, "{")
	if !found {
		return r.path
	}
	name, after, _ := strings.Cut(rest, "}")
	switch name {
	case "product":
		return before + strconv.FormatUint(1000+s.products.Uint64(), 10) + after
	case "order":
		s.orders += rng.IntN(3)
		return before + strconv.Itoa(s.orders-rng.IntN(40)) + after
	case "user":
		return before + strconv.FormatUint(20_000+s.visitors.Uint64(), 10) + after
	case "page":
		return before + strconv.Itoa(1+rng.IntN(12)) + after
	default:
		return before + words[rng.IntN(len(words))] + after
	}
}

func (s *site) referer(rng *rand.Rand) string {
	switch rng.IntN(8) {
	case 0:
		return "/products/" + strconv.FormatUint(1000+s.products.Uint64(), 10)
	case 1:
		return "/search?q=" + words[rng.IntN(len(words))]
	default:
		return "/"
	}
}

// outcome returns the status of an answer, and how much slower than usual it is.
func outcome(rng *rand.Rand, r route, path string, at time.Time) (status int, slower float64) {
	failing, slower := r.failing, 1.0
	for _, in := range incidents {
		if strings.HasPrefix(path, in.prefix) && at.After(in.from) && at.Before(in.to) {
			failing, slower = in.failing, in.slower
		}
	}
	draw := rng.Float64()
	switch {
	case draw < failing:
		return []int{500, 502, 503, 504}[rng.IntN(4)], slower * 2
	case r.asset && draw > 0.6:
		return 304, 1
	case draw > 0.985:
		return []int{400, 401, 403, 404, 429}[rng.IntN(5)], slower
	default:
		return r.status, slower
	}
}

// size returns the size of an answer in bytes. An asset always has the same size.
func size(rng *rand.Rand, r route, path string) int {
	if !r.asset {
		return int(logNormal(rng, r.medianBytes, 0.3))
	}
	hash := fnv.New32a()
	hash.Write([]byte(path))
	return int(r.medianBytes * (0.5 + float64(hash.Sum32()%1000)/1000))
}

func logNormal(rng *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*rng.NormFloat64())
}
