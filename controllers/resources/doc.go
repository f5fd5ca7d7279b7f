// Package resources builds what a StreamProcessor needs from its spec. So far
// that is the worker's configuration, which the operator puts into a ConfigMap
// and `millrace run` gives to the workers that it starts. All of it is pure:
// nothing is read, written or dialled here.
package resources
