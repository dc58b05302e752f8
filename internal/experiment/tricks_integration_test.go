//go:build integration

package experiment

import (
	"math"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"cosim/federates/ws"
)

// trick is what one peer does instead of playing by the rules.
type trick struct {
	name string
	// code of the rule that it breaks, in JSON and, where that differs, in CBOR;
	// unseen: nobody may notice.
	code, cbor string
	places     []place        // where in a step; none: before its answer
	signal     syscall.Signal // of a process of its own that gives itself a signal
	hasty      bool           // its deadline is short
	grace      time.Duration
	first      bool // it cheats before it takes part
	do         func(p *trickster)
}

const (
	unseen    = ""
	hungUp    = "-" // no rule is broken, but the connection
	hastily   = 300 * time.Millisecond
	briefly   = 150 * time.Millisecond
	generous  = 20 * time.Second
	wrongText = "00000000000000000000000000000000"
)

var (
	anywhere = []place{before, half, after}
	around   = []place{before, after}
	seldom   = []place{after}
)

// tricks that are known. Those that send what they may not hear out why they
// are lost.
var tricks = []trick{
	// Processes and connections that go.
	{name: "is killed (-9)", code: hungUp, places: anywhere, signal: syscall.SIGKILL},
	{name: "is stopped (SIGSTOP)", code: ws.CodeDeadline, places: anywhere, signal: syscall.SIGSTOP, hasty: true},
	{name: "hangs up", code: hungUp, places: anywhere, do: (*trickster).cut},
	{name: "resets the connection", code: hungUp, places: anywhere, do: (*trickster).reset},
	{name: "says goodbye", code: hungUp, places: around, do: func(p *trickster) {
		_ = p.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
		p.listen()
	}},
	{name: "gives up", code: ws.CodeFailed, places: around, do: func(p *trickster) {
		p.send(&ws.Error{Type: ws.TypeError, Code: ws.CodeFailed, Message: "no licence"})
		p.listen()
	}},
	// Time.
	{name: "hangs", code: ws.CodeDeadline, places: anywhere, hasty: true, do: (*trickster).listen},
	{name: "is too late", code: ws.CodeDeadline, hasty: true, do: func(p *trickster) { time.Sleep(hastily + briefly); p.write(p.answer); p.listen() }},
	{name: "dribbles beyond its deadline", code: ws.CodeDeadline, hasty: true, do: func(p *trickster) { p.dribble(20 * time.Millisecond); p.listen() }},
	{name: "is slower by ten", do: func(p *trickster) {
		for range 20 {
			time.Sleep(10 * time.Millisecond)
			p.write(p.answer)
			if !p.next() {
				return
			}
		}
		p.finish()
	}},
	{name: "dribbles", do: func(p *trickster) { p.dribble(100 * time.Microsecond); p.behave(-2) }},
	// A clock that jumps: its own, by which it stamps what it sends.
	{name: "has a clock an hour ahead", code: ws.CodeOutsideStep, do: func(p *trickster) { p.event(p.step.ToNS + 3600e9) }},
	{name: "has a clock a little ahead", code: ws.CodeOutsideStep, do: func(p *trickster) { p.event(p.step.ToNS + 1) }},
	{name: "has a clock behind", code: ws.CodeOutsideStep, do: func(p *trickster) { p.event(p.step.FromNS - 1) }},
	{name: "skips a step", code: ws.CodeWrongSeq, do: func(p *trickster) { p.done.Seq++; p.send(&p.done); p.listen() }},
	{name: "answers the step before", code: ws.CodeWrongSeq, do: func(p *trickster) { p.done.Seq--; p.send(&p.done); p.listen() }},
	{name: "answers a step far ahead", code: ws.CodeWrongSeq, do: func(p *trickster) { p.done.Seq = math.MaxInt64; p.send(&p.done); p.listen() }},
	{name: "answers twice", code: ws.CodeWrongSeq, places: seldom, do: func(p *trickster) { p.write(p.answer); p.listen() }},
	// Numbers.
	{name: "sends NaN", code: ws.CodeBadMessage, cbor: ws.CodeNotFinite, do: func(p *trickster) { p.list(len(p.vector().Elements), "NaN", math.NaN()) }},
	{name: "sends infinity", code: ws.CodeWrongKind, cbor: ws.CodeNotFinite, do: func(p *trickster) { p.list(len(p.vector().Elements), "1e999", math.Inf(1)) }},
	{name: "sends null", code: ws.CodeBadMessage, do: func(p *trickster) { p.list(len(p.vector().Elements), "null", nil) }},
	{name: "sends words", code: ws.CodeWrongKind, do: func(p *trickster) { p.list(len(p.vector().Elements), `"1"`, "1") }},
	{name: "sends one number", code: ws.CodeWrongKind, do: func(p *trickster) { p.reply(p.vector().Name, "1", 1.0) }},
	{name: "sends none", code: ws.CodeWrongLength, do: func(p *trickster) { p.list(0, "", nil) }},
	{name: "sends too many", code: ws.CodeWrongLength, do: func(p *trickster) { p.list(len(p.vector().Elements)+1, "", nil) }},
	{name: "sends a million", code: ws.CodeWrongLength, do: func(p *trickster) { p.list(1e6, "", nil) }},
	{name: "invents a port", code: ws.CodeUnknownPort, do: func(p *trickster) { p.reply("nonsense", "[1]", []any{1.0}) }},
	// Frames.
	{name: "sends too large a frame", code: ws.CodeTooLarge, do: func(p *trickster) { p.write(make([]byte, 16<<20+1)); p.listen() }},
	{name: "claims too large a frame", code: ws.CodeTooLarge, do: func(p *trickster) {
		p.raw(0x80|byte(p.codec.FrameType()), 0x80|127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
		p.listen()
	}},
	{name: "sends the other kind of frame", code: ws.CodeBadMessage, do: func(p *trickster) {
		_ = p.socket.WriteMessage(websocket.TextMessage+websocket.BinaryMessage-p.codec.FrameType(), p.answer)
		p.listen()
	}},
	{name: "sends nonsense", code: ws.CodeBadMessage, do: func(p *trickster) { p.write([]byte("\xffready!")); p.listen() }},
	{name: "sends an empty frame", code: ws.CodeBadMessage, do: func(p *trickster) { p.write(nil); p.listen() }},
	{name: "sends half a message", code: ws.CodeBadMessage, do: func(p *trickster) { p.write(p.answer[:len(p.answer)/2]); p.listen() }},
	{name: "sets reserved bits", code: ws.CodeBadMessage, do: func(p *trickster) { p.raw(0xf1, 0x80, 0, 0, 0, 0); p.listen() }},
	{name: "sends without a mask", code: ws.CodeBadMessage, do: func(p *trickster) { p.raw(0x81, 1, 'x'); p.listen() }},
	{name: "continues what has not begun", code: ws.CodeBadMessage, do: func(p *trickster) { p.raw(0x80, 0x80, 0, 0, 0, 0); p.listen() }},
	{name: "says hello again", code: ws.CodeBadMessage, do: func(p *trickster) { p.send(ws.HelloOf(p.federate.Describe())); p.listen() }},
	{name: "floods with pings", code: ws.CodeTooMany, do: func(p *trickster) { p.ping(100); p.listen() }},
	{name: "pings", do: func(p *trickster) { p.ping(5); p.finish() }},
	{name: "answers in pieces", do: func(p *trickster) { p.pieces(); p.behave(-2) }},
	// Coming back.
	{name: "comes back", places: anywhere, grace: generous, do: (*trickster).comeBack},
	{name: "comes back after a reset", places: anywhere, grace: generous, do: func(p *trickster) { p.reset(); p.returnFrom() }},
	{name: "comes back after a while", places: anywhere, grace: generous, do: func(p *trickster) { p.cut(); time.Sleep(briefly); p.returnFrom() }},
	{name: "comes back three times", places: anywhere, grace: generous, do: func(p *trickster) {
		for range 3 {
			p.cut()
			if !p.enter(p.resume) {
				return
			}
		}
		p.behave(-2)
	}},
	{name: "comes back before it has gone", places: around, grace: generous, do: (*trickster).returnFrom},
	{name: "comes back with another's token", code: hungUp, grace: briefly, do: func(p *trickster) { p.cut(); p.enter(wrongText) }},
	{name: "comes back without its token", code: hungUp, grace: briefly, do: func(p *trickster) { p.cut(); p.enter("") }},
	{name: "comes back without its bearer token", code: hungUp, grace: briefly, do: func(p *trickster) { p.cut(); p.token = ""; p.enter(p.resume) }},
	{name: "comes back too late", code: hungUp, grace: briefly, do: func(p *trickster) { p.cut(); time.Sleep(3 * briefly); p.enter(p.resume) }},
	// Others at the same door.
	{name: "has a double", places: around, do: func(p *trickster) { p.another(p.token, ""); p.finish() }},
	{name: "has a double that guesses", places: around, do: func(p *trickster) { p.another(p.token, wrongText); p.finish() }},
	{name: "has a double with a wrong token", places: around, do: func(p *trickster) { p.another(p.token+"!", p.resume); p.finish() }},
	{name: "has a double without a token", places: around, do: func(p *trickster) { p.another("", p.resume); p.finish() }},
	{name: "has a double that knocks fifty times", do: func(p *trickster) {
		for range 50 {
			p.another("nobody", "")
		}
		p.finish()
	}},
	{name: "has strangers at the port", do: func(p *trickster) {
		p.plain("GET /v1/federates/")
		p.plain("\x16\x03\x01 hello in TLS")
		p.plain("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		p.plain("GET /v1/federates/" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\n\r\n")
		p.finish()
	}},
	// Before the run.
	{name: "hangs up before its hello", first: true, do: func(p *trickster) { _ = p.dial(); p.cut() }},
	{name: "hangs up after its hello", first: true, grace: generous, do: (*trickster).enterAndLeave},
	{name: "begins with nonsense", first: true, do: func(p *trickster) { _ = p.dial(); p.write([]byte("{}")); p.listen() }},
	{name: "begins with too large a hello", first: true, do: func(p *trickster) { _ = p.dial(); p.write(make([]byte, 16<<20+1)); p.listen() }},
	{name: "begins with an answer", first: true, do: func(p *trickster) { _ = p.dial(); p.send(&ws.Done{Type: ws.TypeDone}); p.listen() }},
	{name: "begins with a wrong token", first: true, do: func(p *trickster) { p.another("a-token-of-somebody-else", "") }},
	{name: "begins as somebody else", first: true, do: func(p *trickster) {
		_ = p.dial()
		h := ws.HelloOf(p.federate.Describe())
		h.Federate = "stranger"
		p.send(h)
		p.listen()
	}},
	{name: "begins twice", first: true, do: func(p *trickster) { _ = p.dial() }}, // and leaves that one silent
}

func (p *trickster) reset() {
	if tcp, ok := p.socket.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	p.cut()
}

func (p *trickster) ping(n int) {
	for range n {
		_ = p.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
	}
}

// frame is a piece of a message on the wire, under a mask of zeroes.
func frame(first byte, b []byte) []byte {
	return append([]byte{first, 0x80 | 126, byte(len(b) >> 8), byte(len(b)), 0, 0, 0, 0}, b...)
}

// pieces answers with a message in three frames and a ping between them.
func (p *trickster) pieces() {
	third := len(p.answer) / 3
	p.raw(frame(byte(p.codec.FrameType()), p.answer[:third])...)
	p.raw(0x89, 0x80, 0, 0, 0, 0)
	p.raw(frame(0, p.answer[third:2*third])...)
	p.raw(frame(0x80, p.answer[2*third:])...)
}

// dribble answers byte by byte.
func (p *trickster) dribble(pause time.Duration) {
	for _, b := range frame(0x80|byte(p.codec.FrameType()), p.answer) {
		p.raw(b)
		time.Sleep(pause)
	}
}

// enterAndLeave is gone before it has answered anything. If it was the last one
// that was waited for, the run has begun and waits for its return.
func (p *trickster) enterAndLeave() {
	p.enter("")
	p.cut()
}
