// Package simulate replays loads against scaling.Decide. It models a topic, and pods that read
// it, in steps of a second; all randomness comes from a fixed seed. Its tests check the
// promises of the autoscaling, and hack/scaling-report draws its runs.
package simulate
