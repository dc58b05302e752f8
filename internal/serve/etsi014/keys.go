package etsi014

import (
	"context"
	"errors"
)

// Keys is a source of key that pairs of applications share. Errors wrap one of
// the sentinels below; their text is told to the caller.
type Keys interface {
	// Stock says what the pair has.
	Stock(ctx context.Context, master, slave string) (Stock, error)
	// Draw takes number new keys of size bytes each, all or none.
	Draw(ctx context.Context, master, slave string, number, size int) ([]Key, error)
	// Collect returns the keys that the master drew for the slave, all or none,
	// and forgets them.
	Collect(ctx context.Context, master, slave string, ids []string) ([]Key, error)
}

// Stock is the key of one pair.
type Stock struct {
	SourceKME, TargetKME string
	StoredBits, CapBits  int64
}

// What a source of key may answer.
var (
	ErrUnknownSAE  = errors.New("SAE not known")   // 400
	ErrUnknownKey  = errors.New("key not known")   // 400
	ErrShort       = errors.New("not enough key")  // 503
	ErrUnavailable = errors.New("key source away") // 503
)
