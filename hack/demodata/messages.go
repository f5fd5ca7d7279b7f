package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const (
	messageLines = 40_000
	// cutMessages is the number of truncated lines.
	cutMessages = 40
	messageSeed = 20260315
)

// message is one line of the customers' messages.
type message struct {
	ID       string `json:"id"`
	Time     string `json:"time"`
	Channel  string `json:"channel"`
	Customer string `json:"customer"`
	Text     string `json:"text"`
}

func writeMessages(w io.Writer) error {
	rng := rand.New(rand.NewPCG(messageSeed, 1))
	customers := rand.NewZipf(rng, 1.2, 20, 9_999)
	cut := pickLines(rng, cutMessages, messageLines)
	out := bufio.NewWriter(w)
	for i, at := range requestTimes(rng, messageLines) {
		text, _ := writeMessage(rng)
		line, err := json.Marshal(message{
			ID:       fmt.Sprintf("m-%06d", i+1),
			Time:     at.Format(time.RFC3339),
			Channel:  []string{"email", "chat", "app"}[rng.IntN(3)],
			Customer: fmt.Sprintf("c-%05d", 20_000+customers.Uint64()),
			Text:     text,
		})
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		if cut[i] {
			line = line[:len(line)/2]
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeMessage returns the text of a customer and its language.
func writeMessage(rng *rand.Rand) (text, language string) {
	draw := rng.IntN(100)
	for _, p := range phrasebooks {
		if draw -= p.share; draw < 0 {
			return p.write(rng), p.language
		}
	}
	return phrasebooks[0].write(rng), phrasebooks[0].language
}

// phrasebook holds the phrases of one language. share is the language's percentage of all
// messages.
type phrasebook struct {
	language  string
	share     int
	greetings []string
	bodies    []string
	closings  []string
}

func (p *phrasebook) write(rng *rand.Rand) string {
	var parts []string
	if rng.IntN(10) < 6 {
		parts = append(parts, pick(rng, p.greetings))
	}
	first := rng.IntN(len(p.bodies))
	parts = append(parts, p.bodies[first])
	if second := rng.IntN(len(p.bodies)); second != first && rng.IntN(3) == 0 {
		parts = append(parts, p.bodies[second])
	}
	if rng.IntN(10) < 5 {
		parts = append(parts, pick(rng, p.closings))
	}
	return strings.NewReplacer(
		"{order}", strconv.Itoa(480_000+rng.IntN(20_000)),
		"{product}", pick(rng, products),
		"{days}", strconv.Itoa(2+rng.IntN(20)),
	).Replace(strings.Join(parts, " "))
}

var products = []string{"Lumo 200", "Kettla Mini", "Nordik Desk", "Trekka 45", "Aria X3", "Volta Pro", "Pico Cam", "Sola Lamp"}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }
