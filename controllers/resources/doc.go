// Package resources builds what a StreamProcessor needs from its spec: the
// worker's configuration, which `millrace run` uses too, and the objects that
// run it in a cluster. All of it is pure: nothing is read, written or dialled
// here.
package resources
