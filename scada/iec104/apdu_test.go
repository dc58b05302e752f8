package iec104

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawASDU draws any ASDU that the format can carry.
func drawASDU(t *rapid.T) ASDU {
	a := ASDU{
		Type:       rapid.SampledFrom(Types()).Draw(t, "type"),
		Cause:      Cause(rapid.IntRange(0, 63).Draw(t, "cause")),
		Negative:   rapid.Bool().Draw(t, "negative"),
		Test:       rapid.Bool().Draw(t, "test"),
		Originator: rapid.Byte().Draw(t, "originator"),
		CommonAddr: rapid.Uint16().Draw(t, "common address"),
	}
	l := &layouts[a.Type]
	a.Sequence = l.sequenceAllowed() && rapid.Bool().Draw(t, "sequence")
	most := 1
	for !l.single && most < maxObjects && l.asduSize(most+1, a.Sequence) <= MaxLength-minLength {
		most++
	}
	n := rapid.IntRange(1, most).Draw(t, "objects")
	first := rapid.Uint32Range(0, maxIOA-uint32(n)).Draw(t, "first address")
	for i := range n {
		o := Object{IOA: first + uint32(i)}
		if !a.Sequence {
			o.IOA = rapid.Uint32Range(0, maxIOA).Draw(t, "address")
		}
		o.Value = uint32(rapid.Uint64Range(0, 1<<(8*l.value)-1).Draw(t, "value"))
		if l.qualifier {
			o.Qualifier = rapid.Byte().Draw(t, "qualifier")
		}
		if l.time {
			o.Time = CP56Time2a(rapid.SliceOfN(rapid.Byte(), 7, 7).Draw(t, "time"))
		}
		a.Objects = append(a.Objects, o)
	}
	return a
}

