package iec104

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// goldenRow is a row of testdata/golden_frames.csv by column name.
type goldenRow map[string]string

func goldenRows(t testing.TB) []goldenRow {
	t.Helper()
	f, err := os.Open("testdata/golden_frames.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	for _, r := range records[1:] {
		row := goldenRow{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func (r goldenRow) frame(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(r["apdu_hex"])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// number is a decimal or hexadecimal column, 0 if empty.
func (r goldenRow) number(t testing.TB, name string) int64 {
	t.Helper()
	if r[name] == "" {
		return 0
	}
	n, err := strconv.ParseInt(r[name], 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// apdu builds the frame from what an independent program read in it. Columns
// do not exist for the qualifiers of totals, of types 101 and 107 and for the
// test counter; those stand here.
func (r goldenRow) apdu(t testing.TB) APDU {
	t.Helper()
	a := APDU{SendSeq: uint16(r.number(t, "ns")), RecvSeq: uint16(r.number(t, "nr"))}
	switch r["format"] {
	case "U":
		a.Format = FormatU
		a.Function = map[int64]Function{1: StartDTAct, 2: StartDTCon, 0x20: TestFRCon}[r.number(t, "utype")]
		return a
	case "S":
		a.Format = FormatS
		return a
	}
	a.ASDU = ASDU{
		Type: TypeID(r.number(t, "typeid")), Sequence: r["sq"] == "1",
		Cause: Cause(r.number(t, "cot")), Negative: r["pn"] == "1",
		Originator: uint8(r.number(t, "oa")), CommonAddr: uint16(r.number(t, "ca")),
	}
	for i, ioa := range strings.Split(r["ioa"], "|") {
		one := goldenRow{"ioa": ioa}
		for name, value := range r {
			if parts := strings.Split(value, "|"); name != "ioa" {
				one[name] = parts[min(i, len(parts)-1)]
			}
		}
		a.ASDU.Objects = append(a.ASDU.Objects, one.object(t, a.ASDU.Type))
	}
	return a
}

func (r goldenRow) object(t testing.TB, id TypeID) Object {
	t.Helper()
	ioa := uint32(r.number(t, "ioa"))
	qds, qos := uint8(r.number(t, "qds")), uint8(r.number(t, "qos"))
	float, _ := strconv.ParseFloat(r["float"], 32)
	tag := TimeTag(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	switch id {
	case MSpNa1, MSpTb1:
		siq := uint8(r.number(t, "siq"))
		return SingleObject(ioa, siq&1 != 0, siq&0xf0).At(tag)
	case MDpNa1:
		diq := uint8(r.number(t, "diq"))
		return DoubleObject(ioa, diq&3, diq&0xf0)
	case MMeNc1, MMeTf1:
		return FloatObject(ioa, float32(float), qds).At(tag)
	case MMeTe1:
		return ScaledObject(ioa, int16(r.number(t, "scalval")), qds).At(tag)
	case MItNa1:
		return Object{IOA: ioa, Value: uint32(r.number(t, "bcr_count")), Qualifier: 5}
	case CScNa1:
		sco := uint8(r.number(t, "sco"))
		return SingleObject(ioa, sco&1 != 0, sco&Select)
	case CDcNa1:
		dco := uint8(r.number(t, "dco"))
		return DoubleObject(ioa, dco&3, dco&^3)
	case CSeNc1, CSeTc1:
		return FloatObject(ioa, float32(float), qos).At(tag)
	case CIcNa1:
		return QualifierObject(ioa, uint8(r.number(t, "qoi")))
	case CCiNa1:
		return QualifierObject(ioa, CounterInterrogation)
	case CRdNa1:
		return QualifierObject(ioa, 0)
	case CCsNa1:
		return QualifierObject(ioa, 0).At(tag)
	case CTsTa1:
		return Object{IOA: ioa, Value: 0x4938}.At(tag)
	}
	t.Fatalf("%v has no row here", id)
	return Object{}
}

func TestGoldenFramesEncodeFromTheirMeaning(t *testing.T) {
	for _, row := range goldenRows(t) {
		a := row.apdu(t)
		got, err := AppendAPDU(nil, &a)
		if want := row.frame(t); err != nil || !bytes.Equal(got, want) {
			t.Errorf("row %s: %x, %v, want %x", row["n"], got, err, want)
		}
	}
}

func TestGoldenFramesDecodeToTheirMeaning(t *testing.T) {
	var got APDU
	for _, row := range goldenRows(t) {
		if err := got.Decode(row.frame(t)); err != nil {
			t.Errorf("row %s: %v", row["n"], err)
			continue
		}
		want := row.apdu(t)
		if got.Format != want.Format || got.Function != want.Function || got.SendSeq != want.SendSeq || got.RecvSeq != want.RecvSeq {
			t.Errorf("row %s: %+v, want %+v", row["n"], got, want)
		}
		if want.Format != FormatI {
			continue
		}
		g, w := got.ASDU, want.ASDU
		if len(g.Objects) != len(w.Objects) {
			t.Errorf("row %s: %d objects, want %d", row["n"], len(g.Objects), len(w.Objects))
			continue
		}
		for i := range g.Objects {
			if !layouts[w.Type].time {
				w.Objects[i].Time = CP56Time2a{}
			}
			if g.Objects[i] != w.Objects[i] {
				t.Errorf("row %s, object %d: %+v, want %+v", row["n"], i, g.Objects[i], w.Objects[i])
			}
		}
		g.Objects, w.Objects = nil, nil
		if g.Type != w.Type || g.Sequence != w.Sequence || g.Cause != w.Cause || g.Negative != w.Negative ||
			g.Test != w.Test || g.Originator != w.Originator || g.CommonAddr != w.CommonAddr {
			t.Errorf("row %s: %+v, want %+v", row["n"], g, w)
		}
	}
}

// sessionFrames are the frames of the recorded session with their direction.
func sessionFrames(t testing.TB) (frames [][]byte, fromServer []bool) {
	t.Helper()
	pcap, err := os.ReadFile("testdata/lib60870_session_basic.pcap")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range readSegments(t, pcap) {
		parts, err := splitFrames(s.payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			frames, fromServer = append(frames, p), append(fromServer, s.fromPort == Port)
		}
	}
	return frames, fromServer
}

func TestRecordedSessionReencodesByteForByte(t *testing.T) {
	frames, _ := sessionFrames(t)
	if len(frames) != 18 {
		t.Fatalf("%d frames, want 18", len(frames))
	}
	var a APDU
	for i, f := range frames {
		if err := a.Decode(f); err != nil {
			t.Errorf("frame %d: %v", i, err)
			continue
		}
		if got, err := AppendAPDU(nil, &a); err != nil || !bytes.Equal(got, f) {
			t.Errorf("frame %d: %x, %v, want %x", i, got, err, f)
		}
	}
}

// Our association, fed with the recorded session, stamps the numbers that
// lib60870 stamped, at both ends.
func TestRecordedSessionKeepsOurSequenceNumbers(t *testing.T) {
	frames, fromServer := sessionFrames(t)
	var client, server Association
	var a APDU
	for i, f := range frames {
		if err := a.Decode(f); err != nil {
			t.Fatal(err)
		}
		from, to := &client, &server
		if fromServer[i] {
			from, to = to, from
		}
		var got []byte
		switch a.Format {
		case FormatI:
			got, _ = from.AppendI(nil, &a.ASDU)
		case FormatS:
			got = from.AppendS(nil)
		case FormatU:
			got = AppendU(nil, a.Function)
		}
		if !bytes.Equal(got, f) {
			t.Errorf("frame %d: we send %x, lib60870 %x", i, got, f)
		}
		if r := to.Receive(&a); r.Gap != 0 || !r.AckValid {
			t.Errorf("frame %d: %+v", i, r)
		}
	}
}
