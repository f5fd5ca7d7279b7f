// Command dashboards draws the Grafana dashboards without a Grafana. It starts a Kafka
// broker, a Kubernetes API server, the operator, workers and a Prometheus that scrapes them,
// and lets records flow for some minutes. Then it asks Prometheus for the queries of every
// panel and draws the answers as one SVG a dashboard. A query that fails, and a panel without
// data, are errors.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// pictures are the dashboards, and the names of their pictures.
var pictures = []struct{ dashboard, picture string }{
	{"config/grafana/streamprocessors.json", "dashboard-streamprocessors.svg"},
	{"config/grafana/operator.json", "dashboard-operator.svg"},
}

func main() {
	output := flag.String("o", "docs/images", "the folder for the pictures")
	length := flag.Duration("for", 4*time.Minute, "how long records flow")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *output, *length); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, output string, length time.Duration) error {
	dir, err := os.MkdirTemp("", "dashboards-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &stage{dir: dir}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return err
	}
	begin := time.Now()
	fmt.Printf("Records flow for %s.\n", length)
	if err := s.play(ctx, length); err != nil {
		return err
	}
	span := span{begin, time.Now()}
	for _, p := range pictures {
		if err := draw(ctx, s.prometheus, span, p.dashboard, filepath.Join(output, p.picture)); err != nil {
			return err
		}
	}
	return nil
}

// draw asks for the queries of a dashboard and writes its picture.
func draw(ctx context.Context, from *prometheus, span span, dashboard, picture string) error {
	d, err := readDashboard(dashboard)
	if err != nil {
		return err
	}
	answers, err := from.answer(ctx, d, span)
	if err != nil {
		return fmt.Errorf("%s: %w", dashboard, err)
	}
	if empty := emptyPanels(d, answers); len(empty) > 0 {
		return fmt.Errorf("%s: there are no data for the panels %s", dashboard, strings.Join(empty, ", "))
	}
	if err := os.WriteFile(picture, paint(d, answers, span), 0o644); err != nil {
		return err
	}
	fmt.Println("The picture is", picture)
	return nil
}
