package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"cosim/federates"
	"cosim/internal/record"
	"cosim/internal/record/capture"
	"cosim/network"
	cosync "cosim/sync"
)

// Names of what is recorded of frames in a run's folder.
const (
	framesFolder = "frames"
	framesName   = "frames.json"
	wireName     = "wire.pcapng"
	apdusName    = "iec104.pcapng"
	q3pName      = "q3p.lua"
)

// FrameCount is what was recorded of frames.
type FrameCount struct {
	Dir     string
	Packets int64 // on links, in wire.pcapng
	APDUs   int64 // in iec104.pcapng
}

// framesFile is the content of frames.json.
type framesFile struct {
	Spans     []string          `json:"spans"`
	Port      int               `json:"q3p_udp_port"`
	Addresses map[string]string `json:"addresses"` // by node
}

// frameRecorder writes the frames of a run's network, sealed and plain, each
// as a capture. It hears of them from the federates that send and carry them:
// what another program simulates cannot be recorded.
type frameRecorder struct {
	dir   string
	again bool // the captures of a resumed run
	spans frameSpans
	net   network.Config
	wire  *wireCapture // nil without the built-in network
	apdus *apduCapture // nil without the built-in control centre
}

func (f *framesFile) encode(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// newFrameRecorder is nil where there is nothing to record or no folder. A run
// that is resumed goes on with what it recorded.
func newFrameRecorder(d *Definition, dir string, feds []cosync.Federate, o RunOptions) (*frameRecorder, error) {
	r := &frameRecorder{spans: o.Frames, net: d.networkConfig()}
	r.dir = filepath.Join(dir, framesFolder)
	if o.past != nil && o.past.resume {
		var err error
		if r.spans, err = recordedSpans(r.dir); err != nil {
			return nil, err
		}
		r.again = true
	} else if o.Out == "" {
		return nil, nil
	}
	if len(r.spans) == 0 {
		return nil, nil
	}
	return r, r.hook(feds)
}

// recordedSpans are those that a run was to record; none if it was to record
// no frames.
func recordedSpans(dir string) (frameSpans, error) {
	name := filepath.Join(dir, framesName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	var f framesFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", name, err)
	}
	var spans frameSpans
	for _, text := range f.Spans {
		s, err := ParseFrameSpan(text)
		if err != nil {
			return nil, fmt.Errorf("experiment: %s: %w", name, err)
		}
		spans = append(spans, s)
	}
	return spans, nil
}

// hook has the federates tell of their frames, before the first step.
func (r *frameRecorder) hook(feds []cosync.Federate) error {
	for _, f := range feds {
		switch f := f.(type) {
		case *federates.Network:
			r.wire = newWireCapture(r.spans)
			f.Engine().OnPass(r.wire.passed)
			f.Engine().OnFate(r.wire.fated)
		case *federates.Scada:
			r.apdus = newAPDUCapture(r.spans, r.net.Nodes)
			f.OnUtterance(r.apdus.uttered)
		}
	}
	if r.wire == nil && r.apdus == nil {
		return errors.New("experiment: other programs simulate network and control centre of this run: its frames cannot be recorded")
	}
	return nil
}

// Begin implements sync.Observer.
func (r *frameRecorder) Begin(*cosync.Frame) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("experiment: record frames: %w", err)
	}
	names, content := r.names()
	script := func(out io.Writer) error { _, err := out.Write(capture.Q3PDissector); return err }
	err := errors.Join(
		record.ReplaceFile(filepath.Join(r.dir, framesName), content.encode),
		record.ReplaceFile(filepath.Join(r.dir, q3pName), script))
	if err != nil {
		return fmt.Errorf("experiment: record frames: %w", err)
	}
	create := func(name string) (*capture.File, error) {
		return capture.Create(filepath.Join(r.dir, name), "cosim", names, r.again)
	}
	if r.wire != nil {
		if r.wire.file, err = create(wireName); err != nil {
			return err
		}
		for _, l := range r.net.Links {
			r.wire.file.Interface(capture.Interface{
				Name: l.Name, SpeedBPS: uint64(l.RateBPS), Description: "outbound from " + l.A + " to " + l.B,
			})
		}
	}
	if r.apdus != nil {
		if r.apdus.file, err = create(apdusName); err != nil {
			return err
		}
		r.apdus.file.Interface(capture.Interface{Name: "IEC 104", Description: "plain APDUs as their senders hand them over; TCP is put around them"})
	}
	return nil
}

// names are those of all nodes, for the captures and for frames.json.
func (r *frameRecorder) names() ([]capture.Name, *framesFile) {
	f := &framesFile{Port: capture.Q3PPort, Addresses: map[string]string{}}
	for _, s := range r.spans {
		f.Spans = append(f.Spans, s.text)
	}
	var names []capture.Name
	for i, n := range r.net.Nodes {
		a := capture.AddressOf(i)
		names = append(names, capture.Name{Address: a, Name: n.Name})
		f.Addresses[n.Name] = a.String()
	}
	return names, f
}

// Observe implements sync.Observer.
func (r *frameRecorder) Observe(f *cosync.Frame) error {
	var err error
	if r.wire != nil {
		err = r.wire.settle(int64(f.To))
	}
	if r.apdus != nil {
		err = errors.Join(err, r.apdus.pace())
	}
	return err
}

// End implements sync.Observer. A run that did not come to its end may be
// resumed: what is still under way is left to that.
func (r *frameRecorder) End(cause error) error {
	var err error
	whole := cause == nil
	if r.wire != nil && r.wire.file != nil {
		if whole {
			err = r.wire.writeAll()
		}
		err = errors.Join(err, r.wire.file.Close(whole))
	}
	if r.apdus != nil && r.apdus.file != nil {
		err = errors.Join(err, r.apdus.file.Close(whole))
	}
	return err
}

// count is nil where nothing was recorded.
func (r *frameRecorder) count() *FrameCount {
	if r == nil {
		return nil
	}
	c := &FrameCount{Dir: r.dir}
	if r.wire != nil {
		c.Packets = r.wire.written
	}
	if r.apdus != nil {
		c.APDUs = r.apdus.written
	}
	return c
}
