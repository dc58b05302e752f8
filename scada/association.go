package scada

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"

	"cosim/scada/q3p"
)

// association is one direction of a protected channel between the two ends of
// a leg: under the key of a quantum link's pool, or under a pre-shared key.
// Where an IED owns the receiving end, receive stays nil.
type association struct {
	from, to  string
	pool      KeyPool // nil under a pre-shared key
	channel   q3p.Channel
	policy    q3p.KeyPolicy
	send      *q3p.Sender // nil until the hash key is drawn
	receive   *q3p.Receiver
	nextID    uint32
	drawnBits []int64 // since the start, by operator
	// recent remembers what was sent, by message id, as far back as the replay
	// window reaches and twice that for frames sealed ahead of others.
	recent [128]sentFrame
}

// sentFrame says what a message id stands for: the leg of a message. At a relay
// it is the entry that came with the reservation of the next hop's key.
type sentFrame struct {
	id      uint32
	leg     int
	message *message
}

// newPoolAssociation is one direction over a quantum link. Its channel opens
// with the first message, which pays for the hash key.
func newPoolAssociation(from, to string, id uint16, dir q3p.Direction, pool KeyPool, rekey int) *association {
	return &association{
		from: from, to: to, pool: pool,
		channel: q3p.Channel{ID: id, Direction: dir},
		policy:  q3p.KeyPolicy{RekeyMessages: rekey, SessionKeyBits: 128},
	}
}

// newPresharedAssociation is one direction between a gateway and an IED.
func newPresharedAssociation(from, to string, dir q3p.Direction, key []byte) (*association, error) {
	a := &association{from: from, to: to, channel: presharedChannel(dir)}
	var err error
	if a.send, err = q3p.NewPresharedSender(a.channel, key); err != nil {
		return nil, err
	}
	if dir == q3p.Uplink {
		a.receive, err = q3p.NewPresharedReceiver(a.channel, key)
	}
	return a, err
}

// presharedChannel is the channel of a gateway and an IED, which have their key
// to themselves.
func presharedChannel(dir q3p.Direction) q3p.Channel { return q3p.Channel{ID: 1, Direction: dir} }

// PresharedSecret draws the secret from which the keys between gateways and
// IEDs are derived. System uses the stream "scada/psk"; whoever owns the IEDs
// must use the same.
func PresharedSecret(stream *rand.Rand) (secret [32]byte) {
	for i := range secret {
		secret[i] = byte(stream.Uint32())
	}
	return secret
}

// presharedKey is the AES-128 key of one gateway and one IED.
func presharedKey(secret [32]byte, gateway, ied string) []byte {
	mac := hmac.New(sha256.New, secret[:])
	fmt.Fprintf(mac, "%s\x00%s", gateway, ied)
	return mac.Sum(nil)[:16]
}

// drawBits is the key that the next message of n octets takes.
func (a *association) drawBits(m Mode, n int) int {
	if a.send == nil {
		// The first message opens the channel and draws the first session key.
		return q3p.HashKeyBits + a.policy.DrawBits(m, 8*n, true)
	}
	return a.send.DrawBits(m, n)
}

// seal appends the frame of one leg of m to dst, draws its key and remembers
// it. Callers have seen that the pool can give drawBits.
func (a *association) seal(dst []byte, m *message, leg int, r DrawRequest) (frame []byte, bits int, waitNS int64, err error) {
	if a.pool == nil {
		frame, err = a.send.Seal(dst, m.command(), m.payload, AES, q3p.Key{})
		a.remember(m, leg, err)
		return frame, 0, 0, err
	}
	if a.send == nil {
		if waitNS, err = a.open(r); err != nil {
			return dst, 0, 0, err
		}
		bits = q3p.HashKeyBits
	}
	var key q3p.Key
	if n := a.send.DrawBits(m.mode, len(m.payload)); n > 0 {
		var wait int64
		if key, wait, err = a.pool.Draw(r, n); err != nil {
			return dst, bits, waitNS, err
		}
		bits, waitNS = bits+n, max(waitNS, wait)
	}
	frame, err = a.send.Seal(dst, m.command(), m.payload, m.mode, key)
	a.remember(m, leg, err)
	return frame, bits, waitNS, err
}

// open draws the hash key and makes both ends.
func (a *association) open(r DrawRequest) (waitNS int64, err error) {
	key, waitNS, err := a.pool.Draw(r, q3p.HashKeyBits)
	if err != nil {
		return 0, err
	}
	copy(a.channel.HashKey[:], key.Bytes)
	a.pool.Release(key.Offset, q3p.HashKeyBits)
	if a.send, err = q3p.NewSender(a.channel, a.policy); err != nil {
		return 0, err
	}
	a.receive, err = q3p.NewReceiver(a.channel, a.policy)
	return waitNS, err
}

// remember notes which message the frame just sealed carries. Message ids
// count from 1.
func (a *association) remember(m *message, leg int, err error) {
	if err != nil {
		return
	}
	a.nextID++
	a.recent[a.nextID%uint32(len(a.recent))] = sentFrame{a.nextID, leg, m}
}

// recall is the sent frame with this message id, or nothing when it is too old.
func (a *association) recall(id uint32) (*message, int) {
	if e := &a.recent[id%uint32(len(a.recent))]; e.id == id && e.message != nil {
		return e.message, e.leg
	}
	return nil, 0
}

// isShortage tells want of key, which fails an attempt, from errors that end
// the run.
func isShortage(err error) bool { return errors.Is(err, ErrNoKey) }
