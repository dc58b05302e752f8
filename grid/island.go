package grid

// islands numbers the connected parts of the network from 0 in bus order and
// returns each bus's number. Branches out of service, and those marked in out
// (may be nil), do not connect.
func (c *Case) islands(index map[string]int, out []bool) []int {
	parent := make([]int, len(c.Buses))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for k := range c.Branches {
		b := &c.Branches[k]
		from, okFrom := index[b.From]
		to, okTo := index[b.To]
		if !okFrom || !okTo || !b.InService || (out != nil && out[k]) {
			continue
		}
		parent[root(from)] = root(to)
	}
	number := make([]int, len(c.Buses))
	seen := make(map[int]int)
	for i := range number {
		r := root(i)
		if _, ok := seen[r]; !ok {
			seen[r] = len(seen)
		}
		number[i] = seen[r]
	}
	return number
}
