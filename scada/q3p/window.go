package q3p

// windowSize is how far a message may fall behind the newest and still be
// accepted.
const windowSize = 64

// window remembers which of the last message ids were accepted. Bit i of seen
// stands for newest-i.
type window struct {
	newest uint32
	seen   uint64
}

// rejects reports whether id was accepted before or is too old to tell.
func (w *window) rejects(id uint32) bool {
	if id > w.newest {
		return false
	}
	age := w.newest - id
	return age >= windowSize || w.seen>>age&1 != 0
}

// accept notes an id that rejects let pass.
func (w *window) accept(id uint32) {
	if id > w.newest {
		w.seen <<= id - w.newest // 0 once the shift reaches the window's size
		w.newest = id
	}
	w.seen |= 1 << (w.newest - id)
}
