package image

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ParsePlatforms reads names such as linux/amd64.
func ParsePlatforms(names []string) ([]v1.Platform, error) {
	var platforms []v1.Platform
	for _, name := range names {
		platform, err := v1.ParsePlatform(name)
		if err != nil || platform.OS != "linux" || platform.Architecture == "" || platform.Variant != "" || platform.OSVersion != "" {
			return nil, fmt.Errorf("%q is not like linux/amd64", name)
		}
		if slices.ContainsFunc(platforms, platform.Equals) {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		platforms = append(platforms, *platform)
	}
	return platforms, nil
}
