//go:build integration

package web

import (
	"os/exec"
	"testing"
)

// The modules of the page that neither draw nor fetch are tested where they
// need no browser.
func TestIntegrationPureModulesOfThePage(t *testing.T) {
	if out, err := exec.Command("node", "--test", "tests/").CombinedOutput(); err != nil {
		t.Fatalf("node --test tests/: %v (make setup installs node)\n%s", err, out)
	}
}
