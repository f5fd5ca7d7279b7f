package cel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

const hmacName = "hmac.sha256"

func digests() []celgo.EnvOption {
	return []celgo.EnvOption{
		declare("sha256", global("sha256_string", celgo.StringType, celgo.StringType), global("sha256_bytes", celgo.StringType, celgo.BytesType)),
		declare(hmacName, global("hmac_string", celgo.StringType, celgo.StringType, celgo.StringType),
			global("hmac_bytes", celgo.StringType, celgo.BytesType, celgo.StringType)),
	}
}

// sha256Of returns the digest of a text or of bytes, in hexadecimal digits.
func sha256Of(m meter, args []ref.Val) ref.Val {
	raw, ok := rawBytes(args[0])
	if !ok {
		return mismatched()
	}
	m.charge(10 + textCost(len(raw)))
	digest := sha256.Sum256(raw)
	return types.String(hex.EncodeToString(digest[:]))
}

// keyVariable is the beginning of the names of the environment variables that hold the
// keys of hmac.sha256. Expressions are in a ConfigMap and in manifests, where everybody
// reads them, so they name a key and don't contain it. They can't name another variable.
const keyVariable = "EXPRESSION_KEY_"

var keyName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,62}$`)

// checkKeyName checks the second argument of hmac.sha256.
func checkKeyName(name string) error {
	if !keyName.MatchString(name) {
		return fmt.Errorf("hmac.sha256: %s is no name of a key: write one in capital letters such as CUSTOMERS, "+
			"and put the key itself into the environment variable %sCUSTOMERS", quotedStart(name), keyVariable)
	}
	return nil
}

// keyOf returns the key with a name from the worker's environment.
func keyOf(name string) ([]byte, error) {
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	const least = 16 // bytes: a key that can be guessed gives the texts away
	switch key := os.Getenv(keyVariable + name); {
	case key == "":
		return nil, fmt.Errorf("hmac.sha256: the key %s is missing: set the environment variable %s%[1]s of the worker from a Secret, in spec.template",
			name, keyVariable)
	case len(key) < least:
		return nil, fmt.Errorf("hmac.sha256: the key in %s%s has %d bytes: at least %d random ones are needed", keyVariable, name, len(key), least)
	default:
		return []byte(key), nil
	}
}

// planHMAC returns a runner for hmac.sha256, whose second argument is the name of the key.
func planHMAC(nodes []interpreter.InterpretableV2) runner {
	name, constant := constantText(nodes[1])
	if !constant {
		return func(meter, []ref.Val) ref.Val {
			return types.NewErr("hmac.sha256: the name of the key must be a constant text")
		}
	}
	key, err := keyOf(name)
	return func(m meter, args []ref.Val) ref.Val {
		raw, ok := rawBytes(args[0])
		if !ok {
			return mismatched()
		}
		if err != nil {
			return types.WrapErr(err)
		}
		m.charge(20 + textCost(len(raw)))
		mac := hmac.New(sha256.New, key)
		mac.Write(raw)
		return types.String(hex.EncodeToString(mac.Sum(nil)))
	}
}

// missingKeys returns an error about the keys that an expression names and the
// environment lacks.
func missingKeys(tree *celgo.Ast) error {
	var problems []string
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != hmacName || len(e.AsCall().Args()) < 2 {
			return
		}
		if name, ok := literalText(e.AsCall().Args()[1]); ok {
			if _, err := keyOf(name); err != nil {
				problems = append(problems, err.Error())
			}
		}
	}))
	if len(problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(problems, "; "))
}
