package sync

import "strings"

// Connection carries one output to one input. Whether the reader sees what
// its source made in this same step or in the last one is said by the reading
// port (Port.Direct).
type Connection struct {
	From string // "grid.frequency", an output
	To   string // "scada.frequency", an input
	// Origin is where the connection is written, for messages
	// ("S-2.yaml:41:5"); it may be empty.
	Origin string
}

// String returns "grid.frequency → scada.frequency".
func (c Connection) String() string { return c.From + " → " + c.To }

// splitName cuts "grid.frequency" at its first dot. Names of federates hold
// no dot, those of ports may.
func splitName(name string) (federate, port string) {
	federate, port, _ = strings.Cut(name, ".")
	return federate, port
}
