package q3p

import (
	"encoding/binary"
	"fmt"
)

const (
	// HeaderSize and TagSize are in octets.
	HeaderSize = 20
	TagSize    = TagBits / 8
	// Overhead is what a frame adds to its payload, in octets.
	Overhead = HeaderSize + TagSize
	// MaxPayload keeps a frame within one UDP datagram over IPv4.
	MaxPayload = 65507 - Overhead

	flagEnciphered    = 0x01
	flagAuthenticated = 0x02
	modeShift         = 3
	modeMask          = 0x03 << modeShift
	version           = 2 << 5
	fixedFlags        = version | flagAuthenticated | flagEnciphered
)

// Command says what a frame carries.
type Command uint8

// Commands. Their numbers are our own: the public layout names some of them
// without their values.
const (
	Data    Command = 1 // an IEC 60870-5-104 APDU
	Control Command = 2 // a message to the node itself, such as a change of route
)

// Header is the head of a frame. Length is implied by the payload.
type Header struct {
	MessageID       uint32
	Mode            Mode
	Command         Command
	Channel         uint16
	EncryptionKeyID uint32
	AuthKeyID       uint32
}

// appendTo appends the header of a frame that carries payload octets.
func (h *Header) appendTo(dst []byte, payload int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(payload+Overhead))
	dst = binary.BigEndian.AppendUint32(dst, h.MessageID)
	dst = append(dst, fixedFlags|h.Mode.bits()<<modeShift, byte(h.Command))
	dst = binary.BigEndian.AppendUint16(dst, h.Channel)
	dst = binary.BigEndian.AppendUint32(dst, h.EncryptionKeyID)
	return binary.BigEndian.AppendUint32(dst, h.AuthKeyID)
}

// DecodeHeader reads the header of frame, which must be one whole frame. It
// verifies nothing but the layout.
func DecodeHeader(frame []byte) (Header, error) {
	if len(frame) <= Overhead || len(frame) > Overhead+MaxPayload {
		return Header{}, malformed(0, "frame", fmt.Sprintf("%d octets", len(frame)), fmt.Sprintf("%d to %d", Overhead+1, Overhead+MaxPayload))
	}
	if n := binary.BigEndian.Uint32(frame); n != uint32(len(frame)) {
		return Header{}, malformed(0, "length", n, fmt.Sprintf("%d, the octets of the frame", len(frame)))
	}
	flags := frame[8]
	h := Header{
		MessageID:       binary.BigEndian.Uint32(frame[4:]),
		Mode:            OTP - Mode(flags&modeMask>>modeShift),
		Command:         Command(frame[9]),
		Channel:         binary.BigEndian.Uint16(frame[10:]),
		EncryptionKeyID: binary.BigEndian.Uint32(frame[12:]),
		AuthKeyID:       binary.BigEndian.Uint32(frame[16:]),
	}
	switch {
	case h.MessageID == 0:
		return Header{}, malformed(4, "message id", 0, "at least 1")
	case flags&^modeMask != fixedFlags:
		return Header{}, malformed(8, "flags", fmt.Sprintf("%#02x", flags), fmt.Sprintf("%#02x and a mode", byte(fixedFlags)))
	case !h.Mode.Valid():
		return Header{}, malformed(8, "mode bits", "11", "00, 01 or 10")
	case h.Channel == 0:
		return Header{}, malformed(10, "channel", 0, "1 to 65535")
	}
	return h, nil
}
