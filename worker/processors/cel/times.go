package cel

import (
	"fmt"
	"strings"
	"sync"
	"time"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

func timeFunctions() []celgo.EnvOption {
	text, stamp := celgo.StringType, celgo.TimestampType
	return []celgo.EnvOption{
		declare("now", global("now", stamp)),
		declare("time.parse", global("time_parse", stamp, text, text), global("time_parse_zone", stamp, text, text, text)),
		declare("time.format", global("time_format", text, stamp, text), global("time_format_zone", text, stamp, text, text)),
		declare("time.truncate", global("time_truncate", stamp, stamp, celgo.DurationType)),
		declare("time.ofMillis", global("time_of_millis", stamp, celgo.IntType)),
		declare("time.toMillis", global("time_to_millis", celgo.IntType, stamp)),
	}
}

// now returns the time at which the record's evaluation first asked for it, so that all
// expressions see the same time. It is a function and not a constant: cel-go evaluates
// only conversions ahead of the record.
func now(m meter, _ []ref.Val) ref.Val {
	m.charge(1)
	if m.vars.now.IsZero() {
		m.vars.now = time.Now().UTC().Truncate(time.Millisecond)
	}
	return types.Timestamp{Time: m.vars.now}
}

// withLayout returns a function that translates the format of a call. A constant one is
// translated once.
func withLayout(args []interpreter.InterpretableV2, translate func(string) (string, error)) func(m meter, format ref.Val) (string, error) {
	if format, ok := constantText(args[1]); ok {
		layout, err := translate(format)
		return func(meter, ref.Val) (string, error) { return layout, err }
	}
	return func(m meter, format ref.Val) (string, error) {
		text := string(format.(types.String))
		m.charge(10 * textCost(len(text)))
		return translate(text)
	}
}

// zoneOf returns the time zone that a call names in its third argument, UTC by default.
func zoneOf(args []ref.Val) (*time.Location, error) {
	if len(args) < 3 {
		return time.UTC, nil
	}
	return loadZone(string(args[2].(types.String)))
}

// zones holds the zones in use, since time.LoadLocation reads files. Its keys are the
// names of zones only.
var zones sync.Map

func loadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("there is no time zone %s: write a name such as Europe/Berlin", quotedStart(name))
	}
	zones.Store(strings.Clone(name), zone) // the name may be in the record's memory
	return zone, nil
}

func areTexts(args []ref.Val) bool {
	for _, arg := range args {
		if _, ok := arg.(types.String); !ok {
			return false
		}
	}
	return true
}

func planTimeParse(nodes []interpreter.InterpretableV2) runner {
	layoutFor := withLayout(nodes, parsingLayout)
	return func(m meter, args []ref.Val) ref.Val {
		if !areTexts(args) {
			return mismatched()
		}
		text := string(args[0].(types.String))
		m.charge(textCost(len(text)))
		layout, err := layoutFor(m, args[1])
		if err != nil {
			return types.WrapErr(err)
		}
		zone, err := zoneOf(args)
		if err != nil {
			return types.WrapErr(err)
		}
		parsed, err := time.ParseInLocation(layout, text, zone)
		if err != nil {
			return types.NewErr("the text %s is no time in the format %s", quotedStart(text), quotedStart(string(args[1].(types.String))))
		}
		if parsed.Year() == 0 {
			return types.NewErr("the format %s has no year: add the year to both, such as string(now().getFullYear()) + \" \" + TEXT",
				quotedStart(string(args[1].(types.String))))
		}
		return types.Timestamp{Time: parsed.UTC()}
	}
}

func planTimeFormat(nodes []interpreter.InterpretableV2) runner {
	layoutFor := withLayout(nodes, layoutOf)
	return func(m meter, args []ref.Val) ref.Val {
		at, ok := args[0].(types.Timestamp)
		if !ok || !areTexts(args[1:]) {
			return mismatched()
		}
		layout, err := layoutFor(m, args[1])
		if err != nil {
			return types.WrapErr(err)
		}
		zone, err := zoneOf(args)
		if err != nil {
			return types.WrapErr(err)
		}
		m.charge(textCost(2 * len(layout))) // no directive's text is more than twice as long
		return types.String(at.In(zone).Format(layout))
	}
}

// truncateTime returns the start of the interval that a time is in. Intervals are counted
// from the year 1.
func truncateTime(m meter, args []ref.Val) ref.Val {
	at, isTime := args[0].(types.Timestamp)
	interval, isDuration := args[1].(types.Duration)
	if !isTime || !isDuration {
		return mismatched()
	}
	m.charge(1)
	if interval.Duration <= 0 {
		return types.NewErr("the interval %v is not above 0", interval.Duration)
	}
	return types.Timestamp{Time: at.UTC().Truncate(interval.Duration)}
}

// maxMillis is the last millisecond of the year 9999, beyond which CEL has no timestamps,
// and minMillis the first one of the year 1.
const (
	minMillis = -62_135_596_800_000
	maxMillis = 253_402_300_799_999
)

func timeOfMillis(m meter, args []ref.Val) ref.Val {
	n, ok := args[0].(types.Int)
	if !ok {
		return mismatched()
	}
	m.charge(1)
	if n < minMillis || n > maxMillis {
		return types.NewErr("%d ms are not within the years 1 to 9999: a number of seconds becomes a time with timestamp()", n)
	}
	return types.Timestamp{Time: time.UnixMilli(int64(n)).UTC()}
}

func timeToMillis(m meter, args []ref.Val) ref.Val {
	at, ok := args[0].(types.Timestamp)
	if !ok {
		return mismatched()
	}
	m.charge(1)
	return types.Int(at.UnixMilli())
}
