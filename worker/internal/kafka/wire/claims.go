package wire

import (
	"reflect"
	"strconv"
	"strings"
)

// CheckClaims goes through an answer in a layout of kafka-go's, behind its size, and
// returns an error if it does not have all that it says it has. kafka-go takes memory for
// what an answer says, before the data comes, and panics if that is too much.
func CheckClaims(layout reflect.Type, version int16, data []byte) error {
	c := claims{Reader{Data: data}, version, false}
	for field := range layout.Fields() {
		for tag := range layoutTags(field) {
			c.flexible = c.flexible || tag.flexible && tag.first <= version
		}
	}
	c.Int32() // correlation id
	if c.flexible {
		c.Tags()
	}
	c.structure(layout)
	return c.Err
}

// LaidOut reports whether kafka-go's layout of an answer has a version.
func LaidOut(layout reflect.Type, version int16) bool {
	for field := range layout.Fields() {
		for tag := range layoutTags(field) {
			if tag.first <= version && version <= tag.last {
				return true
			}
		}
	}
	return false
}

// claims reads an answer and keeps nothing.
type claims struct {
	Reader
	version  int16
	flexible bool
}

func (c *claims) structure(layout reflect.Type) {
	for field := range layout.Fields() {
		for tag := range layoutTags(field) {
			if tag.first <= c.version && c.version <= tag.last {
				if !tag.flexible {
					c.value(field.Type)
				}
				break
			}
		}
	}
	if c.flexible {
		c.Tags()
	}
}

func (c *claims) value(layout reflect.Type) {
	switch layout.Kind() {
	case reflect.String:
		c.text()
	case reflect.Struct:
		c.structure(layout)
	case reflect.Slice:
		c.list(layout.Elem())
	default: // a number
		c.Take(int(layout.Size()))
	}
}

func (c *claims) text() {
	if c.flexible {
		c.Compact()
	} else if n := c.Int16(); n > 0 {
		c.Take(int(n))
	}
}

func (c *claims) list(element reflect.Type) {
	switch {
	case element.Kind() == reflect.Uint8 && c.flexible:
		c.Compact()
	case element.Kind() == reflect.Uint8:
		c.Bytes()
	default:
		count := c.Count
		if c.flexible {
			count = c.CompactCount
		}
		for n := count(); n > 0 && c.Err == nil; n-- {
			c.value(element)
		}
	}
}

// layoutTag says in which versions a field is part of a layout of kafka-go's. flexible
// marks a field of the flexible encoding alone: a tagged one, or the placeholder for those
// to come.
type layoutTag struct {
	first, last int16
	flexible    bool
}

// layoutTags returns the parts of a field's tag, such as "min=v0,max=v5|min=v6,max=v7,compact".
func layoutTags(field reflect.StructField) func(yield func(layoutTag) bool) {
	return func(yield func(layoutTag) bool) {
		for part := range strings.SplitSeq(field.Tag.Get("kafka"), "|") {
			tag := layoutTag{first: -1, last: -1}
			for option := range strings.SplitSeq(part, ",") {
				name, value, _ := strings.Cut(option, "=")
				number, _ := strconv.ParseInt(strings.TrimPrefix(value, "v"), 10, 16)
				switch name {
				case "min":
					tag.first = int16(number)
				case "max":
					tag.last = int16(number)
				case "tag":
					tag.flexible = true
				}
			}
			if tag.last >= 0 && !yield(tag) {
				return
			}
		}
	}
}
