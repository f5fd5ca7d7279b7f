// Command crd adds bounds to the parts of the CRD that can't have markers: the values
// of maps, and Kubernetes' own types. go generate runs it after controller-gen.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// lengths are the maximum lengths of strings in maps and in Kubernetes' own types, which Kubernetes sets. The API
// server needs them to estimate the cost of rules that read the strings.
var lengths = map[string]int{
	"deployment.labels.*":        63,
	"template.metadata.labels.*": 63,

	"processor.sidecar.ports.[].name": 15,
}

// controller-gen's pattern for quantities allows any exponent. For 1e-999999999 the
// parser would compute with that many digits.
const (
	anyExponent   = `([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+)))`
	shortExponent = `([eE](\+|-)?[0-9]{1,2})`
)

type object = map[string]any

func main() {
	log.SetFlags(0)
	for _, path := range os.Args[1:] {
		if err := rewrite(path); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
	}
}

func rewrite(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content = []byte(strings.ReplaceAll(string(content), anyExponent, shortExponent))
	var crd object
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return err
	}
	for _, version := range crd["spec"].(object)["versions"].([]any) {
		spec := version.(object)["schema"].(object)["openAPIV3Schema"].(object)["properties"].(object)["spec"].(object)
		for path, most := range lengths {
			text, err := find(spec, path)
			if err != nil {
				return err
			}
			text["maxLength"] = most
		}
	}
	if content, err = yaml.Marshal(crd); err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("---\n"), content...), 0o644)
}

// find descends into a schema: a name is a property, [] the items of an array
// and * the values of a map.
func find(schema object, path string) (object, error) {
	at := schema
	for name := range strings.SplitSeq(path, ".") {
		var below any
		switch name {
		case "[]":
			below = at["items"]
		case "*":
			below = at["additionalProperties"]
		default:
			properties, _ := at["properties"].(object)
			below = properties[name]
		}
		var ok bool
		if at, ok = below.(object); !ok {
			return nil, fmt.Errorf("there is no %s", path)
		}
	}
	return at, nil
}
