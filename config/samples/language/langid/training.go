package langid

import "math"

// Train returns a model trained from texts, one for each of Languages.
func Train(texts map[string]string) *Model {
	counts := make([][len(Languages)]float64, 1<<bucketBits)
	var totals [len(Languages)]float64
	for l, language := range Languages {
		ngrams(texts[language], func(bucket uint32, _ int) {
			counts[bucket][l]++
			totals[l]++
		})
	}
	m := new(Model)
	for bucket := range counts {
		m.weights[bucket] = weigh(counts[bucket], totals)
	}
	return m
}

// weigh converts an n-gram's counts into log-likelihoods relative to their mean, so that an
// n-gram that no text contains indicates no language.
func weigh(counts, totals [len(Languages)]float64) (row [len(Languages)]int8) {
	const smoothing = 0.3
	var logs [len(Languages)]float64
	var mean, seen float64
	for l := range counts {
		logs[l] = math.Log((counts[l] + smoothing) / totals[l])
		mean += logs[l] / float64(len(counts))
		seen += counts[l]
	}
	if seen == 0 {
		return row
	}
	for l := range logs {
		row[l] = int8(math.Round(max(-127, min(127, scale*(logs[l]-mean)))))
	}
	return row
}
