// Command train writes langid's model.bin from the texts in langid/text. `go generate` in
// langid runs it.
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
