// Package langid finds the language of a short text from its letters and from its sequences
// of two, three and four letters.
//
// The model is naive Bayes over hashed n-grams: for each n-gram and language it holds how
// strongly the n-gram indicates the language. `go generate` trains it from text/ and the
// compiler embeds it into the program.
package langid

import (
	_ "embed"
	"fmt"
	"math"
	"unicode"
)

//go:generate go run ./train

// Languages are the languages that the model knows, as ISO 639-1 codes.
var Languages = [...]string{"de", "en", "es", "fr", "it", "nl", "pt", "sv"}

const (
	// maxN is the longest n-gram, in letters.
	maxN = 4
	// bucketBits is the binary logarithm of the size of the hash table.
	bucketBits = 15
	// scale is the number of steps of a weight in one unit of log-likelihood.
	scale = 16
)

//go:embed model.bin
var embedded []byte

// Model holds a row of weights for each bucket of n-grams. It does not change
// and is safe for concurrent use.
type Model struct {
	weights [1 << bucketBits][len(Languages)]int8
}

// Embedded returns the model that is compiled into the program.
func Embedded() (*Model, error) { return Decode(embedded) }

// Decode reads a model that Encode has written.
func Decode(data []byte) (*Model, error) {
	m := new(Model)
	if want := len(m.weights) * len(Languages); len(data) != want {
		return nil, fmt.Errorf("language model: %d bytes instead of %d; run go generate in langid", len(data), want)
	}
	for i, w := range data {
		m.weights[i/len(Languages)][i%len(Languages)] = int8(w)
	}
	return m, nil
}

// Encode returns the model's weights, a byte each.
func (m *Model) Encode() []byte {
	data := make([]byte, 0, len(m.weights)*len(Languages))
	for _, row := range m.weights {
		for _, w := range row {
			data = append(data, byte(w))
		}
	}
	return data
}

// Classify returns the most likely language of text and its probability, from 0 to 1. A text without letters is "und", undetermined.
func (m *Model) Classify(text string) (language string, confidence float64) {
	var sums [len(Languages)]int32
	letters := 0
	ngrams(text, func(bucket uint32, n int) {
		if n == 1 {
			letters++
		}
		for l, w := range m.weights[bucket] {
			sums[l] += int32(w)
		}
	})
	if letters == 0 {
		return "und", 0
	}
	best := 0
	for l, sum := range sums {
		if sum > sums[best] {
			best = l
		}
	}
	// Overlapping n-grams count the same evidence up to maxN times.
	var odds float64
	for _, sum := range sums {
		odds += math.Exp(float64(sum-sums[best]) / (scale * maxN))
	}
	return Languages[best], 1 / odds
}

// ngrams calls visit with the bucket of each n-gram of text that ends in a letter. Characters
// that are not letters count as one space.
func ngrams(text string, visit func(bucket uint32, n int)) {
	last := [maxN]rune{' '} // newest first
	have := 1
	for _, r := range text {
		if !unicode.IsLetter(r) {
			r = ' '
		}
		if r == ' ' && last[0] == ' ' {
			continue
		}
		copy(last[1:], last[:maxN-1])
		last[0] = unicode.ToLower(r)
		have = min(have+1, maxN)
		hash := uint32(2166136261)
		for n := 1; n <= have; n++ {
			hash = (hash ^ uint32(last[n-1])) * 2654435761
			if r != ' ' || n > 1 {
				visit(hash>>(32-bucketBits), n)
			}
		}
	}
}
