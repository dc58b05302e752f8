package iec104_test

import (
	"fmt"

	"cosim/scada/iec104"
)

func Example() {
	var master, station iec104.Association
	command := iec104.ASDU{
		Type: iec104.CSeNc1, Cause: iec104.Activation, CommonAddr: 30,
		Objects: []iec104.Object{iec104.FloatObject(5005, 0.95, 0)},
	}
	frame, err := master.AppendI(nil, &command)
	fmt.Printf("% x %v\n", frame, err)

	var received iec104.APDU
	if err := received.Decode(frame); err != nil {
		fmt.Println(err)
	}
	station.Receive(&received)
	object := received.ASDU.Objects[0]
	fmt.Println(received.ASDU.Type, object.IOA, object.Float(), object.Selects())

	received.ASDU.Cause = iec104.ActivationCon
	frame, err = station.AppendI(frame[:0], &received.ASDU)
	fmt.Printf("% x %v\n", frame, err)
	// Output:
	// 68 12 00 00 00 00 32 01 06 00 1e 00 8d 13 00 33 33 73 3f 00 <nil>
	// C_SE_NC_1 5005 0.95 false
	// 68 12 00 00 02 00 32 01 07 00 1e 00 8d 13 00 33 33 73 3f 00 <nil>
}
