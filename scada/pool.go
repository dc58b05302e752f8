package scada

import (
	"errors"

	"cosim/scada/q3p"
)

// ErrNoKey is what a KeyPool's Draw wraps when it cannot give what was asked.
// It fails one attempt of one task; any other error ends the run.
var ErrNoKey = errors.New("not enough key")

// DrawRequest says who draws when. Highest marks chains of the highest
// priority, for which a pool may keep a reserve.
type DrawRequest struct {
	AtNS    int64
	By      string // the node that will send, one end of the link
	Highest bool
}

// KeyPool is what scada needs of the key that the two ends of one QKD link
// share: the pool itself, or a store provisioned for one user of it. Both
// directions draw from the same pool.
//
// Key is named by its offset in the pool's stream, in bits; a range is handed
// out once and never again, in rising order. All amounts are whole octets, and
// times do not decrease from call to call.
type KeyPool interface {
	// Available is how many bits Draw would give.
	Available(r DrawRequest) int64
	// Draw takes fresh key and says how long the sender waits for it. It gives
	// all or fails with ErrNoKey. The bytes are read before the next call.
	Draw(r DrawRequest, bits int) (key q3p.Key, waitNS int64, err error)
	// KeySource is the receiving end: Key looks at a drawn range, Release
	// deletes it at both ends.
	q3p.KeySource
}
