package langid

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func load(t testing.TB) *Model {
	t.Helper()
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEmbeddedModelIsTrainedFromTheTexts(t *testing.T) {
	texts := map[string]string{}
	for _, language := range Languages {
		text, err := os.ReadFile(filepath.Join("text", language+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		texts[language] = string(text)
	}
	if !bytes.Equal(Train(texts).Encode(), embedded) {
		t.Fatal("model.bin does not match the texts; run: go generate ./config/samples/language/langid")
	}
}

func TestClassify(t *testing.T) {
	m := load(t)
	for text, want := range map[string]string{
		"Where can I find the invoice for my last order?":               "en",
		"Wo finde ich die Rechnung zu meiner letzten Bestellung?":       "de",
		"Où puis-je trouver la facture de ma dernière commande ?":       "fr",
		"¿Dónde puedo encontrar la factura de mi último pedido?":        "es",
		"Dove posso trovare la fattura del mio ultimo ordine?":          "it",
		"Onde posso encontrar a fatura da minha última encomenda?":      "pt",
		"Waar kan ik de factuur van mijn laatste bestelling vinden?":    "nl",
		"Var kan jag hitta fakturan för min senaste beställning?":       "sv",
		"WHERE IS MY PARCEL???":                                         "en",
		"the parcel, the parcel, and again: the parcel 12345 \xff\xfe!": "en",
	} {
		if got, confidence := m.Classify(text); got != want || confidence < 0.5 {
			t.Errorf("Classify(%q) = %s (%.2f), want %s", text, got, confidence, want)
		}
	}
}

func TestClassifyWithoutLetters(t *testing.T) {
	for _, text := range []string{"", "  ", "12345 ?!"} {
		if got, confidence := load(t).Classify(text); got != "und" || confidence != 0 {
			t.Errorf("Classify(%q) = %s (%.2f), want und (0)", text, got, confidence)
		}
	}
}

func TestDecodeRefusesAModelOfAnotherSize(t *testing.T) {
	if _, err := Decode(embedded[1:]); err == nil {
		t.Error("Decode accepted a truncated model")
	}
}

func BenchmarkClassify(b *testing.B) {
	m := load(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Classify("Where can I find the invoice for my last order? It is not in the parcel.")
	}
}
