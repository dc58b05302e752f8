package q3p_test

import (
	"fmt"

	"cosim/scada/q3p"
)

// stream stands for a pool of which both ends hold the same key.
type stream []byte

func (s stream) Key(offset int64, n int) ([]byte, error) { return s[offset/8:][:n/8], nil }
func (s stream) Release(offset int64, n int)             { fmt.Println("release", n, "bits at", offset) }

func Example() {
	pool := make(stream, 100)
	channel := q3p.Channel{ID: 1, Direction: q3p.Downlink, HashKey: [16]byte(pool[:16])}
	sender, _ := q3p.NewSender(channel, q3p.DefaultKeyPolicy())
	receiver, _ := q3p.NewReceiver(channel, q3p.DefaultKeyPolicy())

	apdu := []byte{0x68, 4, 0x43, 0, 0, 0}
	bits := sender.DrawBits(q3p.OTP, len(apdu))
	frame, err := sender.Seal(nil, q3p.Data, apdu, q3p.OTP, q3p.Key{Offset: 128, Bytes: pool[16:][:bits/8]})
	fmt.Println(bits, "bits drawn,", len(frame), "octets", err)

	header, payload, err := receiver.Open(nil, frame, pool)
	fmt.Printf("message %d in %v: % x %v\n", header.MessageID, header.Mode, payload, err)
	_, _, err = receiver.Open(nil, frame, pool)
	fmt.Println(err)
	// Output:
	// 176 bits drawn, 42 octets <nil>
	// release 48 bits at 128
	// release 128 bits at 176
	// message 1 in otp: 68 04 43 00 00 00 <nil>
	// q3p: message 1: message id seen before or older than the window
}
