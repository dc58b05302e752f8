package scada

import "errors"

// ErrNoKey is what a KeyPool's Draw wraps when it cannot give what was asked.
// It fails one attempt of one task; any other error ends the run.
var ErrNoKey = errors.New("not enough key")

// KeyPool is what scada needs of the key that the two ends of one QKD link
// share: the pool itself, or a store provisioned for one user of it. Both
// directions draw from the same pool.
//
// Key is named by its offset in the pool's stream, in bits; a range is handed
// out once and never again.
type KeyPool interface {
	// Available is how many bits Draw could give now; below its safety
	// threshold a pool may keep the rest for the highest priority.
	Available(atNS int64, highest bool) int64
	// Draw fills dst with fresh key and returns the offset of its first bit and
	// how long the sender waits for it. It gives all or fails with ErrNoKey.
	Draw(dst []byte, atNS int64, highest bool) (offset int64, waitNS int64, err error)
	// Key fills dst with the key drawn at offset: the receiving end's copy. It
	// fails for a range that was not drawn or is released.
	Key(dst []byte, offset int64) error
	// Release deletes a drawn range at both ends; bits that are released
	// already are no error.
	Release(offset int64, bits int)
}
