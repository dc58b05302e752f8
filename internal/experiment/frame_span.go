package experiment

import (
	"fmt"
	"strings"
	"time"

	cosync "cosim/sync"
)

// FrameSpan is a part of a run whose frames are recorded, [From, To).
type FrameSpan struct {
	text     string
	from, to cosync.Time
}

// AllFrames is the FrameSpan of a whole run.
const AllFrames = "all"

// ParseFrameSpan reads "290s..300s", "290s" (the second from then on) or "all".
func ParseFrameSpan(text string) (FrameSpan, error) {
	s := FrameSpan{text: text, to: cosync.Never}
	if text == AllFrames {
		return s, nil
	}
	first, last, span := strings.Cut(text, "..")
	from, err := time.ParseDuration(first)
	to := from + time.Second
	if span && err == nil {
		to, err = time.ParseDuration(last)
	}
	switch {
	case err != nil || from < 0:
		return s, fmt.Errorf("%q is no span, expected a time (290s: the second that begins there), a span (290s..300s) or %s", text, AllFrames)
	case to <= from:
		return s, fmt.Errorf("%q ends before it begins", text)
	}
	s.from, s.to = simTime(from), simTime(to)
	return s, nil
}

// CheckFrameSpans says which of the spans lie behind the end of a run of d.
func CheckFrameSpans(d *Definition, spans []FrameSpan) error {
	for _, s := range spans {
		if s.from >= simTime(d.Duration) {
			return fmt.Errorf("no frames to record at %s: the run ends at %v", s.text, d.Duration)
		}
	}
	return nil
}

// frameSpans are the parts of a run that are recorded.
type frameSpans []FrameSpan

func (f frameSpans) have(atNS int64) bool {
	for i := range f {
		if at := cosync.Time(atNS); at >= f[i].from && at < f[i].to {
			return true
		}
	}
	return false
}
