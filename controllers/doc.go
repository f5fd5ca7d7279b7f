// Package controllers is the operator: it makes the cluster run the StreamProcessors
// and reports their state. A reconciliation is a list of phases over one scope. It
// begins with fetch and takeCharge and ends with report. In between come
// keepFinalizer, observe, scale, decide, stagger, apply, reload, resize; for a
// StreamProcessor that is being deleted giveUp, observe, decide, stagger, finalize.
//
// Packages plan and scaling decide and are pure. The pollers kafkawatch and podwatch
// ask Kafka and the pods in the background, so no phase waits for either.
//
// Each phase is a method of the type that owns the state it needs from one
// reconciliation to the next: charge, finalizers, the observers, autoscaler, groups,
// rollouts, applier, reloader, resizer, reporter. The phases hand their findings on in
// the scope.
package controllers
