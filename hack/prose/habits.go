package main

import (
	"regexp"
	"strings"
)

// habit is a way to write that readers stumble over.
type habit struct {
	name    string
	pattern *regexp.Regexp
}

// habits are tried in this order; the first match names the sentence.
var habits = []habit{
	// A "what" without a noun, as the subject of a clause. "What happens", "what
	// follows" and "what matters" are everyday English.
	{"bare what clause", words(`what(ever)? `,
		"is", "was", "has", "had", "are", "were", "isn't", "wasn't", "hasn't", "comes", "came", "goes", "went",
		"runs", "keeps", "waits", "holds", "arrives", "arrived", "fails", "failed", "commits", "asks", "asked",
		"writes", "wrote", "stands", "stood", "lies", "lay", "belongs", "reads", "passes", "settles", "takes",
		"took", "stops", "stopped", "needs", "needed", "ends", "remains", "listens", "travels", "fits", "exists",
		"makes", "made")},
	{"tells whether", words(`(tell|tells|told|telling) `, "whether", "if")},
	{"old word", words("", "mend", "mends", "mended", "mending", "anew", "meanwhile")},
	{"old phrase", words("", "for want of", "worth the while", "that which")},
	// "a name of its own" is its own name; "of its own namespace" is fine.
	{"old phrase", regexp.MustCompile(`(?i)\bof (its|their) own([^\s\w]|$|\s+` +
		`(and|as|at|by|for|from|if|in|is|may|of|on|or|so|that|then|to|until|when|which|while|with)\b)`)},
}

// words matches each of some words or phrases after a prefix.
func words(prefix string, any ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b` + prefix + `(` + strings.Join(any, "|") + `)\b`)
}

var (
	who = regexp.MustCompile(`(?:^|([\w']+),?\s+|\W)[Ww]ho(?:'s)?\b`)
	// A "who" after one of these refers to a person.
	person = regexp.MustCompile(`(?i)^((some|any|no|every)(body|one)|one|those|all|people|persons?|humans?|` +
		`users?|developers?|engineers?|administrators?|authors?|contributors?|maintainers?|readers?|newcomers?|` +
		`attackers?|colleagues?|teams?|tenants?|owners?|strangers?|customers?|visitors?|reporters?|reviewers?|community)$`)
	quoted = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|“[^”]*”")
)

// habitOf returns the name of the first habit that a sentence has, "" if it has
// none.
func habitOf(sentence string) string {
	if strings.HasSuffix(strings.TrimRight(sentence, `"')*_ `), "?") {
		return ""
	}
	sentence = quoted.ReplaceAllString(sentence, "Q")
	for _, habit := range habits {
		if habit.pattern.MatchString(sentence) {
			return habit.name
		}
	}
	for _, match := range who.FindAllStringSubmatch(sentence, -1) {
		if !person.MatchString(match[1]) {
			return "bare who clause"
		}
	}
	return ""
}