func TestEveryFrameDecodesToWhatWasEncoded(t *testing.T) {
	var got APDU // reused, so that nothing of one frame may stay in the next
	rapid.Check(t, func(t *rapid.T) {
		want := APDU{
			SendSeq: rapid.Uint16Range(0, seqModulo-1).Draw(t, "ns"),
			RecvSeq: rapid.Uint16Range(0, seqModulo-1).Draw(t, "nr"),
			ASDU:    drawASDU(t),
		}
		frame, err := AppendAPDU([]byte("before"), &want)
		if err != nil {
			t.Fatal(err)
		}
		frame = frame[len("before"):]
		if n, err := FrameLen(frame); n != len(frame) || err != nil || n > 2+MaxLength {
			t.Fatalf("length %d of %d, %v", n, len(frame), err)
		}
		if err := got.Decode(frame); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFullestFramesFit(t *testing.T) {
	for _, c := range []struct {
		id       TypeID
		sequence bool
		fit      int
	}{
		{MSpNa1, false, 60}, {MSpNa1, true, 127}, {MMeNc1, false, 30}, {MMeNc1, true, 48}, {MMeTf1, false, 16},
	} {
		a := ASDU{Type: c.id, Sequence: c.sequence, Cause: Spontaneous}
		for i := range c.fit + 1 {
			if len(a.Objects) == c.fit {
				if f, err := AppendI(nil, 0, 0, &a); err != nil || len(f) > 255 {
					t.Errorf("%v, %d objects: %d octets, %v", c.id, c.fit, len(f), err)
				}
			}
			a.Objects = append(a.Objects, Object{IOA: uint32(i)})
		}
		if _, err := AppendI(nil, 0, 0, &a); err == nil {
			t.Errorf("%v, SQ %t: %d objects fit", c.id, c.sequence, c.fit+1)
		}
	}
}

func TestMalformedFramesSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct{ frame, want string }{
		{"", "frame at octet 0: found 0 octets, expected at least 6"},
		{"690407000000", "start at octet 0: found 0x69, expected 0x68"},
		{"6803070000", "length at octet 1: found 3, expected 4 to 253"},
		{"68fe07", "length at octet 1: found 254, expected 4 to 253"},
		{"6804070000", "frame at octet 1: found 5 octets, expected 6 by its length octet"},
		{"68040700000000", "frame at octet 1: found 7 octets, expected 6 by its length octet"},
		{"68040f000000", "U frame at octet 2: found 04 0f 00 00 00, expected 04, one function and three zeros"},
		{"680407000200", "U frame at octet 2: found 04 07 00 02 00, expected 04, one function and three zeros"},
		{"680405001000", "S frame at octet 2: found 04 05 00 10 00, expected 04 01 00 and N(R)"},
		{"680401001100", "S frame at octet 2: found 04 01 00 11 00, expected 04 01 00 and N(R)"},
		{"680500000000" + "64", "length at octet 1: found 5, expected at least 13 in an I frame"},
		{"680e00000100" + "64010600010000000014", "control octet 3 at octet 4: found 0x01, expected bit 0 clear"},
		{"680e00000000" + "02010600010000000014", "type at octet 6: found type 2, expected a type of the table"},
		{"680e00000000" + "64020600010000000014", "number of objects at octet 7: found 2, expected 1 for C_IC_NA_1"},
		{"680e00000000" + "01000600010000000014", "number of objects at octet 7: found 0, expected 1 to 127"},
		{"680e00000000" + "64810600010000000014", "SQ at octet 7: found 1, expected 0 for C_IC_NA_1"},
		{"680f00000000" + "6401060001000000001400", "length at octet 1: found 15, expected 14 for 1 objects of C_IC_NA_1"},
		{"680f00000000" + "018203000100ffffff0001", "object address at octet 12: found 16777216, expected at most 16777215 in a sequence"},
	} {
		b, err := hex.DecodeString(c.frame)
		if err != nil {
			t.Fatal(err)
		}
		var a APDU
		if err := a.Decode(b); err == nil || err.Error() != "iec104: "+c.want {
			t.Errorf("%s: %v, want %s", c.frame, err, c.want)
		}
	}
}

func TestWhatTheFormatCannotCarryIsNotEncoded(t *testing.T) {
	one := []Object{{IOA: 1}}
	for _, c := range []struct {
		a    APDU
		want string
	}{
		{APDU{Format: 3}, "format"},
		{APDU{Format: FormatU, Function: 0x0f}, "U function"},
		{APDU{ASDU: ASDU{Type: 2, Objects: one}}, "type at octet 6: found type 2"},
		{APDU{ASDU: ASDU{Type: MSpNa1}}, "number of objects at octet 7: found 0, expected 1 to 127"},
		{APDU{ASDU: ASDU{Type: MSpNa1, Objects: make([]Object, 128)}}, "number of objects at octet 7: found 128"},
		{APDU{ASDU: ASDU{Type: CScNa1, Objects: make([]Object, 2)}}, "number of objects at octet 7: found 2, expected 1 for C_SC_NA_1"},
		{APDU{ASDU: ASDU{Type: MSpTb1, Sequence: true, Objects: one}}, "SQ at octet 7: found 1, expected 0 for M_SP_TB_1"},
		{APDU{ASDU: ASDU{Type: MSpNa1, Cause: 64, Objects: one}}, "cause at octet 8: found 64"},
		{APDU{ASDU: ASDU{Type: MSpNa1, Objects: []Object{{IOA: 1 << 24}}}}, "object address at octet 12: found 16777216"},
		{APDU{ASDU: ASDU{Type: MSpNa1, Sequence: true, Objects: []Object{{IOA: 1}, {IOA: 3}}}}, "found 3, expected 2 in a sequence"},
		{APDU{ASDU: ASDU{Type: MMeNb1, Objects: []Object{{Value: 1 << 16}}}}, "value at octet 12: found 65536, expected at most 2 octets"},
		{APDU{ASDU: ASDU{Type: CIcNa1, Objects: []Object{{Value: 1}}}}, "value at octet 12: found 1, expected at most 0 octets"},
	} {
		got, err := AppendAPDU([]byte("dst"), &c.a)
		var format *FormatError
		if err == nil || !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.a, err, c.want)
		}
		if string(got) != "dst" {
			t.Errorf("%+v: dst changed to %q", c.a, got)
		}
	}
}

