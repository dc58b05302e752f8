package iec104

import "fmt"

const (
	startOctet = 0x68
	apciSize   = 6 // start, length and four control octets
	minLength  = 4
	// MaxLength is the greatest value of the length octet; a frame is two
	// octets longer.
	MaxLength  = 253
	asduHeader = 6
	ioaSize    = 3
	maxIOA     = 1<<24 - 1
	maxObjects = 127
	seqModulo  = 1 << 15
)

// Format is the format of a frame.
type Format uint8

// I frames carry numbered application data, S frames acknowledge, U frames
// control the connection.
const (
	FormatI Format = iota
	FormatS
	FormatU
)

// Function is the one function that a U frame carries, as its control octet.
type Function uint8

// Functions of U frames.
const (
	StartDTAct Function = 0x07
	StartDTCon Function = 0x0b
	StopDTAct  Function = 0x13
	StopDTCon  Function = 0x23
	TestFRAct  Function = 0x43
	TestFRCon  Function = 0x83
)

var functionNames = map[Function]string{
	StartDTAct: "STARTDT act", StartDTCon: "STARTDT con",
	StopDTAct: "STOPDT act", StopDTCon: "STOPDT con",
	TestFRAct: "TESTFR act", TestFRCon: "TESTFR con",
}

// String is the standard's name, for example "STARTDT act".
func (f Function) String() string {
	if name, ok := functionNames[f]; ok {
		return name
	}
	return fmt.Sprintf("function %#02x", uint8(f))
}

func (f Function) valid() bool {
	switch f {
	case StartDTAct, StartDTCon, StopDTAct, StopDTCon, TestFRAct, TestFRCon:
		return true
	}
	return false
}

// Confirmation is the answer to an activation; false when f is itself one.
func (f Function) Confirmation() (Function, bool) {
	switch f {
	case StartDTAct:
		return StartDTCon, true
	case StopDTAct:
		return StopDTCon, true
	case TestFRAct:
		return TestFRCon, true
	}
	return 0, false
}

// APDU is one frame. Only the fields of its format have meaning: Function in a
// U frame, RecvSeq in S and I frames, SendSeq and ASDU in an I frame.
type APDU struct {
	Format   Format
	Function Function
	SendSeq  uint16 // N(S), modulo 2¹⁵
	RecvSeq  uint16 // N(R), modulo 2¹⁵
	ASDU     ASDU
}

// ASDU is the application data of an I frame.
type ASDU struct {
	Type       TypeID
	Sequence   bool // SQ: the objects have consecutive addresses, only the first is sent
	Cause      Cause
	Negative   bool // P/N: negative confirmation
	Test       bool
	Originator uint8
	CommonAddr uint16
	Objects    []Object
}

// AppendAPDU appends the frame a to dst. On error dst is returned unchanged.
func AppendAPDU(dst []byte, a *APDU) ([]byte, error) {
	switch a.Format {
	case FormatI:
		return AppendI(dst, a.SendSeq, a.RecvSeq, &a.ASDU)
	case FormatS:
		return AppendS(dst, a.RecvSeq), nil
	case FormatU:
		if !a.Function.valid() {
			return dst, malformed(2, "U function", fmt.Sprintf("%#02x", uint8(a.Function)), "one of STARTDT, STOPDT, TESTFR act or con")
		}
		return AppendU(dst, a.Function), nil
	}
	return dst, malformed(2, "format", a.Format, "I, S or U")
}

// AppendU appends a U frame.
func AppendU(dst []byte, f Function) []byte {
	return append(dst, startOctet, minLength, byte(f), 0, 0, 0)
}

// AppendS appends an S frame that acknowledges all I frames before recvSeq.
func AppendS(dst []byte, recvSeq uint16) []byte {
	return append(dst, startOctet, minLength, 1, 0, byte(recvSeq<<1), byte(recvSeq>>7))
}

