package main

// The record of the examples.
const (
	exampleTopic     = "orders"
	examplePartition = 3
	exampleOffset    = 17
	exampleTime      = "2026-03-01T08:15:02.5Z"
	exampleKey       = "customer-8"
	exampleSource    = "web"
	exampleValue     = `{
  "id": 4711,
  "customer": {"name": "Ada", "email": "ada@example.com"},
  "lines": [{"sku": "A-1", "quantity": 2, "price": 1.25}, {"sku": "B-7", "quantity": 1, "price": 10}],
  "tags": ["new", "gift", "new"],
  "placed": "2026-03-01T09:15:00+01:00",
  "note": null
}`
)

const introduction = `The expressions of ` + "`spec.processor.cel`" + ` are written in the [Common Expression Language](https://cel.dev), with more functions. ` + "`filter`" + ` decides whether a record goes on; ` + "`value`, `key`, `headers` and `topic`" + ` make one result of it, and ` + "`values`" + ` makes one of each element of a list. ` + "`millrace eval -f FILE`" + ` shows what expressions make of a record, ` + "`millrace test`" + ` runs cases beside a manifest, and ` + "`millrace validate`" + ` finds mistakes with their places.

A result that is text or bytes is written as it is, null is a tombstone (or the null key), and everything else is written as JSON, with the members of objects in the order of their names.
`

const errorsIntroduction = `
## Errors
An expression that fails on a record fails each time, so the record is tried once, and ` + "`spec.failure.onExhausted`" + ` says what becomes of it. The error names the field of the manifest with line and column, the operator or function, the types of its operands, and what to write instead:
`

const ending = `
## Limits
- One evaluation of an expression may cost 10,000,000 units: about one for each operator and one for ten bytes of text. It then takes about a second. Loops, sorting, joining and patterns are counted before they run, so that no record takes the memory or the time of the others. The attempt's timeout (` + "`spec.failure.timeout`" + `) ends an evaluation too.
- ` + "`values`" + ` may have 10,000 elements, and the results 64 MiB together.
- An expression may have 65,536 characters.
- Expressions read no files and reach no network. ` + "`now()` and `uuid()`" + ` are the only functions whose results differ from one attempt to the next: a record that is processed again, after a crash for example, gets other ones. ` + "`uuid(TEXT)`" + ` is always the same.

## Secrets
Expressions are in manifests and ConfigMaps, which many people can read. So write no secret into an expression.

` + "`sha256()`" + ` hides a value only from those who can't guess it: with a list of all card numbers or addresses, everybody finds the one that has a digest. ` + "`hmac.sha256(TEXT, \"NAME\")`" + ` needs a key for that. The key is in the environment variable ` + "`EXPRESSION_KEY_NAME`" + ` of the worker, from a Secret; expressions can use it and not read it, and no other variable. The worker does not start without it:

` + "```yaml" + `
template:
  spec:
    containers:
    - name: worker
      env:
      - name: EXPRESSION_KEY_CUSTOMERS
        valueFrom: {secretKeyRef: {name: customers, key: hmac}}
` + "```" + `

The best protection for a field that nobody needs is ` + "`json.without(\"ssn\")`" + `.
`
