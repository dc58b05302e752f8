package outstation

import "cosim/scada/iec104"

// Freeze bits of the qualifier of a counter interrogation.
const (
	qccRead        = 0
	qccFreeze      = 1
	qccFreezeReset = 2
	qccReset       = 3
)

// Bits of the sequence octet of a counter.
const (
	counterSequence = 0x1f
	counterAdjusted = 0x40
	counterInvalid  = 0x80
)

// count carries out a counter interrogation of a group, 0 for all: it freezes
// or resets, or answers with the counters. Freezing is the station's: every
// master reads the same frozen values.
func (im *Image) count(group int, freeze uint8, cause iec104.Cause) []iec104.ASDU {
	im.mu.Lock()
	defer im.mu.Unlock()
	var objects []typedObject
	for _, i := range im.ordered {
		p, c, r := &im.points[i], &im.counters[i], &im.readings[i]
		if !p.counter() || group != 0 && p.Group != group {
			continue
		}
		total := r.value - c.base
		switch freeze {
		case qccFreeze, qccFreezeReset:
			c.frozen, c.isFrozen = total, true
			c.sequence = (c.sequence + 1) & counterSequence
		}
		switch freeze {
		case qccReset, qccFreezeReset:
			c.base, c.adjusted = r.value, true
		case qccRead:
			objects = append(objects, typedObject{p.Type, c.object(p.IOA, total, r.object.Qualifier)})
		}
	}
	return pack(objects, cause)
}

func (c *counter) object(ioa uint32, total float64, quality uint8) iec104.Object {
	qualifier := c.sequence
	if c.isFrozen {
		total = c.frozen
	}
	if c.adjusted {
		qualifier, c.adjusted = qualifier|counterAdjusted, false
	}
	if quality&iec104.Invalid != 0 {
		qualifier |= counterInvalid
	}
	// The reading is a signed number of 32 bits that runs over.
	return iec104.Object{IOA: ioa, Value: uint32(int64(total)), Qualifier: qualifier}
}
