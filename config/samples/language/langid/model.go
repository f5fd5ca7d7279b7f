// Package langid tells in which language a short text is written, by its
// letters and the two, three and four that stand side by side.
//
// The model is naive Bayes over hashed n-grams: for each n-gram and language
// how much the one speaks for the other. It is trained from text/ by
// `go generate` and compiled into the program, as any small model can be.
package langid

import (
	_ "embed"
	"fmt"
	"math"
	"unicode"
)

//go:generate go run ./train

// Languages are what the model tells apart, as ISO 639-1 codes.
var Languages = [...]string{"de", "en", "es", "fr", "it", "nl", "pt", "sv"}

const (
	// maxN is the longest n-gram, in letters.
	maxN = 4
	// bucketBits is the size of the table that n-grams are hashed into.
	bucketBits = 15
	// scale is how many steps of a weight make one unit of log-likelihood.
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

// Decode reads a model as Encode writes it.
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

// Classify returns the language that text is most likely written in and how
// likely, from 0 to 1. A text without letters is "und", undetermined.
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
	// N-grams that overlap say the same thing up to maxN times.
	var odds float64
	for _, sum := range sums {
		odds += math.Exp(float64(sum-sums[best]) / (scale * maxN))
	}
	return Languages[best], 1 / odds
}

// ngrams calls visit with the bucket of each n-gram of text that ends in a
// letter, n letters long. All that is no letter counts as one space.
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
