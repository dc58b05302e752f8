package scada

import "strings"

// leg is the part of a route that one frame travels: a hop with quantum key, or
// the way between gateway and IED.
type leg struct {
	path string // "GW1>RTU30>IED30"
	via  *association
}

// route is a way of messages in one direction.
type route struct {
	nodes []string
	legs  []leg
	links []int // indices of the links it uses
	hops  int   // legs with quantum key
	back  *route
}

// cut divides nodes into legs: each hop between trusted nodes is one, and what
// lies beyond the last gateway is one.
func cut(nodes []string, trusted func(string) bool) (parts [][]string) {
	for i := 0; i+1 < len(nodes); {
		j := i + 1
		for j+1 < len(nodes) && !trusted(nodes[j]) {
			j++
		}
		parts = append(parts, nodes[i:j+1])
		i = j
	}
	return parts
}

func pathOf(nodes []string) string { return strings.Join(nodes, ">") }
