// Package simulate replays loads against scaling.Decide: a model of a topic and
// of pods that read it, in steps of a second, with everything that is random
// drawn from a fixed seed. Its tests hold what the autoscaling promises; the
// report draws its runs.
package simulate
