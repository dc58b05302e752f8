package mosaik_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"cosim/federates/mosaik"
	"cosim/sync"
)

// tank answers as a simulator of one tank does that is filled by 2 m³ a minute.
func tank(conn net.Conn) {
	replies := map[string]string{
		"init":       `{"api_version": "3.0", "type": "time-based", "models": {"Tank": {"public": true, "params": ["volume"], "attrs": ["V"]}}}`,
		"create":     `[{"eid": "T", "type": "Tank"}]`,
		"setup_done": `null`,
	}
	minute := 0
	for {
		var length [4]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		var message, call []json.RawMessage
		var function string
		if json.Unmarshal(frame, &message) != nil || json.Unmarshal(message[2], &call) != nil || json.Unmarshal(call[0], &function) != nil {
			return
		}
		reply := replies[function]
		switch function {
		case "step":
			fmt.Println("asked for", string(call[1]))
			minute++
			reply = fmt.Sprint(minute)
		case "get_data":
			reply = fmt.Sprintf(`{"T": {"V": %d}}`, 10+2*minute)
		case "stop":
			_ = conn.Close()
			return
		}
		text := fmt.Sprintf("[1, %s, %s]", message[1], reply)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)); err != nil {
			return
		}
	}
}

// A simulator waits at an address and takes part as a federate.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if conn, err := listener.Accept(); err == nil {
			tank(conn)
		}
	}()
	const minute, stop = 60 * sync.Second, 120 * sync.Second
	x, err := mosaik.Start(context.Background(), mosaik.Config{
		Name: "tank", Connect: listener.Addr().String(), Deadline: time.Second,
		Step: minute, Stop: stop, Resolution: minute,
		Models:  []mosaik.Model{{Name: "Tank", Number: 1, Parameters: map[string]any{"volume": 10}}},
		Outputs: []mosaik.Port{{Name: "volume", Unit: "m3", Attribute: "V"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	w := &watch{port: "tank.volume"}
	m, err := sync.New([]sync.Federate{x}, nil, sync.Options{Stop: stop, Observers: []sync.Observer{w}})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Describe().Outputs[0].Elements, w.rows)
	// Output:
	// asked for [0,{},2]
	// asked for [1,{},2]
	// [T.V] [[12] [14]]
}
