package q3p

import (
	"crypto/cipher"
	"crypto/subtle"
	"fmt"

	"cosim/internal/wc"
)

// KeySource is the receiving end's side of a pool. Offsets and lengths are in
// bits, lengths whole octets.
type KeySource interface {
	// Key looks at n bits from offset on without using them up. The slice is
	// read before the next call and not kept.
	Key(offset int64, n int) ([]byte, error)
	// Release deletes n bits from offset on: a message that verified has
	// used them.
	Release(offset int64, n int)
}

// Receiver opens the frames of one direction of a channel.
type Receiver struct {
	channel   Channel
	policy    KeyPolicy
	hash      *wc.Hash
	session   *session // newest verified
	previous  *session // the one before, for frames overtaken by a renewal
	preshared bool
	window    window
	nonce     [16]byte
}

// NewReceiver opens the receiving end of c under key from a pool.
func NewReceiver(c Channel, p KeyPolicy) (*Receiver, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &Receiver{channel: c, policy: p, hash: wc.New(c.HashKey)}, nil
}

// NewPresharedReceiver opens the receiving end of c under a fixed AES key (16
// or 32 octets): mode aes only, Open's KeySource may be nil.
func NewPresharedReceiver(c Channel, key []byte) (*Receiver, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	s, err := newSession(0, key)
	if err != nil {
		return nil, err
	}
	return &Receiver{channel: c, session: s, preshared: true}, nil
}

// Open verifies frame and appends its payload to dst, which must not overlap
// frame. The tag is checked first, then the replay window, then the payload is
// deciphered; only then is key released and the message id noted, so that a
// forged frame costs nothing. On error dst is returned unchanged.
//
// The error is a *MalformedError or wraps ErrBadTag, ErrReplay or
// ErrUnknownKey. A repeated frame whose key is already released cannot be
// verified any more; it is told by its message id and reported as a replay.
func (r *Receiver) Open(dst, frame []byte, keys KeySource) (Header, []byte, error) {
	h, err := DecodeHeader(frame)
	if err != nil {
		return h, dst, err
	}
	if h.Channel != r.channel.ID {
		return h, dst, malformed(10, "channel", h.Channel, fmt.Sprint(r.channel.ID))
	}
	if r.preshared && h.Mode != AES {
		return h, dst, malformed(8, "mode", h.Mode, "aes on a pre-shared channel")
	}
	r.channel.putNonce(r.nonce[:12], h.Mode, h.MessageID)
	var out []byte
	if h.Mode == AES {
		out, err = r.openGCM(dst, frame, &h, keys)
	} else {
		out, err = r.openWC(dst, frame, &h, keys)
	}
	if err != nil {
		return h, dst, err
	}
	r.window.accept(h.MessageID)
	return h, out, nil
}

// openGCM verifies and deciphers in one call of the standard library, which
// itself verifies first.
func (r *Receiver) openGCM(dst, frame []byte, h *Header, keys KeySource) ([]byte, error) {
	if h.AuthKeyID != h.EncryptionKeyID {
		return nil, malformed(16, "authentication key id", h.AuthKeyID, fmt.Sprintf("%d as for encryption", h.EncryptionKeyID))
	}
	s, fresh, err := r.sessionFor(h, keys)
	if err != nil {
		return nil, err
	}
	out, err := s.aead.Open(dst, r.nonce[:12], frame[HeaderSize:], frame[:HeaderSize])
	if err != nil {
		return nil, fmt.Errorf("q3p: message %d: %w", h.MessageID, ErrBadTag)
	}
	if r.window.rejects(h.MessageID) {
		return nil, replay(h)
	}
	if fresh {
		r.adopt(s, keys)
	}
	return out, nil
}

func (r *Receiver) openWC(dst, frame []byte, h *Header, keys KeySource) ([]byte, error) {
	pad, err := r.key(h, keys, h.AuthKeyID, TagBits)
	if err != nil {
		return nil, err
	}
	end := len(frame) - TagSize
	if !r.hash.Verify(frame[end:], (*[TagSize]byte)(pad), frame[:end]) {
		return nil, fmt.Errorf("q3p: message %d: %w", h.MessageID, ErrBadTag)
	}
	if r.window.rejects(h.MessageID) {
		return nil, replay(h)
	}
	ciphertext := frame[HeaderSize:end]
	start := len(dst)
	if h.Mode == OTP {
		key, err := r.key(h, keys, h.EncryptionKeyID, 8*len(ciphertext))
		if err != nil {
			return nil, err
		}
		dst = append(dst, ciphertext...)
		subtle.XORBytes(dst[start:], ciphertext, key)
		keys.Release(int64(h.EncryptionKeyID), 8*len(ciphertext))
	} else {
		s, fresh, err := r.sessionFor(h, keys)
		if err != nil {
			return nil, err
		}
		dst = append(dst, ciphertext...)
		cipher.NewCTR(s.block, r.nonce[:]).XORKeyStream(dst[start:], ciphertext)
		if fresh {
			r.adopt(s, keys)
		}
	}
	keys.Release(int64(h.AuthKeyID), TagBits)
	return dst, nil
}

// key looks up n bits of the pool.
func (r *Receiver) key(h *Header, keys KeySource, id uint32, n int) ([]byte, error) {
	key, err := keys.Key(int64(id), n)
	if err == nil && 8*len(key) == n {
		return key, nil
	}
	if r.window.rejects(h.MessageID) {
		return nil, replay(h)
	}
	if err == nil {
		err = fmt.Errorf("got %d bits", 8*len(key))
	}
	return nil, fmt.Errorf("q3p: message %d: %w: %d bits at offset %d: %w", h.MessageID, ErrUnknownKey, n, id, err)
}

// sessionFor finds the session key a frame names; fresh says that it comes
// from the pool and is not yet adopted.
func (r *Receiver) sessionFor(h *Header, keys KeySource) (s *session, fresh bool, err error) {
	id := h.EncryptionKeyID
	switch {
	case r.session != nil && r.session.id == id:
		return r.session, false, nil
	case r.previous != nil && r.previous.id == id:
		return r.previous, false, nil
	case r.preshared:
		return nil, false, fmt.Errorf("q3p: message %d: %w: id %d on a pre-shared channel", h.MessageID, ErrUnknownKey, id)
	}
	key, err := r.key(h, keys, id, r.policy.SessionKeyBits)
	if err != nil {
		return nil, false, err
	}
	s, err = newSession(id, key)
	return s, true, err
}

// adopt keeps a session key that a verified message used and releases it.
func (r *Receiver) adopt(s *session, keys KeySource) {
	r.previous, r.session = r.session, s
	keys.Release(int64(s.id), r.policy.SessionKeyBits)
}

func replay(h *Header) error { return fmt.Errorf("q3p: message %d: %w", h.MessageID, ErrReplay) }
