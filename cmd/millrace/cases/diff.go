package cases

// differences compares two lists, and returns lines that show their differences below a
// title, or nothing if there are none. It shows a list's item that is not the expected one
// in the form of the expected one, which is nil if there is one too many.
func differences[W, G any](title string, want []W, got []G, match func(*W, *G) bool, showWant func(*W) string, showGot func(*G, *W) string) []string {
	lines := []string{title + " (- expected, + got):"}
	common := alignment(len(want), len(got), func(i, j int) bool { return match(&want[i], &got[j]) })
	if len(common) == len(want) && len(common) == len(got) {
		return nil
	}
	i, j := 0, 0
	for _, pair := range append(common, [2]int{len(want), len(got)}) {
		for k := i; k < pair[0]; k++ {
			lines = append(lines, "  - "+showWant(&want[k]))
		}
		for k := j; k < pair[1]; k++ {
			var like *W
			if l := i + k - j; l < pair[0] {
				like = &want[l]
			}
			lines = append(lines, "  + "+showGot(&got[k], like))
		}
		if pair[0] < len(want) {
			lines = append(lines, "    "+showWant(&want[pair[0]]))
		}
		i, j = pair[0]+1, pair[1]+1
	}
	return lines
}

// alignment returns the longest list of pairs of items that match, in the order of both
// lists.
func alignment(n, m int, match func(i, j int) bool) (pairs [][2]int) {
	longest := make([][]int, n+1)
	for i := range longest {
		longest[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if match(i, j) {
				longest[i][j] = max(longest[i][j], longest[i+1][j+1]+1)
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case longest[i][j] == longest[i+1][j]:
			i++
		case longest[i][j] == longest[i][j+1]:
			j++
		default:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		}
	}
	return pairs
}
