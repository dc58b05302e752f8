package iec104

import "fmt"

// FrameLen is the length of the frame at the start of b, from its first two
// octets; 0 when b is too short to tell. It serves readers of a stream.
func FrameLen(b []byte) (int, error) {
	if len(b) > 0 && b[0] != startOctet {
		return 0, malformed(0, "start", fmt.Sprintf("%#02x", b[0]), "0x68")
	}
	if len(b) < 2 {
		return 0, nil
	}
	if b[1] < minLength || b[1] > MaxLength {
		return 0, malformed(1, "length", b[1], fmt.Sprintf("%d to %d", minLength, MaxLength))
	}
	return 2 + int(b[1]), nil
}

// Decode reads b, exactly one frame, into a and reuses its Objects. After an
// error of kind ErrUnknownType all but the objects is filled; after any other
// error the content of a has no meaning.
func (a *APDU) Decode(b []byte) error {
	n, err := FrameLen(b)
	if err != nil {
		return err
	}
	if n == 0 {
		return malformed(0, "frame", fmt.Sprintf("%d octets", len(b)), fmt.Sprintf("at least %d", apciSize))
	}
	if n != len(b) {
		return malformed(1, "frame", fmt.Sprintf("%d octets", len(b)), fmt.Sprintf("%d by its length octet", n))
	}
	a.SendSeq = (uint16(b[2]) | uint16(b[3])<<8) >> 1
	a.RecvSeq = (uint16(b[4]) | uint16(b[5])<<8) >> 1
	a.ASDU.Objects = a.ASDU.Objects[:0]
	switch {
	case b[2]&1 == 0:
		a.Format, a.Function = FormatI, 0
		if b[4]&1 != 0 {
			return malformed(4, "control octet 3", fmt.Sprintf("%#02x", b[4]), "bit 0 clear")
		}
		return a.ASDU.decode(b)
	case b[2]&3 == 1:
		a.Format, a.Function, a.SendSeq = FormatS, 0, 0
		if n != apciSize || b[2] != 1 || b[3] != 0 || b[4]&1 != 0 {
			return malformed(2, "S frame", fmt.Sprintf("% x", b[1:apciSize]), "04 01 00 and N(R)")
		}
	default:
		a.Format, a.Function, a.SendSeq, a.RecvSeq = FormatU, Function(b[2]), 0, 0
		if n != apciSize || !a.Function.valid() || b[3]|b[4]|b[5] != 0 {
			return malformed(2, "U frame", fmt.Sprintf("% x", b[1:apciSize]), "04, one function and three zeros")
		}
	}
	return nil
}

// decode reads the ASDU of the I frame b.
func (a *ASDU) decode(b []byte) error {
	if len(b) < apciSize+asduHeader+ioaSize {
		return malformed(1, "length", b[1], fmt.Sprintf("at least %d in an I frame", minLength+asduHeader+ioaSize))
	}
	n := int(b[7] & 0x7f)
	a.Type = TypeID(b[6])
	a.Sequence = b[7]&0x80 != 0
	a.Cause = Cause(b[8] & 0x3f)
	a.Negative = b[8]&0x40 != 0
	a.Test = b[8]&0x80 != 0
	a.Originator = b[9]
	a.CommonAddr = uint16(b[10]) | uint16(b[11])<<8

	l := &layouts[a.Type]
	switch {
	case l.name == "":
		return &FormatError{6, "type", a.Type.String(), "a type of the table", ErrUnknownType}
	case n < 1 || (l.single && n != 1):
		return malformed(7, "number of objects", n, l.objectsExpected())
	case a.Sequence && !l.sequenceAllowed():
		return malformed(7, "SQ", 1, "0 for "+l.name)
	case len(b) != apciSize+l.asduSize(n, a.Sequence):
		return malformed(1, "length", b[1], fmt.Sprintf("%d for %d objects of %s", minLength+l.asduSize(n, a.Sequence), n, l.name))
	}
	return a.decodeObjects(b[apciSize+asduHeader:], l, n)
}

// decodeObjects reads n objects from b, whose length fits.
func (a *ASDU) decodeObjects(b []byte, l *layout, n int) error {
	var ioa uint32
	for i := range n {
		if i == 0 || !a.Sequence {
			ioa = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
			b = b[ioaSize:]
		} else if ioa++; ioa > maxIOA {
			return malformed(apciSize+asduHeader, "object address", ioa, "at most 16777215 in a sequence")
		}
		o := Object{IOA: ioa}
		switch l.value {
		case 1:
			o.Value = uint32(b[0])
		case 2:
			o.Value = uint32(b[0]) | uint32(b[1])<<8
		case 4:
			o.Value = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		}
		b = b[l.value:]
		if l.qualifier {
			o.Qualifier = b[0]
			b = b[1:]
		}
		if l.time {
			o.Time = CP56Time2a(b)
			b = b[len(o.Time):]
		}
		a.Objects = append(a.Objects, o)
	}
	return nil
}
