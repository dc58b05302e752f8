package network

import (
	"fmt"
	"slices"
)

// maxTrees bounds the memory of routing: a tree takes four bytes a node.
const maxTrees = 64

// router finds shortest paths by delay over the links that routing believes
// to be up. It keeps a tree of paths from each node lately at one end of a
// path; since delays are the same both ways, a tree serves for paths from and
// to its root.
type router struct {
	out   [][]QueueID // by node, the queues that leave it
	known []bool      // by link: routing believes that it is up
	slot  []int32     // by node, its tree's place, or -1
	trees [maxTrees]tree
	next  int // place to use next
	heap  eventHeap
	dist  []int64
}

type tree struct {
	root NodeID
	via  []QueueID // by node, the queue towards it on the path from the root
}

const noQueue QueueID = -1

func newRouter(nodes int, queues []queue) *router {
	r := &router{
		out:   make([][]QueueID, nodes),
		known: make([]bool, len(queues)/2),
		slot:  slices.Repeat([]int32{-1}, nodes),
		dist:  make([]int64, nodes),
	}
	for i := range queues {
		from := queues[i].from
		r.out[from] = append(r.out[from], QueueID(i))
	}
	for i := range r.known {
		r.known[i] = true
	}
	return r
}

// learn sets what routing believes of a link and forgets all paths.
func (r *router) learn(link LinkID, up bool) {
	if r.known[link] == up {
		return
	}
	r.known[link] = up
	for i := range r.slot {
		r.slot[i] = -1
	}
}

// appendPath appends the queues on the shortest path to buf; ok is false when
// there is none.
func (r *router) appendPath(buf []QueueID, queues []queue, from, to NodeID) (path []QueueID, ok bool) {
	root := from
	switch {
	case r.slot[from] >= 0:
	case r.slot[to] >= 0, len(r.out[to]) > len(r.out[from]):
		// The node with more links is the likelier end of other paths.
		root = to
	}
	via := r.treeFrom(root, queues).via
	if root == to {
		for at := from; at != to; at = queues[via[at]].from {
			if via[at] == noQueue {
				return buf, false
			}
			buf = append(buf, via[at]^1)
		}
		return buf, true
	}
	start := len(buf)
	for at := to; at != from; at = queues[via[at]].from {
		if via[at] == noQueue {
			return buf[:start], false
		}
		buf = append(buf, via[at])
	}
	slices.Reverse(buf[start:])
	return buf, true
}

// treeFrom returns the tree of a root, which takes the place of the oldest
// one when it has to be made (Dijkstra's algorithm).
func (r *router) treeFrom(root NodeID, queues []queue) *tree {
	if s := r.slot[root]; s >= 0 {
		return &r.trees[s]
	}
	t := &r.trees[r.next]
	if t.via == nil {
		t.via = make([]QueueID, len(r.out))
	} else if r.slot[t.root] == int32(r.next) {
		r.slot[t.root] = -1
	}
	t.root = root
	r.slot[root] = int32(r.next)
	r.next = (r.next + 1) % maxTrees
	for i := range r.dist {
		r.dist[i], t.via[i] = never, noQueue
	}
	r.dist[root] = 0
	r.heap.push(event{idx: uint32(root)})
	for len(r.heap) > 0 {
		r.relax(r.heap.pop(), t, queues)
	}
	return t
}

// relax improves the neighbours of the node that e stands for.
func (r *router) relax(e event, t *tree, queues []queue) {
	if e.at > r.dist[e.idx] {
		return
	}
	for _, id := range r.out[e.idx] {
		q := &queues[id]
		// A hop counts at least 1 ns, so that paths have no loops.
		d := e.at + max(1, q.delayNS)
		if !r.known[id.Link()] || d >= r.dist[q.to] {
			continue
		}
		r.dist[q.to], t.via[q.to] = d, id
		r.heap.push(event{at: d, key: uint64(q.to), idx: uint32(q.to)})
	}
}

// route is a pinned way through the network.
type route struct {
	from, to NodeID
	path     []QueueID
}

// Route pins the way over the named nodes. Between two nodes with several
// links it takes the first. Sending along a route does no search.
func (e *Engine) Route(names ...string) (RouteID, error) {
	if len(names) < 2 {
		return 0, fmt.Errorf("network: a route needs two nodes, not %d", len(names))
	}
	nodes := make([]NodeID, len(names))
	for i, name := range names {
		n, ok := e.byName[name]
		if !ok {
			return 0, fmt.Errorf("network: no node %q on route %v", name, names)
		}
		nodes[i] = n
	}
	r := route{from: nodes[0], to: nodes[len(nodes)-1]}
	for i := 1; i < len(nodes); i++ {
		id, ok := e.queueBetween(nodes[i-1], nodes[i])
		if !ok {
			return 0, fmt.Errorf("network: no link from %q to %q on route %v", names[i-1], names[i], names)
		}
		r.path = append(r.path, id)
	}
	e.routes = append(e.routes, r)
	return RouteID(len(e.routes) - 1), nil
}

// RouteQueues returns the queues on a route, in order; do not change them.
func (e *Engine) RouteQueues(id RouteID) []QueueID { return e.routes[id].path }

// ShortestPath names the nodes on the path of least delay that routing knows
// of at present, both ends included; nil when there is none.
func (e *Engine) ShortestPath(from, to NodeID) []string {
	path, ok := e.router.appendPath(nil, e.queues, from, to)
	if !ok {
		return nil
	}
	names := []string{e.nodes[from]}
	for _, id := range path {
		names = append(names, e.nodes[e.queues[id].to])
	}
	return names
}

func (e *Engine) queueBetween(from, to NodeID) (QueueID, bool) {
	for _, id := range e.router.out[from] {
		if e.queues[id].to == to {
			return id, true
		}
	}
	return noQueue, false
}