// The header of an unknown type is still read, so that the station can answer.
func TestUnknownTypeIsAnsweredWithItsOwnFrame(t *testing.T) {
	frame, _ := hex.DecodeString("680e" + "0e001400" + "7f018603e903000102" + "63")
	var a APDU
	if err := a.Decode(frame); !errors.Is(err, ErrUnknownType) {
		t.Fatalf("%v, want an unknown type", err)
	}
	if a.SendSeq != 7 || a.RecvSeq != 10 || a.ASDU.CommonAddr != 1001 || a.ASDU.Cause != Activation || !a.ASDU.Test || a.ASDU.Originator != 3 {
		t.Errorf("header %+v", a)
	}
	s := Association{sendNext: 300, recvNext: 8}
	got, err := s.AppendRejection([]byte("dst"), frame, UnknownType)
	if want, _ := hex.DecodeString("680e" + "58021000" + "7f01ec03e903000102" + "63"); err != nil || !bytes.Equal(got[3:], want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
	if s.sendNext != 301 {
		t.Errorf("N(S) %d after the rejection, want 301", s.sendNext)
	}
	for _, bad := range [][]byte{nil, frame[:10], AppendU(nil, TestFRAct), {0}} {
		if got, err := s.AppendRejection([]byte("dst"), bad, UnknownType); err == nil || string(got) != "dst" {
			t.Errorf("rejects %x as %x", bad, got)
		}
	}
}

// lib60870 rejects an unknown object address exactly so (golden rows 56, 57).
func TestRejectionMatchesTheReference(t *testing.T) {
	rows := map[string]goldenRow{}
	for _, r := range goldenRows(t) {
		rows[r["n"]] = r
	}
	got, err := AppendRejection(nil, 36, 16, rows["56"].frame(t), UnknownObjectAddr)
	if want := rows["57"].frame(t); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

func TestFrameLenWaitsForTwoOctets(t *testing.T) {
	for _, b := range [][]byte{nil, {0x68}} {
		if n, err := FrameLen(b); n != 0 || err != nil {
			t.Errorf("%x: %d, %v", b, n, err)
		}
	}
}

func TestConfirmations(t *testing.T) {
	for act, con := range map[Function]Function{StartDTAct: StartDTCon, StopDTAct: StopDTCon, TestFRAct: TestFRCon} {
		if got, ok := act.Confirmation(); !ok || got != con {
			t.Errorf("%v is confirmed by %v, %t", act, got, ok)
		}
		if _, ok := con.Confirmation(); ok {
			t.Errorf("%v is itself confirmed", con)
		}
	}
	if StartDTAct.String() != "STARTDT act" || Function(1).String() != "function 0x01" {
		t.Error("names")
	}
}

func TestTypesHaveTheStandardsNames(t *testing.T) {
	if len(Types()) != 26 || MMeTf1.String() != "M_ME_TF_1" || TypeID(2).String() != "type 2" || TypeID(2).Known() {
		t.Errorf("%d types: %v", len(Types()), Types())
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range goldenRows(f) {
		f.Add(r.frame(f))
	}
	frames, _ := sessionFrames(f)
	for _, b := range frames {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, again APDU
		if err := a.Decode(b); err != nil {
			var format *FormatError
			if !errors.As(err, &format) || format.Offset < 0 || format.Expected == "" {
				t.Fatalf("error without place or expectation: %v", err)
			}
			return
		}
		encoded, err := AppendAPDU(nil, &a)
		if err != nil {
			t.Fatalf("decoded %+v, cannot encode it: %v", a, err)
		}
		// Nothing is normalised on the way: every accepted octet is kept.
		if !bytes.Equal(encoded, b) {
			t.Fatalf("%x decodes and encodes to %x", b, encoded)
		}
		if err := again.Decode(encoded); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAFrameHoldsMaxObjectsAndNoMore(t *testing.T) {
	for _, id := range Types() {
		for _, sequence := range []bool{false, true} {
			most := id.MaxObjects(sequence)
			for n, fits := range map[int]bool{most: most > 0, most + 1: false} {
				a := ASDU{Type: id, Sequence: sequence, Cause: Spontaneous, CommonAddr: 1, Objects: make([]Object, n)}
				for i := range a.Objects {
					a.Objects[i].IOA = uint32(i)
				}
				if _, err := AppendI(nil, 0, 0, &a); (err == nil) != fits {
					t.Errorf("%v, sequence %v: %d objects with at most %d: %v", id, sequence, n, most, err)
				}
			}
		}
	}
}
