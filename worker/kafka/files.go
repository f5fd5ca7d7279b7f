package kafka

import (
	"fmt"
	"os"
	"strings"
)

// Files reads the files that a configuration names. Workers read them from the disk. For
// the operator the names stand for keys of Secrets and ConfigMaps.
type Files struct {
	Read func(name string) ([]byte, error)
	// Tokens returns the source of the tokens in a file that something else
	// renews.
	Tokens func(name string) TokenSource
}

// onDisk are the files of a worker.
var onDisk = Files{Read: os.ReadFile, Tokens: FileTokens}

// credential reads a file without the newline that editors put at its end.
func (f Files) credential(field, file string) (string, error) {
	if file == "" {
		return "", fmt.Errorf("%s is not set: name the file that holds it", field)
	}
	content, err := f.Read(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("%s: %s is empty", field, file)
	}
	return value, nil
}
