package cel

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

func urlFunctions() []celgo.EnvOption {
	text := celgo.StringType
	return []celgo.EnvOption{
		declare("url.parse", global("url_parse", objectType, text)),
		declare("url.build", global("url_build", text, objectType)),
		declare("url.encode", global("url_encode", text, text)),
		declare("url.decode", global("url_decode", text, text)),
	}
}

// onText returns a runner for a function of a text, which charges for going through it
// a few times.
func onText(f func(string) (ref.Val, error)) runner {
	return func(m meter, args []ref.Val) ref.Val {
		text, ok := args[0].(types.String)
		if !ok {
			return mismatched()
		}
		m.charge(4 * textCost(len(text)))
		result, err := f(string(text))
		if err != nil {
			return types.WrapErr(err)
		}
		return result
	}
}

var (
	parseURL  = onText(partsOf)
	encodeURL = onText(func(text string) (ref.Val, error) { return types.String(url.QueryEscape(text)), nil })
	decodeURL = onText(func(text string) (ref.Val, error) {
		decoded, err := url.QueryUnescape(text)
		if err != nil {
			return nil, fmt.Errorf("the text %s has a %% that no two hexadecimal digits follow", quotedStart(text))
		}
		if !utf8.ValidString(decoded) {
			return nil, fmt.Errorf("the text %s has escapes that are not UTF-8", quotedStart(text))
		}
		return types.String(decoded), nil
	})
)

// partsOf returns the parts of a URL. The query's values are lists, since a name may
// repeat.
func partsOf(text string) (ref.Val, error) {
	u, err := url.Parse(text)
	if err != nil {
		cause := err
		if parsing, ok := errors.AsType[*url.Error](err); ok {
			cause = parsing.Err
		}
		return nil, fmt.Errorf("the text %s is not a URL: %w", quotedStart(text), cause)
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query of the URL %s is malformed: %w", quotedStart(text), err)
	}
	query := make(map[string]any, len(values))
	for name, list := range values {
		query[name] = types.NewStringList(adapter{}, list)
	}
	if decoded, err := url.PathUnescape(text); err != nil || !utf8.ValidString(decoded) {
		return nil, fmt.Errorf("the URL %s has escapes that are not UTF-8", quotedStart(text))
	}
	return newObject(map[string]any{
		"scheme": u.Scheme, "user": u.User.Username(), "host": u.Hostname(), "port": u.Port(),
		"path": u.Path, "query": newObject(query), "fragment": u.Fragment,
	}), nil
}

// buildURL returns the URL with the parts that url.parse returns. Parts may be missing,
// and a value of the query may be a text, a number or a bool instead of a list.
func buildURL(m meter, args []ref.Val) ref.Val {
	members, ok := membersOf(args[0])
	if !ok {
		return mismatched()
	}
	m.charge(4 * m.weigh(args[0]))
	var u url.URL
	port := ""
	for name, value := range members {
		part := adapter{}.NativeToValue(value)
		text, ok := scalarText(part)
		switch {
		case name == "query":
			query, err := queryOf(part)
			if err != nil {
				return types.WrapErr(err)
			}
			u.RawQuery = query
		case urlParts[name] == nil && name != "port":
			return types.NewErr("a URL has no part %q: its parts are scheme, user, host, port, path, query and fragment", name)
		case !ok:
			return types.NewErr("the part %q of the URL is %s: it must be a text", name, withArticle(part))
		case name == "port":
			port = text
		default:
			urlParts[name](&u, text)
		}
	}
	if port != "" {
		u.Host = net.JoinHostPort(u.Host, port)
	} else if strings.Contains(u.Host, ":") {
		u.Host = "[" + u.Host + "]" // IPv6
	}
	return types.String(u.String())
}

var urlParts = map[string]func(u *url.URL, text string){
	"scheme":   func(u *url.URL, text string) { u.Scheme = text },
	"host":     func(u *url.URL, text string) { u.Host = text },
	"path":     func(u *url.URL, text string) { u.Path = text },
	"fragment": func(u *url.URL, text string) { u.Fragment = text },
	"user": func(u *url.URL, text string) {
		if text != "" {
			u.User = url.User(text)
		}
	},
}

// queryOf returns the query with the members of a map, in the order of their names.
func queryOf(value ref.Val) (string, error) {
	members, ok := membersOf(value)
	if !ok {
		return "", fmt.Errorf("the query of the URL is %s: it must be a map", withArticle(value))
	}
	query := url.Values{}
	for name, member := range members {
		v := adapter{}.NativeToValue(member)
		list, isList := v.(traits.Lister)
		if !isList {
			list = types.NewRefValList(adapter{}, []ref.Val{v})
		}
		for it := list.Iterator(); it.HasNext() == types.True; {
			element := it.Next()
			text, ok := scalarText(element)
			if !ok {
				return "", fmt.Errorf("the value of %q in the query of the URL is %s: it must be a text, a number or a bool", name, withArticle(element))
			}
			query.Add(name, text)
		}
	}
	return query.Encode(), nil
}

// scalarText returns the text of a text, a number or a bool.
func scalarText(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case types.String:
		return string(v), true
	case types.Int, types.Uint, types.Bool:
		return fmt.Sprint(v.Value()), true
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64), true
	default:
		return "", false
	}
}
