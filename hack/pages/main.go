// Command pages runs the commands that Markdown pages show, in the repository's folder,
// and compares their output with the page's. It leaves out commands that need a cluster.
//
//	go run ./hack/pages docs/tutorial.md            show each command and its output
//	go run ./hack/pages -update docs/recipes.md     write the outputs into the page
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

func main() {
	log.SetFlags(0)
	update := flag.Bool("update", false, "write the outputs into the pages")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, file := range flag.Args() {
		if err := run(ctx, file, *update); err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}

func run(ctx context.Context, file string, update bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var results []page.Result
	err = page.Run(ctx, string(text), ".", func(r page.Result) {
		results = append(results, r)
		fmt.Printf("$ %s\n%s", strings.TrimRight(r.Command, "\n"), r.Got)
	})
	if update {
		return os.WriteFile(file, []byte(page.Update(string(text), results)), 0o644)
	}
	return err
}
