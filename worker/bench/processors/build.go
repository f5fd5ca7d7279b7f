package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// build makes the programs of all subjects. Those that several subjects share are made once.
func build(ctx context.Context, subjects []subject) error {
	for _, s := range subjects {
		for _, tool := range s.Tools {
			if _, err := exec.LookPath(tool); err != nil {
				return fmt.Errorf("%s needs %s, which is not installed: install it and try again", s.Name, tool)
			}
		}
	}
	built := map[string]bool{}
	for _, s := range subjects {
		command := strings.Join(s.Build, " ")
		if command == "" || built[command] {
			continue
		}
		built[command] = true
		fmt.Fprintln(os.Stderr, command)
		cmd := exec.CommandContext(ctx, s.Build[0], s.Build[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // standard output is for the report
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build %s by %q: %w", s.Name, command, err)
		}
	}
	return nil
}
