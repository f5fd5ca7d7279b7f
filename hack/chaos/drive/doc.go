// Package drive carries out a chaos run. It starts a cluster and the processes to
// examine, writes the input, begins and ends the faults of a schedule, and feeds all that
// it reads back to package check.
package drive
