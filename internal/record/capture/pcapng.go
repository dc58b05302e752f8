package capture

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Codes of pcapng: blocks, options, records and values.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockNames     = 4
	blockPacket    = 6

	optComment           = 1
	optApplication       = 4 // of a section
	optInterfaceName     = 2
	optDescription       = 3
	optSpeed             = 8
	optResolution        = 9
	optPacketFlags       = 2
	optPacketID          = 5
	recordIPv4           = 1
	byteOrder            = 0x1a2b3c4d
	linkRawIP            = 101
	nanoseconds          = 9 // 10⁻⁹ s
	unknownSectionLength = ^uint64(0)
)

// Direction is that of a packet on its interface.
type Direction uint8

// Directions.
const (
	Unknown  Direction = 0
	Inbound  Direction = 1
	Outbound Direction = 2
)

// Interface is what packets are seen on.
type Interface struct {
	Name, Description string
	SpeedBPS          uint64 // 0: none told
}

// Name is that of an address.
type Name struct {
	Address Address
	Name    string
}

// Packet is one on an interface.
type Packet struct {
	Interface int   // in the order in which they were described
	AtNS      int64 // simulated time
	ID        uint64
	Direction Direction
	Comment   string // empty: none
	Data      []byte // from the IP header on
}

// bufferBytes is how much is gathered before it is handed on.
const bufferBytes = 64 << 10

// Writer writes a section. It is not for concurrent use, and does not allocate
// in the steady state.
type Writer struct {
	out        io.Writer
	blocks     []byte // whole ones
	interfaces int
	start      int // of the block that is being made
}

// NewWriter begins a section, made by an application, with names for addresses.
func NewWriter(out io.Writer, application string, names []Name) *Writer {
	w := &Writer{out: out}
	w.begin(blockSection)
	w.u32(byteOrder)
	w.u16(1) // version 1.0
	w.u16(0)
	w.blocks = binary.LittleEndian.AppendUint64(w.blocks, unknownSectionLength)
	w.text(optApplication, application)
	w.end(true)
	if len(names) > 0 {
		w.names(names)
	}
	return w
}

func (w *Writer) names(names []Name) {
	w.begin(blockNames)
	for _, n := range names {
		w.u16(recordIPv4)
		w.u16(uint16(len(n.Address) + len(n.Name) + 1))
		w.blocks = append(w.blocks, n.Address[:]...)
		w.blocks = append(append(w.blocks, n.Name...), 0)
		w.pad()
	}
	w.u32(0) // end of records
	w.end(false)
}

// Interface describes the next interface and returns its number.
func (w *Writer) Interface(i Interface) int {
	w.begin(blockInterface)
	w.u16(linkRawIP)
	w.u16(0)
	w.u32(0) // packets are never cut
	w.text(optInterfaceName, i.Name)
	w.text(optDescription, i.Description)
	if i.SpeedBPS > 0 {
		w.option(optSpeed, 8)
		w.blocks = binary.LittleEndian.AppendUint64(w.blocks, i.SpeedBPS)
	}
	w.option(optResolution, 1)
	w.blocks = append(w.blocks, nanoseconds)
	w.pad()
	w.end(true)
	w.interfaces++
	return w.interfaces - 1
}

// Packet appends a packet.
func (w *Writer) Packet(p *Packet) error {
	if p.Interface < 0 || p.Interface >= w.interfaces {
		return fmt.Errorf("capture: interface %d of %d", p.Interface, w.interfaces)
	}
	if p.AtNS < 0 {
		return fmt.Errorf("capture: packet at %d ns, before the epoch", p.AtNS)
	}
	w.begin(blockPacket)
	w.u32(uint32(p.Interface))
	w.u32(uint32(p.AtNS >> 32))
	w.u32(uint32(p.AtNS))
	w.u32(uint32(len(p.Data)))
	w.u32(uint32(len(p.Data)))
	w.blocks = append(w.blocks, p.Data...)
	w.pad()
	if p.Direction != Unknown {
		w.option(optPacketFlags, 4)
		w.u32(uint32(p.Direction))
	}
	w.option(optPacketID, 8)
	w.blocks = binary.LittleEndian.AppendUint64(w.blocks, p.ID)
	w.text(optComment, p.Comment)
	w.end(true)
	if len(w.blocks) < bufferBytes {
		return nil
	}
	return w.Flush()
}

// Flush hands on all that was written.
func (w *Writer) Flush() error {
	_, err := w.out.Write(w.blocks)
	w.blocks = w.blocks[:0]
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// begin opens a block, whose length end fills in.
func (w *Writer) begin(kind uint32) {
	w.start = len(w.blocks)
	w.u32(kind)
	w.u32(0)
}

func (w *Writer) end(options bool) {
	if options {
		w.u32(0) // end of options
	}
	length := uint32(len(w.blocks) - w.start + 4)
	binary.LittleEndian.PutUint32(w.blocks[w.start+4:], length)
	w.u32(length)
}

func (w *Writer) option(code, length uint16) {
	w.u16(code)
	w.u16(length)
}

// maxTextBytes is the longest text of an option.
const maxTextBytes = 1<<16 - 1

func (w *Writer) text(code uint16, text string) {
	if text == "" {
		return
	}
	text = text[:min(len(text), maxTextBytes)]
	w.option(code, uint16(len(text)))
	w.blocks = append(w.blocks, text...)
	w.pad()
}

func (w *Writer) u16(v uint16) { w.blocks = binary.LittleEndian.AppendUint16(w.blocks, v) }
func (w *Writer) u32(v uint32) { w.blocks = binary.LittleEndian.AppendUint32(w.blocks, v) }

// pad fills up to 32 bits; blocks begin there.
func (w *Writer) pad() {
	for (len(w.blocks)-w.start)%4 != 0 {
		w.blocks = append(w.blocks, 0)
	}
}
