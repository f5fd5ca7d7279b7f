package config

import (
	"encoding/json"
	"fmt"
)

// Version is the newest version of the configuration file that this package reads. A
// worker warns of fields that it does not know and ignores them, so a new field does
// not raise the version. The exception is a field that an older worker must not ignore,
// because it would lose records, change results or write them elsewhere. Such a field
// raises the version, and only files that use the field carry the new one. A new value of
// a field that older workers check does not raise it: they refuse the value, as they do
// with delivery ExactlyOnce.
const Version = 1

func (c Config) validateVersion(f *findings) {
	between(f, "version", c.Version, 1, Version)
}

// checkVersion refuses a file of a newer version, which this worker would
// misunderstand. It reads only the version, because the other fields may have another
// shape there.
func checkVersion(tree json.RawMessage) error {
	var head struct {
		Version json.RawMessage `json:"version"`
	}
	var version int
	if json.Unmarshal(tree, &head) != nil || json.Unmarshal(head.Version, &version) != nil {
		return nil // decode finds the mistake
	}
	if version > Version {
		return fmt.Errorf("version: it is %d, but this worker reads files up to version %d: the operator is newer than this program. "+
			"Upgrade the worker's image to the operator's version, or build the program with the operator's version of the SDK; "+
			"until then, don't use the fields of the StreamProcessor that need version %d", version, Version, version)
	}
	return nil
}
