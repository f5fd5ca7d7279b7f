package cel

import (
	"fmt"
	"strings"
	"time"
)

// directives are those of strftime that package time has a counterpart for. Fractions of
// a second have one after a point only.
var directives = map[string]string{
	"Y": "2006", "y": "06", "m": "01", "-m": "1", "b": "Jan", "B": "January",
	"d": "02", "-d": "2", "e": "_2", "j": "002", "a": "Mon", "A": "Monday",
	"H": "15", "I": "03", "-I": "3", "M": "04", "-M": "4", "S": "05", "-S": "5", "p": "PM",
	"z": "-0700", ":z": "-07:00", "Z": "MST",
	"F": "2006-01-02", "T": "15:04:05", "R": "15:04", "%": "%", "n": "\n", "t": "\t",
	"L": "000", "f": "000000", "N": "000000000",
}

// layoutOf translates a format of strftime into a layout of package time.
func layoutOf(format string) (string, error) {
	if !strings.Contains(format, "%") {
		return "", fmt.Errorf("the format %s has no directive: write it as for strftime, such as %%Y-%%m-%%d %%H:%%M:%%S", quotedStart(format))
	}
	var layout, control strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			layout.WriteByte(format[i])
			control.WriteByte(format[i])
			continue
		}
		name := format[i+1 : min(i+2, len(format))]
		if name == "-" || name == ":" {
			name = format[i+1 : min(i+3, len(format))]
		}
		directive, ok := directives[name]
		if !ok {
			return "", fmt.Errorf("the format %s has %%%s, which is none of %%Y %%m %%d %%H %%M %%S %%L %%f %%z %%b and the others of the reference", quotedStart(format), name)
		}
		if strings.HasPrefix(directive, "000") && !strings.HasSuffix(layout.String(), ".") {
			return "", fmt.Errorf("the format %s has %%%s, a fraction of a second, without a point before it", quotedStart(format), name)
		}
		layout.WriteString(directive)
		control.WriteString(sampled(directive))
		i += len(name)
	}
	if sampleTime.Format(layout.String()) != control.String() {
		return "", fmt.Errorf("the format %s has text that package time takes for a part of a time, such as a digit: "+
			"write directives such as %%Y and %%m for the parts, and take other digits out of the text first, for example with replace()", quotedStart(format))
	}
	return layout.String(), nil
}

// fractions are optional when a text is read, and may have any number of digits.
var fractions = strings.NewReplacer("05.000000000", "05", "05.000000", "05", "05.000", "05")

// parsingLayout translates a format for reading texts.
func parsingLayout(format string) (string, error) {
	layout, err := layoutOf(format)
	if err == nil && strings.Contains(layout, "MST") {
		// Package time would read an abbreviation that it does not know as UTC.
		return "", fmt.Errorf("the format %s has %%Z, but abbreviations of zones have several meanings: "+
			"write the abbreviation itself, such as GMT, and name the zone as the third argument", quotedStart(format))
	}
	return fractions.Replace(layout), err
}

// sampleTime is a time whose parts are all different from those that package time's layouts
// are written with.
var sampleTime = time.Date(2013, time.November, 24, 21, 48, 57, 987654321, time.FixedZone("NST", -12600))

// sampled returns what a directive makes of sampleTime.
func sampled(directive string) string {
	if strings.HasPrefix(directive, "000") {
		return strings.TrimPrefix(sampleTime.Format("."+directive), ".")
	}
	return sampleTime.Format(directive)
}
