// Command train writes langid's model.bin from the texts beside it; run it by
// `go generate` in langid.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/config/samples/language/langid"
)

func main() {
	if err := train(); err != nil {
		fmt.Fprintln(os.Stderr, "train: "+err.Error())
		os.Exit(1)
	}
}

func train() error {
	texts := map[string]string{}
	for _, language := range langid.Languages {
		text, err := os.ReadFile(filepath.Join("text", language+".txt"))
		if err != nil {
			return err
		}
		texts[language] = string(text)
	}
	return os.WriteFile("model.bin", langid.Train(texts).Encode(), 0o644)
}
