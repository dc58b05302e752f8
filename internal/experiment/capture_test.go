package experiment

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cosync "cosim/sync"
)

func spans(t testing.TB, texts ...string) []FrameSpan {
	t.Helper()
	var list []FrameSpan
	for _, text := range texts {
		s, err := ParseFrameSpan(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// captured runs d and returns its result and the files about its frames.
func captured(t testing.TB, d *Definition, texts ...string) (*Result, map[string][]byte) {
	t.Helper()
	r, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), Frames: spans(t, texts...)})
	if err != nil {
		t.Fatal(err)
	}
	return r, filesOfFrames(t, r.Dir)
}

func filesOfFrames(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{framesName, wireName, apdusName} {
		data, err := os.ReadFile(filepath.Join(dir, framesFolder, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

// packetsOf returns the packet blocks of a capture, and when each is.
func packetsOf(t testing.TB, file []byte) (blocks [][]byte, atNS []int64) {
	t.Helper()
	for u32 := binary.LittleEndian.Uint32; len(file) > 0; {
		n := u32(file[4:])
		if b := file[:n]; u32(b) == 6 {
			blocks, atNS = append(blocks, b), append(atNS, int64(u32(b[12:]))<<32|int64(u32(b[16:])))
		}
		file = file[n:]
	}
	return blocks, atNS
}

// besieged has a broken link and adversaries of every kind.
func besieged(t testing.TB) *Definition {
	return load(t, "S-2", "duration=8s", "disturbances.contingencies.count=0", "disturbances.surges.count=0",
		"disturbances.scheduled=[{at: 2s, kind: link-break, link: CC-GW4, duration: 2s}]",
		`attacks=[{kind: tamper, link: CC-GW1, probability: 0.1, flip_bits: 3}, {kind: replay, link: CC-GW2, probability: 0.1, delay_s: 0.02},
		{kind: inject, link: CC-GW2, rate_per_s: 5}, {kind: delay, link: CC-GW3, probability: 0.1, delay_s: 0.2},
		{kind: drop, link: CC-GW4, probability: 0.1}, {kind: tamper, link: CC-GW2, probability: 0.1}]`)
}

func TestSameSeedSameCapture(t *testing.T) {
	_, want := captured(t, besieged(t), AllFrames)
	_, got := captured(t, besieged(t), AllFrames)
	for name := range want {
		if len(want[name]) == 0 || !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s of %d and %d bytes", name, len(want[name]), len(got[name]))
		}
	}
}

func TestRecordingFramesChangesNothingElse(t *testing.T) {
	plain, err := Run(context.Background(), besieged(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := captured(t, besieged(t), AllFrames)
	sameFiles(t, "captured", filesOfRun(t, r.Dir), filesOfRun(t, plain.Dir))
	if _, err := os.Stat(filepath.Join(plain.Dir, framesFolder)); !os.IsNotExist(err) || plain.Frames != nil {
		t.Errorf("a run that records no frames has %s: %v", framesFolder, err)
	}
}

// Comments tell of every frame that was dropped or attacked.
func TestCommentsAgreeWithTheFigures(t *testing.T) {
	r, files := captured(t, besieged(t), AllFrames)
	count := func(text string) int64 { return int64(bytes.Count(files[wireName], []byte(text))) }
	a := r.Summary.Attacks
	for text, want := range map[string]int64{
		"adversary: tampered": a.Tampered, "adversary: replayed": a.Replayed, "adversary: injected": a.Injected,
		"then tampered": a.Tampered, "then replayed": a.Replayed, "then delayed": a.Delayed, "dropped: intercepted": a.Dropped,
	} {
		if got := count(text); got != want || want == 0 {
			t.Errorf("%d packets %q, the figures have %d", got, text, want)
		}
	}
	lost := count("dropped: ") + count("not sent: ")
	if want := r.Summary.Conservation.Frames.Dropped; lost != want || count("link-down") == 0 {
		t.Errorf("%d packets are lost, %d of them with a link; the figures have %d", lost, count("link-down"), want)
	}
	blocks, at := packetsOf(t, files[wireName])
	for i := range at {
		if i > 0 && at[i] < at[i-1] {
			t.Fatalf("packet %d at %d ns follows one at %d ns", i, at[i], at[i-1])
		}
	}
	if plain, _ := packetsOf(t, files[apdusName]); int64(len(blocks)) != r.Frames.Packets || int64(len(plain)) != r.Frames.APDUs {
		t.Errorf("%d packets and %d APDUs, counted %+v", len(blocks), len(plain), r.Frames)
	}
}

// Part of a run is recorded as in the whole.
func TestSpansArePartsOfTheWhole(t *testing.T) {
	d := besieged(t)
	_, whole := captured(t, d, AllFrames)
	_, parts := captured(t, d, "1500ms..3s", "6s")
	for _, name := range []string{wireName, apdusName} {
		blocks, at := packetsOf(t, whole[name])
		var want int
		var within [][]byte
		for i := range blocks {
			if at[i] >= 1.5e9 && at[i] < 3e9 || at[i] >= 6e9 && at[i] < 7e9 {
				want++
				within = append(within, blocks[i])
			}
		}
		got, _ := packetsOf(t, parts[name])
		if len(got) != want || want == 0 {
			t.Errorf("%s has %d packets, the whole has %d then", name, len(got), want)
		}
		if name == wireName && !bytes.Equal(bytes.Join(got, nil), bytes.Join(within, nil)) {
			t.Errorf("%s: packets of the parts are not those of the whole", name)
		}
	}
}

// A run that is cut anywhere, or interrupted, leaves a beginning of its
// captures, and resumed what the uninterrupted one would have left.
func TestCapturesOfResumedRuns(t *testing.T) {
	d := besieged(t)
	_, want := captured(t, d, "1s..5s", "6s..7s")
	for _, at := range []cosync.Time{cosync.Second / 2, 3 * cosync.Second, 3330 * cosync.Millisecond} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Run(ctx, d, RunOptions{
			Out: t.TempDir(), Frames: spans(t, "1s..5s", "6s..7s"), Observers: []cosync.Observer{until(at, cancel)},
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for name, have := range filesOfFrames(t, r.Dir) {
			if !bytes.HasPrefix(want[name], have) || len(have) == 0 {
				t.Errorf("at %v: %s of %d bytes is no beginning", at, name, len(have))
			}
		}
		cut := filepath.Join(r.Dir, framesFolder, wireName)
		if err := os.Truncate(cut, int64(len(filesOfFrames(t, r.Dir)[wireName])*2/3)); err != nil { // as a kill may leave it
			t.Fatal(err)
		}
		if _, err := Resume(context.Background(), r.Dir, RepeatOptions{}); err != nil {
			t.Fatal(err)
		}
		for name, have := range filesOfFrames(t, r.Dir) {
			if !bytes.Equal(have, want[name]) {
				t.Errorf("at %v: %s of %d bytes instead of %d", at, name, len(have), len(want[name]))
			}
		}
	}
}

func TestSpansOfFramesAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"some": "no span", "3s..": "no span", "-1s": "no span", "..3s": "no span", "3s..3s": "ends before it begins", "": "no span",
	} {
		if _, err := ParseFrameSpan(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
	d := load(t, "S-2", "duration=8s", "disturbances.contingencies.count=0")
	if err := CheckFrameSpans(d, spans(t, "7s..20s", AllFrames)); err != nil {
		t.Error(err)
	}
	if err := CheckFrameSpans(d, spans(t, "8s")); err == nil {
		t.Error("a span behind the end of the run")
	}
}

func TestFramesOfOtherProgramsCannotBeRecorded(t *testing.T) {
	if err := (&frameRecorder{}).hook(nil); err == nil || !strings.Contains(err.Error(), "other programs simulate") {
		t.Errorf("without network and control centre: %v", err)
	}
}
