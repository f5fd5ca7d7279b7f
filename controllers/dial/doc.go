// Package dial connects to brokers in the same way as the pods of a namespace: it resolves
// names with the search path of that namespace, not with the operator's. It connects to no
// address that the operator's configuration denies, whatever a name resolves to, and
// reports whether errors may quote the answers of an address.
package dial
