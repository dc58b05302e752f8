package q3p

import (
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"math"

	"cosim/internal/wc"
)

// Key is a contiguous range of a pool: Bytes from bit Offset on.
type Key struct {
	Offset int64 // bits from the start of the pool's stream
	Bytes  []byte
}

// Sender seals the messages of one direction of a channel.
type Sender struct {
	channel   Channel
	policy    KeyPolicy
	hash      *wc.Hash
	session   *session
	used      int // messages sealed under session
	preshared bool
	lastID    uint32
	keyEnd    int64 // first pool bit beyond all used
	nonce     [16]byte
}

// NewSender opens the sending end of c under key from a pool.
func NewSender(c Channel, p KeyPolicy) (*Sender, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &Sender{channel: c, policy: p, hash: wc.New(c.HashKey)}, nil
}

// NewPresharedSender opens the sending end of c under a fixed AES key (16 or
// 32 octets): mode aes only, no cost in pool key. Message ids start at 1, so a
// pre-shared key must not outlive the channel.
func NewPresharedSender(c Channel, key []byte) (*Sender, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	s, err := newSession(0, key)
	if err != nil {
		return nil, err
	}
	return &Sender{channel: c, session: s, preshared: true}, nil
}

// DrawBits is the key that the next message takes from the pool if sealed in
// mode m: the length of the Key that Seal then expects. It is a whole number
// of octets.
func (s *Sender) DrawBits(m Mode, payloadOctets int) int {
	if s.preshared {
		return 0
	}
	return s.policy.DrawBits(m, 8*payloadOctets, s.renewalDue())
}

func (s *Sender) renewalDue() bool {
	return s.session == nil || s.used >= s.policy.RekeyMessages
}

// Seal appends the frame that carries payload to dst, which must not overlap
// payload. The key is one range of DrawBits bits beyond all that this Sender
// used before: first a new session key if one is due, then the one-time pad,
// then the mask of the tag. On error dst is returned unchanged, and neither a
// message id nor key is used up.
//
// A retry sends the same frame again; it is not sealed anew.
func (s *Sender) Seal(dst []byte, c Command, payload []byte, m Mode, key Key) ([]byte, error) {
	if err := s.check(payload, m, key); err != nil {
		return dst, err
	}
	offset, bytes := key.Offset, key.Bytes
	if m.usesSession() && !s.preshared && s.renewalDue() {
		n := s.policy.SessionKeyBits / 8
		next, err := newSession(uint32(offset), bytes[:n])
		if err != nil {
			return dst, err
		}
		s.session, s.used = next, 0
		offset, bytes = offset+int64(8*n), bytes[n:]
	}
	s.lastID++
	h := Header{MessageID: s.lastID, Mode: m, Command: c, Channel: s.channel.ID}
	if m.usesSession() {
		s.used++
		h.EncryptionKeyID, h.AuthKeyID = s.session.id, s.session.id
	} else {
		h.EncryptionKeyID = uint32(offset)
		offset += int64(8 * len(payload))
	}
	if m.usesPad() {
		h.AuthKeyID = uint32(offset)
		offset += TagBits
	}
	s.keyEnd = max(s.keyEnd, offset)
	return s.appendFrame(dst, &h, payload, bytes), nil
}

// appendFrame enciphers and tags; pool holds the one-time pad and the mask, as
// far as the mode needs them.
func (s *Sender) appendFrame(dst []byte, h *Header, payload, pool []byte) []byte {
	start := len(dst)
	dst = h.appendTo(dst, len(payload))
	s.channel.putNonce(s.nonce[:12], h.Mode, h.MessageID)
	if h.Mode == AES {
		return s.session.aead.Seal(dst, s.nonce[:12], payload, dst[start:])
	}
	body := len(dst)
	dst = append(dst, payload...)
	if h.Mode == OTP {
		subtle.XORBytes(dst[body:], payload, pool)
		pool = pool[len(payload):]
	} else {
		cipher.NewCTR(s.session.block, s.nonce[:]).XORKeyStream(dst[body:], payload)
	}
	var tag [TagSize]byte
	s.hash.Tag(&tag, (*[TagSize]byte)(pool), dst[start:])
	return append(dst, tag[:]...)
}

// check refuses what must not be sealed.
func (s *Sender) check(payload []byte, m Mode, key Key) error {
	switch {
	case !m.Valid() || (s.preshared && m != AES):
		return fmt.Errorf("q3p: channel %d cannot seal in mode %v", s.channel.ID, m)
	case len(payload) < 1 || len(payload) > MaxPayload:
		return fmt.Errorf("q3p: payload of %d octets, expected 1 to %d", len(payload), MaxPayload)
	case s.lastID == math.MaxUint32:
		return fmt.Errorf("q3p: channel %d, message id: %w", s.channel.ID, ErrExhausted)
	}
	draw := s.DrawBits(m, len(payload))
	switch {
	case 8*len(key.Bytes) != draw:
		return fmt.Errorf("q3p: %w: %d bits, the message draws %d", ErrKeyLength, 8*len(key.Bytes), draw)
	case draw == 0:
		return nil
	case key.Offset < s.keyEnd:
		return fmt.Errorf("q3p: %w: offset %d, used up to %d", ErrKeyReused, key.Offset, s.keyEnd)
	case key.Offset+int64(draw) > math.MaxUint32:
		return fmt.Errorf("q3p: channel %d, key offset %d: %w", s.channel.ID, key.Offset, ErrExhausted)
	}
	return nil
}
