package scada

// Utterance is an APDU as one end of a 104 connection hands it over to be sealed
// and sent. The same one is handed over again where it has to be repeated.
type Utterance struct {
	AtNS     int64
	Frame    uint64 // the first that carries it
	From, To string // the ends: a control centre and an IED or gateway
	Uplink   bool   // to the control centre
	Chain    string
	Message  string // "command"
	Payload  []byte // never written again
}

// OnUtterance has f told of every APDU that is sent, in the order of their times.
// It is called before the first step, and changes nothing. What f is given holds
// during the call.
func (s *System) OnUtterance(f func(*Utterance)) { s.utter = f }

// uttered tells of the frame that was sent last, leg i of m, if that is where m
// begins. An order to a gateway is none of 104's.
func (s *System) uttered(m *message, i int) {
	if s.utter == nil || i > 0 || m.kind == order || m.kind == orderAnswer {
		return
	}
	f := &s.out.Frames[len(s.out.Frames)-1]
	nodes := m.route.nodes
	u := Utterance{
		AtNS: f.AtNS, Frame: f.ID, From: nodes[0], To: nodes[len(nodes)-1],
		Chain: m.chain.ID, Message: messageNames[m.kind], Payload: m.payload,
	}
	switch m.kind {
	case measurement, confirmation, answer, termination:
		u.Uplink = true
	}
	s.utter(&u)
}
