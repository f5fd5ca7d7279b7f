// Package controllers is the operator: it makes the cluster run what
// StreamProcessors ask for, and says how they stand. A reconciliation is a list
// of phases over one scope: fetch, validate, observe, plan, apply, report.
// Deciding is in plan and scaling, which are pure; the pollers kafkawatch and
// podwatch ask Kafka and the pods on their own time, so that nothing here waits
// for either.
package controllers
