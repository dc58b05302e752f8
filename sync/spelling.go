package sync

import (
	"fmt"

	"cosim/internal/spelling"
)

// suggestion returns ` (did you mean "frequency"?)` for the candidate nearest
// to name; when none is near it lists what there is.
func suggestion(name string, candidates []string) string {
	best, near := spelling.Nearest(name, candidates)
	if !near {
		return some("; there is ", candidates)
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
