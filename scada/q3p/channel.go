package q3p

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// Direction tells the two directions of a channel apart.
type Direction uint8

// Downlink is from the control centre to the field, Uplink the other way.
const (
	Downlink Direction = iota
	Uplink
)

// Channel is one direction of a channel between two nodes, as both its ends
// know it.
type Channel struct {
	ID        uint16 // 1 to 65535, unique among the channels of a pool or pre-shared key
	Direction Direction
	// HashKey is the Wegman-Carter hash key, HashKeyBits drawn from the pool
	// for this direction alone; unused under a pre-shared key.
	HashKey [HashKeyBits / 8]byte
}

func (c *Channel) validate() error {
	if c.ID == 0 {
		return fmt.Errorf("q3p: channel 0, expected 1 to 65535")
	}
	return nil
}

// putNonce fills the 12 octets that GCM takes; AES-CTR appends a 32-bit block
// counter that starts at 0. Channel and message id are never 0, so that no
// counter block is the zero block from which GCM derives its hash key.
func (c *Channel) putNonce(nonce []byte, m Mode, id uint32) {
	binary.BigEndian.PutUint16(nonce, c.ID)
	nonce[2], nonce[3] = byte(c.Direction), m.bits()
	binary.BigEndian.PutUint32(nonce[8:], id)
}

// session is an AES key with its cipher objects, made once.
type session struct {
	id    uint32 // where in the pool it was drawn
	block cipher.Block
	aead  cipher.AEAD
}

func newSession(id uint32, key []byte) (*session, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("q3p: session key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("q3p: session key: %w", err)
	}
	return &session{id: id, block: block, aead: aead}, nil
}
