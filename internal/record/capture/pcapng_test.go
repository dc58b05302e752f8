package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// blocks cuts a file as any reader does, by the lengths at both ends.
func blocks(t interface{ Fatalf(string, ...any) }, file []byte) (list [][]byte) {
	for len(file) > 0 {
		if len(file) < 12 {
			t.Fatalf("%d octets left over", len(file))
		}
		n := binary.LittleEndian.Uint32(file[4:])
		if n%4 != 0 || n < 12 || int(n) > len(file) || binary.LittleEndian.Uint32(file[n-4:]) != n {
			t.Fatalf("a block of %d octets of %d", n, len(file))
		}
		list, file = append(list, file[:n]), file[n:]
	}
	return list
}

func TestEveryPacketIsAWholeBlockWithItsContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file bytes.Buffer
		w := NewWriter(&file, "cosim", []Name{{AddressOf(0), "CC"}, {AddressOf(300), rapid.StringMatching("[a-z]{1,9}").Draw(t, "name")}})
		w.Interface(Interface{Name: "CC-GW1", Description: "a link", SpeedBPS: 1e6})
		w.Interface(Interface{Name: rapid.StringMatching("[A-Z]{1,9}").Draw(t, "interface")})
		var want []Packet
		for range rapid.IntRange(0, 20).Draw(t, "packets") {
			p := Packet{
				Interface: rapid.IntRange(0, 1).Draw(t, "on"), AtNS: rapid.Int64Min(0).Draw(t, "at"), ID: rapid.Uint64().Draw(t, "id"),
				Direction: Direction(rapid.IntRange(0, 2).Draw(t, "direction")), Comment: rapid.String().Draw(t, "comment"),
				Data: rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "data"),
			}
			want = append(want, p)
			if err := w.Packet(&p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		list := blocks(t, file.Bytes())
		if len(list) != 4+len(want) {
			t.Fatalf("%d blocks for %d packets", len(list), len(want))
		}
		for i, b := range list[4:] {
			u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
			at := int64(u32(12))<<32 | int64(u32(16))
			if u32(0) != blockPacket || int(u32(8)) != want[i].Interface || at != want[i].AtNS ||
				!bytes.Equal(b[28:28+u32(20)], want[i].Data) || !bytes.Contains(b, []byte(want[i].Comment)) {
				t.Fatalf("%+v became %x", want[i], b)
			}
		}
	})
}

// handed keeps what was handed on, a call at a time.
type handed [][]byte

func (h *handed) Write(p []byte) (int, error) {
	*h = append(*h, bytes.Clone(p))
	return len(p), nil
}

// A process that is killed between two writes leaves no torn packet.
func TestOnlyWholeBlocksAreHandedOn(t *testing.T) {
	var h handed
	w := NewWriter(&h, "cosim", nil)
	w.Interface(Interface{Name: "one"})
	for i := range 1000 {
		if err := w.Packet(&Packet{AtNS: int64(i), Data: make([]byte, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(h) < 5 {
		t.Fatalf("handed on %d times", len(h))
	}
	for _, part := range h {
		if blocks(t, part); len(part) > bufferBytes+2000 {
			t.Errorf("%d octets at once", len(part))
		}
	}
}

func TestPacketsThatHaveNoPlaceAreRefused(t *testing.T) {
	w := NewWriter(io.Discard, "cosim", nil)
	if err := w.Packet(&Packet{}); err == nil {
		t.Error("an interface that was not described")
	}
	w.Interface(Interface{Name: "one"})
	if err := w.Packet(&Packet{AtNS: -1}); err == nil {
		t.Error("a time before the epoch")
	}
}

// A receiver adds up what it gets, checksum included, to all ones (RFC 1071).
func TestChecksumsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Header{AddressOf(rapid.IntRange(0, 1<<20).Draw(t, "from")), AddressOf(3), 64, rapid.Uint16().Draw(t, "id")}
		payload := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "payload")
		for protocol, packet := range map[byte][]byte{
			protocolUDP: AppendUDP(nil, h, 50104, payload),
			protocolTCP: AppendTCP(nil, h, Segment{2404, 49152, rapid.Uint32().Draw(t, "seq"), 1}, payload),
		} {
			if fold(sum(0, packet[:ipBytes])) != 0 || h.checksum(protocol, packet[ipBytes:]) != 0 {
				t.Fatalf("checksums of %x", packet)
			}
			if int(binary.BigEndian.Uint16(packet[2:])) != len(packet) || !bytes.HasSuffix(packet, payload) {
				t.Fatalf("length or payload of %x", packet)
			}
		}
	})
}

func writeFile(t *testing.T, path string, again bool, packets int, whole bool) []byte {
	t.Helper()
	f, err := Create(path, "cosim", nil, again)
	if err != nil {
		t.Fatal(err)
	}
	f.Interface(Interface{Name: "one"})
	for i := range packets {
		if err := f.Packet(&Packet{AtNS: int64(i), Data: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(whole); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A file that is written again is never shorter than it was, until its end.
func TestFileIsWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcapng")
	want := writeFile(t, path, false, 300, true)
	if err := os.WriteFile(path, want[:len(want)*2/3], 0o600); err != nil { // as a kill leaves it
		t.Fatal(err)
	}
	if got := writeFile(t, path, true, 100, false); !bytes.Equal(got, want[:len(want)*2/3]) {
		t.Errorf("%d octets after an attempt that did not get as far, %d before", len(got), len(want)*2/3)
	}
	if got := writeFile(t, path, true, 300, true); !bytes.Equal(got, want) {
		t.Errorf("%d octets written again, %d before", len(got), len(want))
	}
	if got := writeFile(t, path, true, 10, true); len(blocks(t, got)) != 12 {
		t.Errorf("%d blocks in a whole file of 10 packets", len(blocks(t, got)))
	}
	if got := writeFile(t, path, false, 0, true); len(blocks(t, got)) != 2 {
		t.Errorf("%d blocks in a new file", len(blocks(t, got)))
	}
}

func BenchmarkPacket(b *testing.B) {
	w := NewWriter(io.Discard, "cosim", nil)
	w.Interface(Interface{Name: "one"})
	payload, data := make([]byte, 80), []byte(nil)
	b.ReportAllocs()
	b.SetBytes(80)
	for i := range b.N {
		data = AppendUDP(data[:0], Header{AddressOf(0), AddressOf(1), 64, uint16(i)}, 50104, payload)
		if err := w.Packet(&Packet{AtNS: int64(i), ID: uint64(i), Direction: Outbound, Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}
