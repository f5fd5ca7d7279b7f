// Command expressions writes the reference of the expressions as Markdown: variables,
// functions, operators and recipes, each with an example. The tests run the examples, and
// check that no function is missing.
//
//	go run ./hack/expressions FILE
package main

//go:generate go run . ../../docs/reference/expressions.md

import (
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: expressions FILE")
	}
	if err := os.WriteFile(os.Args[1], []byte(document()), 0o644); err != nil {
		log.Fatal(err)
	}
}
