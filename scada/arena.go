package scada

// arena hands out fresh memory for payloads from large chunks. A chunk lives
// until the last payload in it is forgotten.
type arena struct {
	chunk []byte
}

const arenaChunk = 64 << 10

// carve is an empty slice of capacity n that nothing else shares.
func (a *arena) carve(n int) []byte {
	if len(a.chunk) < n {
		a.chunk = make([]byte, max(n, arenaChunk))
	}
	b := a.chunk[:0:n]
	a.chunk = a.chunk[n:]
	return b
}
