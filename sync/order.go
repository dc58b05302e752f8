package sync

import "strings"

// edge is one direct connection, seen from its reader.
type edge struct {
	from, to       *member
	source, reader string // ports
}

// rank gives each member its level: federates without direct inputs first,
// every other after all whose outputs it reads directly (longest path). A
// cycle of direct connections is a mistake.
func (w *wiring) rank() {
	into := w.directEdges()
	ranked := make(map[*member]bool)
	for progress := true; progress; {
		progress = false
		for _, f := range w.members {
			if ranked[f] || !allRanked(into[f], ranked) {
				continue
			}
			for _, e := range into[f] {
				f.level = max(f.level, e.from.level+1)
			}
			ranked[f], progress = true, true
		}
	}
	for _, f := range w.members {
		if !ranked[f] {
			w.addf("direct connections form a cycle: %s; one of them must be delayed", cycle(f, into, ranked))
			return
		}
	}
}

func allRanked(edges []edge, ranked map[*member]bool) bool {
	for _, e := range edges {
		if !ranked[e.from] {
			return false
		}
	}
	return true
}

// directEdges lists the direct connections into each member.
func (w *wiring) directEdges() map[*member][]edge {
	owner := make(map[*outlet]*member)
	for _, f := range w.members {
		for i := range f.outlets {
			owner[&f.outlets[i]] = f
		}
	}
	into := make(map[*member][]edge)
	for _, f := range w.members {
		for i := range f.inlets {
			for _, l := range f.inlets[i].links {
				if l.direct {
					into[f] = append(into[f], edge{owner[l.from], f, l.from.name, f.about.Name + "." + f.inlets[i].port.Name})
				}
			}
		}
	}
	return into
}

// cycle walks against the connections from f, which no order can place, until
// it meets a member again, and names the connections between the two visits.
func cycle(f *member, into map[*member][]edge, ranked map[*member]bool) string {
	met := map[*member]int{f: 0}
	var path []edge
	for {
		for _, e := range into[f] {
			if !ranked[e.from] {
				path = append(path, e)
				break
			}
		}
		f = path[len(path)-1].from
		if first, again := met[f]; again {
			path = path[first:]
			break
		}
		met[f] = len(path)
	}
	var names []string
	for i := len(path) - 1; i >= 0; i-- {
		names = append(names, path[i].source+" → "+path[i].reader)
	}
	return strings.Join(names, ", ")
}

// levels groups members by level, in the order they were given.
func levels(members []*member) [][]*member {
	var groups [][]*member
	for _, f := range members {
		for len(groups) <= f.level {
			groups = append(groups, nil)
		}
		groups[f.level] = append(groups[f.level], f)
	}
	return groups
}
