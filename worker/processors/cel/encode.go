package cel

import (
	"encoding/base64"
	"unicode/utf8"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// encoders declares the functions for base64 and JSON in text. cel-go's would write large
// whole numbers as text.
func encoders() []celgo.EnvOption {
	text, raw := celgo.StringType, celgo.BytesType
	return []celgo.EnvOption{
		celgo.Function("base64.encode", celgo.Overload("base64_encode_string", []*celgo.Type{text}, text,
			celgo.UnaryBinding(func(ref.Val) ref.Val { return unplanned() }))),
		declare("base64.encodeUrl", global("base64_encode_url_string", text, text), global("base64_encode_url_bytes", text, raw)),
		declare("base64.decodeUrl", global("base64_decode_url", raw, text)),
		declare("json.parse", global("json_parse", celgo.OptionalType(celgo.DynType), text)),
	}
}

// encodeBase64 takes any bytes, and text.
func encodeBase64(m meter, args []ref.Val) ref.Val {
	return encodedBase64(m, base64.StdEncoding, args[0])
}

// encodeBase64URL writes the alphabet for URLs, without padding.
func encodeBase64URL(m meter, args []ref.Val) ref.Val {
	return encodedBase64(m, base64.RawURLEncoding, args[0])
}

func encodedBase64(m meter, encoding *base64.Encoding, value ref.Val) ref.Val {
	raw, ok := rawBytes(value)
	if !ok {
		return mismatched()
	}
	m.charge(textCost(len(raw)))
	return types.String(encoding.EncodeToString(raw))
}

// decodeBase64URL reads the alphabet for URLs, with or without padding.
func decodeBase64URL(m meter, args []ref.Val) ref.Val {
	text, ok := args[0].(types.String)
	if !ok {
		return mismatched()
	}
	m.charge(textCost(len(text)))
	encoding := base64.URLEncoding
	if len(text)%4 != 0 {
		encoding = base64.RawURLEncoding
	}
	raw, err := encoding.DecodeString(string(text))
	if err != nil {
		return types.NewErr("the text %s is not base64 for URLs", quotedStart(string(text)))
	}
	return types.Bytes(raw)
}

// encodeJSON returns the text that the value would be in the output.
func encodeJSON(m meter, args []ref.Val) ref.Val {
	m.charge(m.weigh(args[0]))
	value, err := m.vars.results.notes.native(args[0])
	if err != nil {
		return types.NewErr("%s", err)
	}
	text, err := encoded(value)
	if err != nil {
		return types.NewErr("%s", err)
	}
	return types.String(text)
}

// parseJSONText returns the value of JSON in a text, or none if the text is not JSON.
func parseJSONText(m meter, args []ref.Val) ref.Val {
	text, ok := args[0].(types.String)
	if !ok {
		return mismatched()
	}
	m.charge(2 * textCost(len(text)))
	p := parser{text: string(text)}
	value, err := p.whole()
	if err != nil || !utf8.ValidString(p.text) {
		return types.OptionalNone
	}
	if err := p.notes.whole(); err != nil {
		return types.NewErr("%s", err)
	}
	if len(p.long) > 0 {
		m.vars.parsed() // the notes of the record's JSON come first
		notes := &m.vars.results.notes
		notes.addNumbers(p.long, value)
		notes.addOthers(m.vars.json)
	}
	return types.OptionalOf(adapter{}.NativeToValue(value))
}
