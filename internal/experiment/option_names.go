package experiment

import (
	"strings"

	"cosim/scada/reconfig"
)

// optionNames are the labels of a chain's options without the stations at
// either end that all its routes share: "otp via GW2" and "otp direct", or
// "otp" where there is one route. Other labels remain as they are.
func optionNames(c *reconfig.Chain) []string {
	names := make([]string, len(c.Options))
	routes := make([][]string, len(c.Options))
	for o := range names {
		names[o] = c.Options[o].Name(o)
		if stations, _, ok := strings.Cut(c.Options[o].Label, " "); ok {
			routes[o] = strings.Split(stations, ">")
		}
	}
	head, tail, several := ends(routes)
	if several && (head == 0 || tail == 0) {
		return names
	}
	for o, r := range routes {
		if r == nil {
			continue
		}
		_, names[o], _ = strings.Cut(names[o], " ")
		switch between := strings.Join(r[head:len(r)-tail], ">"); {
		case !several:
		case between == "":
			names[o] += " direct"
		default:
			names[o] += " via " + between
		}
	}
	return names
}

// ends counts the stations that all routes share at their beginning and their
// end, and says whether there are several routes.
func ends(routes [][]string) (head, tail int, several bool) {
	var first []string
	for _, r := range routes {
		switch {
		case r == nil:
			continue
		case first == nil:
			first, head, tail = r, len(r), len(r)
		}
		several = several || strings.Join(r, ">") != strings.Join(first, ">")
		same := 0
		for same < min(head, len(r)) && r[same] == first[same] {
			same++
		}
		head = same
		same = 0
		for same < min(tail, len(r)) && r[len(r)-1-same] == first[len(first)-1-same] {
			same++
		}
		tail = same
	}
	for _, r := range routes {
		if r != nil {
			tail = min(tail, len(r)-head) // no station counts twice
		}
	}
	return head, tail, several
}
