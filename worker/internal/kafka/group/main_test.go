package group

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// testRand returns a source of random numbers whose seed is in the test's log.
func testRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
