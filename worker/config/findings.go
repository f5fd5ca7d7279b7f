package config

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxName is Kafka's limit for the names of topics, in bytes.
const maxName = 249

// FieldError says that one field is wrong.
type FieldError struct {
	Path    string // as in the file, such as input.topic
	Problem string // the bad value and the remedy
}

func (e *FieldError) Error() string { return e.Path + ": " + e.Problem }

// findings collects the errors of a configuration.
type findings struct{ errs []error }

func (f *findings) add(path, format string, args ...any) {
	f.errs = append(f.errs, &FieldError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

func between[T cmp.Ordered](f *findings, path string, value, least, most T) {
	if value < least || value > most {
		f.add(path, "%v is out of bounds: choose a value from %v to %v", value, least, most)
	}
}

func oneOf[T ~string](f *findings, path string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	names := make([]string, len(allowed))
	for i, name := range allowed {
		names[i] = string(name)
	}
	f.add(path, "%q is not allowed: write %s", value, strings.Join(names, " or "))
}

func (f *findings) duration(path string, value Duration, least, most time.Duration) {
	between(f, path, value.Duration, least, most)
}

// name checks a name that must follow Kafka's rules for topics.
func (f *findings) name(path, value string) {
	switch {
	case value == "":
		f.add(path, "it is not set: write a name")
	case len(value) > maxName:
		f.add(path, "the name has %d characters, and %d are allowed: shorten %q", len(value), maxName, value)
	case value == "." || value == "..":
		f.add(path, "%q can't be a name in Kafka: choose another", value)
	case strings.ContainsFunc(value, notInName):
		f.add(path, "%q has characters that Kafka does not allow: use ASCII letters, digits, '.', '_' and '-' only", value)
	}
}

func notInName(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
}

func (f *findings) topic(path, value string) {
	if value == "" {
		f.add(path, "it is not set: name the topic")
		return
	}
	f.name(path, value)
}

// group checks the name of a consumer group. Kafka allows any readable character in
// it.
func (f *findings) group(path, value string) {
	const most = 255
	switch {
	case value == "":
		f.add(path, "it is not set: name the consumer group")
	case len(value) > most:
		f.add(path, "the name has %d bytes, and %d are allowed: shorten %q", len(value), most, value)
	case strings.ContainsFunc(value, unicode.IsControl):
		f.add(path, "%q has control characters: remove them", value)
	case value == "." || value == "..":
		f.add(path, "%q can't be a group's name: choose another", value)
	}
}

func (f *findings) broker(path, server string) {
	host, port, err := net.SplitHostPort(server)
	// A comma would put two addresses into one item.
	if err != nil || host == "" || strings.ContainsAny(host, ", /") {
		f.add(path, "%q is not an address: write host:port, such as kafka:9092, one broker in each item", server)
		return
	}
	f.port(path, server, port, 1)
}

func (f *findings) listen(path, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		f.add(path, "%q is not an address: write host:port, or :port for all interfaces, such as :8080", address)
		return
	}
	f.port(path, address, port, 0)
}

func (f *findings) port(path, address, port string, least uint64) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number < least {
		f.add(path, "the port of %q is not a number from %d to 65535: correct it", address, least)
	}
}
