package capture_test

import (
	"bytes"
	"fmt"

	"cosim/internal/record/capture"
)

func Example() {
	centre, gateway := capture.AddressOf(0), capture.AddressOf(1)
	var file bytes.Buffer
	w := capture.NewWriter(&file, "cosim", []capture.Name{{Address: centre, Name: "CC"}, {Address: gateway, Name: "GW1"}})
	link := w.Interface(capture.Interface{Name: "CC-GW1", Description: "outbound: CC to GW1", SpeedBPS: 2e6})
	data := capture.AppendUDP(nil, capture.Header{From: centre, To: gateway, TTL: 64}, 50104, []byte("sealed"))
	if err := w.Packet(&capture.Packet{Interface: link, AtNS: 290.15e9, ID: 1, Direction: capture.Outbound, Data: data}); err != nil {
		fmt.Println(err)
	}
	if err := w.Flush(); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%d octets in a packet, %d in the file, which begins with %x\n", len(data), file.Len(), file.Bytes()[:4])
	// Output: 34 octets in a packet, 256 in the file, which begins with 0a0d0d0a
}
