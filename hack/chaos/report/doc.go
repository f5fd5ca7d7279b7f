// Package report writes what a chaos run has shown, as Markdown and as JSON.
package report
