package simulate

import (
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// sized returns a plain scenario with pods whose CPU may be raised from 1 to 4.
func sized(name, about string) Scenario {
	s := plain(name, about)
	s.Policy.Vertical = scaling.Vertical{Base: 1000, Max: 4000, Step: 500}
	s.Resize = 3 * time.Second
	s.Expect.CPU, s.Expect.AtEnd = 4000, 1000
	return s
}

func cappedVertical() Scenario {
	s := sized("Capped, with more CPU", "Every partition has a pod, and for half an hour the load is half as much again as the pods can process. They get more CPU, catch up, and give it back.")
	s.Arrival = evenly(between(30*time.Minute, time.Hour, 1800, 300))
	s.Expect.CPU, s.Expect.Resizes, s.Expect.Turns = 3000, 5, 2
	s.Expect.Cost = 1.6
	return s
}

func hotVertical() Scenario {
	s := sized("A hot partition, with more CPU", "For half an hour one partition gets nearly twice the load that a pod can process.")
	s.Arrival = func(at time.Duration, p int) float64 {
		if p == 3 {
			return between(30*time.Minute, time.Hour, 180, 20)(at)
		}
		return 3
	}
	s.Expect.CPU, s.Expect.Resizes, s.Expect.Turns = 4000, 6, 4
	s.Expect.CatchUp, s.Expect.Cost = 8*time.Minute, 3
	return s
}

func noMoreHelps() Scenario {
	s := sized("Capped, and CPU does not help", "As before, but the pods do not wait for CPU. Autoscaling takes the CPU back, and tries again at most once an hour.")
	s.Arrival = evenly(between(30*time.Minute, s.Length, 1800, 300))
	s.CPUDoesNotHelp = true
	s.Expect.CPU, s.Expect.Resizes = 4000, 4
	s.Expect.CatchUp, s.Expect.Cost, s.Expect.Turns = s.Length, 1.6, 2
	return s
}

func noRoom() Scenario {
	s := sized("Capped, and a node without room", "The pods' nodes have room for half as much CPU again, and no more.")
	s.Arrival = evenly(between(30*time.Minute, time.Hour, 1500, 300))
	s.Room = 1500
	s.Expect.CPU, s.Expect.Resizes = 1500, 4
	s.Expect.CatchUp, s.Expect.Cost, s.Expect.Turns = 35*time.Minute, 1.7, 2
	return s
}
