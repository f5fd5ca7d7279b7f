package config

import (
	"encoding/json"
	"fmt"
)

// Version is the newest version of the configuration file that this package
// reads. A worker ignores fields that it does not know, with a warning, so a new
// field leaves the version as it is. The exception is a field that an older
// worker must not ignore, because it would lose records, change results or write
// them elsewhere: such a field raises the version, and the files that use it, and
// no others, carry the new one.
const Version = 1

func (c Config) validateVersion(f *findings) {
	between(f, "version", c.Version, 1, Version)
}

// checkVersion refuses a file that this worker would misunderstand. It looks at
// nothing else, since all else may have another shape in a newer version.
func checkVersion(tree json.RawMessage) error {
	var head struct {
		Version json.RawMessage `json:"version"`
	}
	var version int
	if json.Unmarshal(tree, &head) != nil || json.Unmarshal(head.Version, &version) != nil {
		return nil // decode says what is wrong
	}
	if version > Version {
		return fmt.Errorf("version: it is %d, and this worker reads files up to version %d: the operator is newer than this program. "+
			"Upgrade the worker's image to the operator's version, or build the program with the operator's version of the SDK; "+
			"until then, leave away the fields of the StreamProcessor that need version %d", version, Version, version)
	}
	return nil
}
