package scaling

import "testing"

func TestUseful(t *testing.T) {
	for _, c := range []struct{ pods, partitions, useful, next int32 }{
		{1, 12, 1, 2},
		{4, 12, 4, 6},
		{5, 12, 4, 6},
		{7, 12, 6, 12},
		{12, 12, 12, 12},
		{3, 4, 2, 4},
		{2, 0, 2, 2},
	} {
		if got := useful(c.pods, c.partitions); got != c.useful {
			t.Errorf("useful(%d, %d) = %d, want %d", c.pods, c.partitions, got, c.useful)
		}
		if got := nextUseful(c.pods, c.partitions); got != c.next {
			t.Errorf("nextUseful(%d, %d) = %d, want %d", c.pods, c.partitions, got, c.next)
		}
	}
}

func TestDemand(t *testing.T) {
	for _, c := range []struct {
		name string
		need demand
		pods int32
	}{
		{"nothing", demand{0, 0, 0, 0}, 1},
		{"within one pod", demand{20, 20, 20, 20}, 1},
		{"without headroom", demand{24, 24, 24, 24}, 2},
		{"two pods", demand{40, 40, 40, 40}, 2},
		{"as many partitions as with three", demand{55, 55, 55, 55}, 4},
		{"one is hotter than the rest allow it to be", demand{90, 20, 20, 20}, 4},
		{"one is hotter than a pod", demand{500, 5, 5, 5}, 2},
		{"more than all can do", demand{500, 500, 500, 500}, 4},
	} {
		if got := c.need.pods(100, 4); got != c.pods {
			t.Errorf("%s: got %d, want %d", c.name, got, c.pods)
		}
	}
}
