package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandSaysWhatItExpects(t *testing.T) {
	form := regexp.MustCompile(`^expected .+, found \d arguments? \(.+\)$`)
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			check(sub)
		}
		if !cmd.Runnable() || cmd.HasSubCommands() {
			return
		}
		refused := false
		for n := range 5 {
			args := strings.Fields(strings.Repeat("word ", n))
			if err := cmd.ValidateArgs(args); err != nil {
				refused = true
				if !form.MatchString(err.Error()) {
					t.Errorf("%s with %d arguments: %q, want the form of %s", cmd.CommandPath(), n, err, form)
				}
			}
		}
		if !refused {
			t.Errorf("%s takes any number of arguments", cmd.CommandPath())
		}
	}
	check(newRoot())
}
