package main

var mistakes = []mistake{
	{`json.customer.name + 1`, `processor.cel.value:1:20: + does not take (string, int): json.customer.name is a string: convert the text with int() or double(), or the number with string()`, false},
	{`json.total > 100`, `processor.cel.value:1:5: json has no field "total": test has(json.total) first, or write json.?total.orValue(...) to name a value for this case`, false},
	{`json.lines[2].sku`, `processor.cel.value:1:11: json.lines has no element at 2, since it has 2 and the first is at 0: write json.lines[?2].orValue(...) to name a value for this case`, false},
	{`json.note.startsWith("a")`, `processor.cel.value:1:21: startsWith does not take (null, string): json.note is null: test json.note != null first`, false},
	{`timestamp(json.customer.name)`, `processor.cel.value:1:10: timestamp() can't read the text "Ada": write it as in RFC 3339, such as 2026-01-02T15:04:05Z, or use time.parse(TEXT, FORMAT)`, false},
	{`json.id`, `processor.cel.value:1:5: json is null, because the record has no value: it is a tombstone, and null has no field "id": test json != null first, or write json.?id, which has no value then`, true},
}

var recipes = []recipe{
	{
		title: "Add and replace fields",
		cel:   `value: 'json.merge({"source": {"topic": topic, "offset": offset}, "total": json.price * json.quantity})'`,
		value: `{"price": 2.5, "quantity": 2}`, results: []string{`k: {"price":2.5,"quantity":2,"source":{"offset":17,"topic":"orders"},"total":5}`},
	},
	{
		title: "Remove and mask personal data",
		cel: `value: |
  json.without(["ssn", "contacts.phone"])
    .with("card", regex.replace(json.card, "[0-9](?:.*)([0-9]{4})$", "****\\1"))`,
		value: `{"ssn": "1", "card": "4000111122223333", "contacts": [{"name": "Ada", "phone": "5"}]}`, results: []string{`k: {"card":"****3333","contacts":[{"name":"Ada"}]}`},
	},
	{
		title: "One record to many",
		about: "The results have the key of the record, unless key is set. An empty list drops the record.",
		cel: `values: 'json.lines.map(l, l.merge({"order": json.id}))'
key: 'element.sku'
headers:
  line: 'string(index + 1)'`,
		value:   `{"id": 1, "lines": [{"sku": "A"}, {"sku": "B"}]}`,
		results: []string{`A: {"order":1,"sku":"A"}`, `B: {"order":1,"sku":"B"}`},
	},
	{
		title: "Drop tombstones, and records without a field",
		cel:   `filter: 'value != null && has(json.id)'`,
		value: `{"name": "Ada"}`,
	},
	{
		title: "Keep tombstones, and change the others",
		cel:   `value: 'value == null ? null : json.with("seen", true)'`,
		value: `{"id": 1}`, results: []string{`k: {"id":1,"seen":true}`},
	},
	{
		title: "Parse an access log",
		about: "`grok` knows COMMONLOG and COMBINEDLOG, the log formats of web servers. A line of another form fails here.",
		cel: `value: |
  cel.bind(line, grok(value, "^%{COMBINEDLOG}$").value(),
    line.with("timestamp", time.parse(line.timestamp, "%d/%b/%Y:%H:%M:%S %z")))`,
		value:   `192.0.2.7 - ada [01/Mar/2026:09:15:00 +0100] "GET /cart?id=1 HTTP/1.1" 200 5120 "-" "Mozilla/5.0"`,
		results: []string{`k: {"agent":"Mozilla/5.0","bytes":5120,"client":"192.0.2.7","ident":"-","method":"GET","path":"/cart?id=1","referrer":"-","status":200,"timestamp":"2026-03-01T08:15:00Z","user":"ada","version":"1.1"}`},
	},
	{
		title: "Parse syslog",
		about: "Its timestamps have no year and no zone.",
		cel: `value: |
  cel.bind(line, grok(value, "^%{SYSLOG}$").value(),
    line.with("timestamp", time.parse("2026 " + line.timestamp, "%Y %b %e %H:%M:%S", "Europe/Berlin")))`,
		value:   `<34>Mar  1 09:15:00 web-1 sshd[4711]: session opened`,
		results: []string{`k: {"host":"web-1","message":"session opened","pid":4711,"priority":34,"program":"sshd","timestamp":"2026-03-01T08:15:00Z"}`},
	},
	{
		title: "Parse key=value lines",
		cel:   `value: 'keyValues(value).with("raw", value)'`,
		value: `level=warn msg="disk full" disk=/dev/sda`, results: []string{`k: {"disk":"/dev/sda","level":"warn","msg":"disk full","raw":"level=warn msg=\"disk full\" disk=/dev/sda"}`},
	},
	{
		title: "JSON in a text field",
		cel:   `value: 'json.merge({"payload": json.parse(json.payload).orValue(json.payload)})'`,
		value: `{"payload": "{\"id\": 12345678901234567890}"}`, results: []string{`k: {"payload":{"id":12345678901234567890}}`},
	},
	{
		title: "Send records to topics by what they are",
		about: "The topics have to exist. Without one for a record, name the output topic.",
		cel: `topic: '"orders-" + json.country.lowerAscii()'
value: json.without("country")`,
		value: `{"id": 1, "country": "DE"}`, results: []string{`k: {"id":1}`},
	},
	{
		title: "Count and total a list",
		cel: `value: |
  {
    "lines": json.lines.size(),
    "total": number.format(json.lines.map(l, l.quantity * l.price).sum(), 2),
    "dearest": json.lines.map(l, l.price).max()
  }`,
		value: `{"lines": [{"quantity": 2, "price": 1.25}, {"quantity": 1, "price": 10}]}`, results: []string{`k: {"dearest":10,"lines":2,"total":"12.50"}`},
	},
}
