package main

func init() {
	sections = append(sections, []section{
		{"Patterns and log lines", "Patterns are regular expressions of [RE2](https://github.com/google/re2/wiki/Syntax). In YAML's plain and block texts, write a backslash twice, or put an r before the quotes: `r\"\\d+\"`.", []entry{
			{"matches", "a.matches(pattern)", "whether a part of the text matches", `json.customer.email.matches("^[a-z]+@")`, `true`},
			{"regex.extract regex.extractAll", "regex.extract(a, pattern), regex.extractAll(a, pattern)", "the optional first match, or its group; all matches", `regex.extractAll(json.placed, "[0-9]{4}")`, `["2026"]`},
			{"regex.captures", "regex.captures(a, pattern)", "the optional groups of the first match, by their names", `regex.captures(json.customer.email, "(?P<user>.+)@(?P<host>.+)").orValue({})`, `{"host":"example.com","user":"ada"}`},
			{"regex.replace", "regex.replace(a, pattern, new)", `the text with other parts; \\1 is the first group. A fourth argument is the number of replacements`, `regex.replace("4000 1111 2222 3333", "[0-9]{4} ", "* ")`, `"* * * 3333"`},
			{"grok", "grok(a, pattern)", "the optional parts of a text that `%{NAME:field:type}` stand for: the name of a known pattern, of the member, and int, float or text", `grok("GET /cart 200", "%{WORD:method} %{PATH:path} %{INT:status:int}").orValue({})`, `{"method":"GET","path":"/cart","status":200}`},
			{"keyValues", "keyValues(a)", `the pairs of a text such as level=info msg="a b"`, `keyValues("level=info msg=\"a b\"")`, `{"level":"info","msg":"a b"}`},
		}},
		{"Lists", "", []entry{
			{"map", "LIST.map(x, a), LIST.map(x, condition, a)", "a list of a for each element x, or for those that meet a condition", `json.lines.map(l, l.sku)`, `["A-1","B-7"]`},
			{"filter", "LIST.filter(x, condition)", "the elements that meet a condition", `json.lines.filter(l, l.quantity > 1).size()`, `1`},
			{"all exists exists_one existsOne", "LIST.all(x, c), LIST.exists(x, c), LIST.existsOne(x, c)", "whether all, some, or exactly one of the elements meet a condition", `json.lines.exists(l, l.price >= 10)`, `true`},
			{"transformList transformMap transformMapEntry", "LIST.transformList(i, x, a), LIST.transformMap(i, x, a), LIST.transformMapEntry(i, x, {k: v})", "a list or a map of a for each position and element; of a map, for each name and member", `json.lines.transformMapEntry(i, l, {l.sku: l.quantity})`, `{"A-1":2,"B-7":1}`},
			{"reduce", "LIST.reduce(total, x, start, a)", "the last total, where each total is a for the total before and the element x", `json.lines.reduce(total, l, 0.0, total + l.quantity * l.price)`, `12.5`},
			{"sum min max", "LIST.sum(), LIST.min(), LIST.max()", "the sum of numbers or durations (0 for none), the least and the greatest element", `json.lines.map(l, l.price).max()`, `10`},
			{"sort sortBy", "LIST.sort(), LIST.sortBy(x, a)", "the elements in their order, or in that of a", `json.lines.sortBy(l, -l.price).map(l, l.sku)`, `["B-7","A-1"]`},
			{"distinct", "LIST.distinct()", "without repetitions", `json.tags.distinct()`, `["new","gift"]`},
			{"slice first last", "LIST.slice(from, to), LIST.first(), LIST.last()", "a part; the optional first and last element", `json.tags.slice(0, 2)`, `["new","gift"]`},
			{"flatten", "LIST.flatten()", "with the elements of lists in the place of the lists", `[[1, 2], [3]].flatten()`, `[1,2,3]`},
			{"lists.range", "lists.range(n)", "the numbers from 0 to n-1", `lists.range(3)`, `[0,1,2]`},
			{"hasAll hasAny hasOnly hasExactly sets.contains sets.intersects sets.equivalent", "LIST.hasAll(b), LIST.hasAny(b), LIST.hasOnly(b), LIST.hasExactly(b), sets.contains(a, b), sets.intersects(a, b), sets.equivalent(a, b)", "whether a list has all, or any, of the elements of b, none but them, or just them", `json.tags.hasAny(["gift", "sale"])`, `true`},
		}},
		{"Objects", "A path names a member of a member with a dot between them, such as `customer.email`; in a list on the way it is that of each element. `\\\\.` is a dot in a name. The functions return another object: that of the record stays.", []entry{
			{"merge", "a.merge(b)", "the members of both, where b's replace a's; objects in both are merged too", `json.only(["id", "customer"]).merge({"customer": {"vip": true}})`, `{"customer":{"email":"ada@example.com","name":"Ada","vip":true},"id":4711}`},
			{"with", "a.with(path, b)", "with the member at a path set to b", `json.only(["id"]).with("customer.vip", true)`, `{"customer":{"vip":true},"id":4711}`},
			{"without", "a.without(path), a.without([path, ...])", "without the members at paths", `json.customer.without("email")`, `{"name":"Ada"}`},
			{"only", "a.only([path, ...])", "just the members at paths, those that there are", `json.only(["id", "lines.sku"])`, `{"id":4711,"lines":[{"sku":"A-1"},{"sku":"B-7"}]}`},
		}},
		{"Numbers", "", []entry{
			{"greatest least", "math.greatest(a, b, ...), math.least(a, b, ...)", "the greatest and the least of numbers", `math.greatest(json.id, 5000)`, `5000`},
			{"math.round math.ceil math.floor math.trunc", "math.round(a), math.ceil(a), math.floor(a), math.trunc(a)", "a double without its fraction: the nearest, the next above, the next below, towards zero", `math.round(2.5)`, `3`},
			{"math.abs math.sign math.sqrt", "math.abs(a), math.sign(a), math.sqrt(a)", "without the sign; -1, 0 or 1; the square root", `math.abs(-3)`, `3`},
			{"math.isNaN math.isInf math.isFinite", "math.isNaN(a), math.isInf(a), math.isFinite(a)", "whether a double is no number, infinite, or neither", `math.isFinite(1.0 / 0.0)`, `false`},
			{"math.bitAnd math.bitOr math.bitXor math.bitNot math.bitShiftLeft math.bitShiftRight", "math.bitAnd(a, b), math.bitOr(a, b), math.bitXor(a, b), math.bitNot(a), math.bitShiftLeft(a, n), math.bitShiftRight(a, n)", "calculates with the bits of whole numbers", `math.bitAnd(6, 3)`, `2`},
		}},
		{"Time", "Formats are those of strftime: %Y-%m-%d (or %F) %H:%M:%S (or %T), %j, %e, %b and %B, %a and %A, %y, %I and %p, %z and %:z, %Z; after a point %L, %f and %N have 3, 6 and 9 digits of the second. %-d, %-m, %-I, %-M and %-S have no leading zero. A time zone is a name such as Europe/Berlin, and UTC by default.", []entry{
			{"now", "now()", "the present time, in milliseconds: the same in all expressions of a record", `now() > timestamp("2026-01-01T00:00:00Z")`, `true`},
			{"timestamp", "timestamp(a)", "the time that a text in RFC 3339 is, or a number of seconds since 1970", `timestamp(json.placed)`, `"2026-03-01T08:15:00Z"`},
			{"time.parse", "time.parse(a, format), time.parse(a, format, zone)", "the time that a text is. A fraction may follow %S", `time.parse("01/Mar/2026:09:15:00 +0100", "%d/%b/%Y:%H:%M:%S %z")`, `"2026-03-01T08:15:00Z"`},
			{"time.format", "time.format(a, format), time.format(a, format, zone)", "the text of a time", `time.format(timestamp, "%Y-%m-%d %H:%M", "Europe/Berlin")`, `"2026-03-01 09:15"`},
			{"time.truncate", "time.truncate(a, DURATION)", "the start of the interval that a time is in", `time.truncate(timestamp, duration("1h"))`, `"2026-03-01T08:00:00Z"`},
			{"time.ofMillis time.toMillis", "time.ofMillis(n), time.toMillis(a)", "converts milliseconds since 1970", `time.toMillis(timestamp)`, `1772352902500`},
			{"duration", "duration(a)", "a length of time such as 90s or 1h30m, which times can be added to. The difference of two times is one", `timestamp(json.placed) + duration("36h")`, `"2026-03-02T20:15:00Z"`},
			{"getFullYear getMonth getDate getDayOfMonth getDayOfYear getDayOfWeek getHours getMinutes getSeconds getMilliseconds", "a.getFullYear(), a.getMonth(), a.getDate(), a.getDayOfMonth(), a.getDayOfYear(), a.getDayOfWeek(), a.getHours(), a.getMinutes(), a.getSeconds(), a.getMilliseconds()", "a part of a time, in a zone that may be named. Months, days of the month and of the year count from 0, getDate from 1, Sunday is 0; of a duration, the whole of it in a unit", `timestamp.getHours("Europe/Berlin")`, `9`},
		}},
		{"Encodings, identifiers and digests", "", []entry{
			{"json.parse json.encode", "json.parse(a), json.encode(a)", "the optional value of a text that is JSON; the JSON of a value", `json.parse("{\"a\": [1, 2]}").a[1].orValue(0)`, `2`},
			{"base64.encode base64.decode", "base64.encode(a), base64.decode(a)", "base64 of a text or bytes; the bytes of base64", `base64.encode(key)`, `"Y3VzdG9tZXItOA=="`},
			{"base64.encodeUrl base64.decodeUrl", "base64.encodeUrl(a), base64.decodeUrl(a)", "the same with the letters that URLs allow, without padding", `string(base64.decodeUrl(base64.encodeUrl("a?b")))`, `"a?b"`},
			{"url.parse url.build", "url.parse(a), url.build(a)", "the parts of a URL: scheme, user, host, port, path, query (a list for each name) and fragment; the URL with these parts", `url.build(url.parse("https://shop.example/cart?id=1").with("query.id", 2))`, `"https://shop.example/cart?id=2"`},
			{"url.encode url.decode", "url.encode(a), url.decode(a)", "the text as a part of a URL's query, and back", `url.encode("a b&c")`, `"a+b%26c"`},
			{"uuid", "uuid(), uuid(a)", "a random UUID; the UUID of a text (version 5), which is always the same", `uuid("orders/3/17") == uuid(topic + "/" + string(partition) + "/" + string(offset))`, `true`},
			{"sha256", "sha256(a)", "the digest of a text or bytes, in hexadecimal digits; see [Secrets](#secrets)", `sha256(json.customer.email).substring(0, 8)`, `"b5fc85e5"`},
			{"hmac.sha256", `hmac.sha256(a, "NAME")`, "the digest with a key that only the worker knows; see [Secrets](#secrets)", `hmac.sha256(json.customer.email, "CUSTOMERS").size()`, `64`},
		}},
	}...)
}
