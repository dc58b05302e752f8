package experiment

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"cosim/internal/record"
	cosync "cosim/sync"
)

// Verification says whether two runs exchanged the same.
type Verification struct {
	Runs   [2]string `json:"runs"`
	Equal  bool      `json:"equal"`
	Frames int64     `json:"frames"`        // that are equal, the start included
	UntilS float64   `json:"until_s"`       // of simulated time, the end of the last frame that is equal
	Sum    string    `json:"sum,omitempty"` // the hash over all frames of runs that are equal, if they ended
	// Ended says which of the runs has no further frame, where one is shorter.
	Ended      string      `json:"ended,omitempty"`
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is the first frame in which two runs differ.
type Difference struct {
	Seq     int64    `json:"step"` // -1 for the outputs at time zero
	AtS     float64  `json:"at_s"`
	Outputs []string `json:"outputs"` // those that differ, causes before effects
	// What is the first thing that differs in the first of them, found by
	// making both runs again; Unknown is why it could not be.
	What    string `json:"what,omitempty"`
	Unknown string `json:"unknown,omitempty"`

	at cosync.Time
}

// String tells a person what was found.
func (v *Verification) String() string {
	a, b := v.Runs[0], v.Runs[1]
	until := fmt.Sprintf("%d frames up to %v s", v.Frames, v.UntilS)
	switch d := v.Difference; {
	case v.Equal && v.Sum == "":
		return fmt.Sprintf("%s and %s are equal as far as they go: %s", a, b, until)
	case v.Equal:
		return fmt.Sprintf("%s and %s are equal: %s\nsum %s", a, b, until, v.Sum)
	case d == nil:
		return fmt.Sprintf("%s is the shorter; they are equal as far as it goes: %s", v.Ended, until)
	default:
		text := fmt.Sprintf("%s and %s differ first in %s: %s", a, b, stepName(d.Seq, d.at), someNames(d.Outputs))
		if d.What != "" {
			text += "\n" + d.What + " (the second run instead of the first)"
		}
		if d.Unknown != "" {
			text += "\nthe values cannot be had: " + d.Unknown
		}
		return text
	}
}

// Verify compares the records of what two runs exchanged and names the first
// difference. To tell its values it makes both runs again up to there.
func Verify(ctx context.Context, a, b string) (*Verification, error) {
	v := &Verification{Runs: [2]string{a, b}}
	var logs [2]*record.ChainReader
	for i, dir := range v.Runs {
		if !record.IsRun(dir) {
			return nil, NoRunError{Dir: dir}
		}
		var err error
		if logs[i], err = record.OpenChain(dir); err != nil {
			return nil, err
		}
		defer logs[i].Close()
	}
	if x, y := logs[0].Outputs(), logs[1].Outputs(); !slices.Equal(x, y) {
		v.Difference = &Difference{Seq: -1, Outputs: onlyInOne(x, y), Unknown: "only one of the runs has these outputs"}
		if len(v.Difference.Outputs) == 0 {
			v.Difference.Unknown = ""
		}
		return v, nil
	}
	if x, y := logs[0].StepNS(), logs[1].StepNS(); x != y {
		return nil, fmt.Errorf("verify: %s has steps of %v, %s of %v", a, cosync.Time(x), b, cosync.Time(y))
	}
	if err := v.compare(logs); err != nil {
		return nil, err
	}
	if d := v.Difference; d != nil && len(d.Outputs) > 0 {
		d.What, d.Unknown = valuesThatDiffer(ctx, v.Runs, d.Seq, d.Outputs[0])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// compare walks two logs side by side.
func (v *Verification) compare(logs [2]*record.ChainReader) error {
	for {
		var digests [2]*record.Digest
		for i, log := range logs {
			var err error
			if digests[i], err = log.Next(); err != nil && err != io.EOF {
				return err
			}
		}
		switch x, y := digests[0], digests[1]; {
		case x == nil && y == nil:
			v.Equal = true
			ends := [2]*record.ChainEnd{logs[0].End(), logs[1].End()}
			if ends[0] != nil && ends[1] != nil {
				v.Sum = hex.EncodeToString(ends[0].Sum[:])
				if ends[0].Sum != ends[1].Sum {
					return fmt.Errorf("verify: the sums of %s and %s differ although no frame does: a log was changed", v.Runs[0], v.Runs[1])
				}
			}
			return nil
		case x == nil:
			v.Ended = v.Runs[0]
			return nil
		case y == nil:
			v.Ended = v.Runs[1]
			return nil
		default:
			if differ := differingOutputs(logs[0].Outputs(), x, y); differ != nil {
				at := cosync.Time(max(0, v.Frames-1) * logs[0].StepNS())
				v.Difference = &Difference{Seq: v.Frames - 1, AtS: at.Seconds(), Outputs: differ, at: at}
				return nil
			}
		}
		v.UntilS = cosync.Time(v.Frames * logs[0].StepNS()).Seconds()
		v.Frames++
	}
}

// valuesThatDiffer makes two runs again up to a step and compares an output.
func valuesThatDiffer(ctx context.Context, runs [2]string, seq int64, output string) (what, unknown string) {
	var found [2]cosync.Output
	for i, dir := range runs {
		var err error
		if found[i], err = outputIn(ctx, dir, seq, output); err != nil {
			return "", fmt.Sprintf("%s cannot be made again: %v", dir, err)
		}
	}
	a, b := &found[0], &found[1]
	if a.Fresh != b.Fresh || a.Port.Unit != b.Port.Unit || !slices.Equal(a.Port.Elements, b.Port.Elements) {
		return fmt.Sprintf("%s has another description or step", output), ""
	}
	return signalDifference(&a.Port, &a.Signal, &b.Signal), ""
}

// outputIn repeats a run up to a step and returns what an output held there.
func outputIn(ctx context.Context, dir string, seq int64, output string) (cosync.Output, error) {
	p := &probe{seq: seq, output: output}
	o := RepeatOptions{RunOptions: RunOptions{Observers: []cosync.Observer{p}}}
	if _, err := Replay(ctx, dir, o); !errors.Is(err, errProbed) {
		if err == nil {
			err = errors.New("it ends before that step")
		}
		return p.found, err
	}
	return p.found, nil
}

// errProbed ends a run that was only made to be looked into.
var errProbed = errors.New("found")

// probe is an observer that takes an output at a step.
type probe struct {
	seq    int64
	output string
	found  cosync.Output
}

func (p *probe) Begin(f *cosync.Frame) error { return p.Observe(f) }
func (p *probe) End(error) error             { return nil }

func (p *probe) Observe(f *cosync.Frame) error {
	if f.Seq != p.seq {
		return nil
	}
	i, ok := f.Index(p.output)
	if !ok {
		return fmt.Errorf("no output %s", p.output)
	}
	p.found = f.Outputs[i]
	p.found.Values = slices.Clone(p.found.Values)
	p.found.Messages = slices.Clone(p.found.Messages)
	p.found.Events = slices.Clone(p.found.Events)
	return errProbed
}
