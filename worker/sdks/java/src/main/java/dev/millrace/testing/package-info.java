/** Runs processors in tests, without a worker. */
package dev.millrace.testing;
