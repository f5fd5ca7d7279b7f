// Package resources builds two things from the spec of a StreamProcessor: the worker's
// configuration, which `millrace run` uses too, and the objects that run the workers in a
// cluster. The package is pure: it reads, writes and dials nothing.
package resources
