// Package dial reaches brokers as the pods of a namespace do: it resolves names by
// the search path of that namespace, not by the operator's own. It connects to no
// address that the operator's configuration denies, whatever a name resolves to,
// and reports whether errors may quote what an address answers.
package dial