// AppendI appends an I frame. On error dst is returned unchanged.
func AppendI(dst []byte, sendSeq, recvSeq uint16, a *ASDU) ([]byte, error) {
	l := &layouts[a.Type]
	if err := a.check(l); err != nil {
		return dst, err
	}
	length := minLength + l.asduSize(len(a.Objects), a.Sequence)
	dst = append(dst, startOctet, byte(length),
		byte(sendSeq<<1), byte(sendSeq>>7), byte(recvSeq<<1), byte(recvSeq>>7),
		byte(a.Type), byte(len(a.Objects))|bit(a.Sequence, 0x80),
		byte(a.Cause)|bit(a.Negative, 0x40)|bit(a.Test, 0x80), a.Originator,
		byte(a.CommonAddr), byte(a.CommonAddr>>8))
	for i := range a.Objects {
		o := &a.Objects[i]
		if i == 0 || !a.Sequence {
			dst = append(dst, byte(o.IOA), byte(o.IOA>>8), byte(o.IOA>>16))
		}
		switch l.value {
		case 1:
			dst = append(dst, byte(o.Value))
		case 2:
			dst = append(dst, byte(o.Value), byte(o.Value>>8))
		case 4:
			dst = append(dst, byte(o.Value), byte(o.Value>>8), byte(o.Value>>16), byte(o.Value>>24))
		}
		if l.qualifier {
			dst = append(dst, o.Qualifier)
		}
		if l.time {
			dst = append(dst, o.Time[:]...)
		}
	}
	return dst, nil
}

// AppendRejection appends the I frame received in frame with new sequence
// numbers, the given cause and the negative bit: the answer to a type, cause,
// common address or object address that the station does not know.
func AppendRejection(dst []byte, sendSeq, recvSeq uint16, frame []byte, cause Cause) ([]byte, error) {
	if n, err := FrameLen(frame); err != nil {
		return dst, err
	} else if n != len(frame) || n < apciSize+asduHeader || frame[2]&1 != 0 {
		return dst, malformed(0, "frame to reject", fmt.Sprintf("%d octets", len(frame)), "one whole I frame")
	}
	at := len(dst)
	dst = append(dst, frame...)
	reply := dst[at:]
	reply[2], reply[3], reply[4], reply[5] = byte(sendSeq<<1), byte(sendSeq>>7), byte(recvSeq<<1), byte(recvSeq>>7)
	reply[8] = reply[8]&0x80 | 0x40 | byte(cause)
	return dst, nil
}

// check refuses what the format cannot carry.
func (a *ASDU) check(l *layout) error {
	n := len(a.Objects)
	switch {
	case l.name == "":
		return &FormatError{6, "type", a.Type.String(), "a type of the table", ErrUnknownType}
	case n < 1 || n > maxObjects || (l.single && n != 1):
		return malformed(7, "number of objects", n, l.objectsExpected())
	case a.Sequence && !l.sequenceAllowed():
		return malformed(7, "SQ", 1, "0 for "+l.name)
	case a.Cause > 0x3f:
		return malformed(8, "cause", uint8(a.Cause), "0 to 63")
	}
	if size := l.asduSize(n, a.Sequence); size > MaxLength-minLength {
		return malformed(1, "length", minLength+size, fmt.Sprintf("at most %d", MaxLength))
	}
	for i := range a.Objects {
		o := &a.Objects[i]
		switch {
		case o.IOA > maxIOA:
			return malformed(apciSize+asduHeader, "object address", o.IOA, "at most 16777215")
		case a.Sequence && o.IOA != a.Objects[0].IOA+uint32(i):
			return malformed(apciSize+asduHeader, "object address", o.IOA, fmt.Sprintf("%d in a sequence", a.Objects[0].IOA+uint32(i)))
		case l.value != 4 && o.Value>>(8*l.value) != 0:
			return malformed(apciSize+asduHeader, "value", o.Value, fmt.Sprintf("at most %d octets for %s", l.value, l.name))
		}
	}
	return nil
}

func (l *layout) objectsExpected() string {
	if l.single {
		return "1 for " + l.name
	}
	return "1 to 127"
}

func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}
