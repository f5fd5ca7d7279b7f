package broker

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }
