//go:build integration

package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/internal/record"
	cosync "cosim/sync"
)

// references are the files of runs in which nobody cheats, by who takes part.
type references struct {
	dir  string
	mu   sync.Mutex
	made map[string]func() map[string][]byte
}

// compared are files in which a policy or a deadline does not show.
var compared = []string{"chain.log", "boundary.log", "series.parquet", "events.parquet"}

func (r *references) of(t *testing.T, c *trial) map[string][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.Join(c.members, "-")
	if r.made[key] == nil {
		r.made[key] = sync.OnceValue(func() map[string][]byte {
			honest := &trial{members: c.members, cheat: -1}
			for range c.members {
				honest.codecs = append(honest.codecs, ws.JSON)
			}
			p := honest.play(t, filepath.Join(r.dir, key))
			if p.err != nil {
				t.Error(p.err)
			}
			return filesOfRun(t, filepath.Join(r.dir, key, "S-2-1"))
		})
	}
	return r.made[key]()
}

// playedOut is what came of a trial.
type playedOut struct {
	dir    string
	err    error
	lost   []cosync.Loss
	held   time.Duration // for which the federation was held up at most
	took   time.Duration // after its end, or in all if it did not begin
	others []error
	told   *ws.Error // to the trickster
}

// play carries a trial out.
func (c *trial) play(t *testing.T, out string) *playedOut {
	t.Helper()
	var tokens string
	if c.token != "" {
		tokens = filepath.Join(t.TempDir(), "tokens")
		var text strings.Builder
		for _, m := range c.members {
			fmt.Fprintln(&text, connectName(m), c.token)
		}
		if err := os.WriteFile(tokens, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := c.settings(tokens)
	d := load(t, "S-2", set...)
	casts := make([]cosync.Federate, len(c.members))
	for i, m := range c.members {
		casts[i] = castMember(t, d, m)
	}
	p := &playedOut{others: make([]error, len(c.members))}
	over := make(chan struct{}) // closed when the run has ended
	var peers sync.WaitGroup
	started := false
	watch := &clockwork{last: time.Now()}
	res, err := Run(context.Background(), d, RunOptions{
		Out: out, Observers: []cosync.Observer{watch}, OnLost: func(l cosync.Loss) { p.lost = append(p.lost, l) },
		OnWait: func(names, urls []string) {
			if started {
				return
			}
			started = true
			for i, m := range c.members {
				url := urls[slices.Index(names, connectName(m))]
				peers.Go(func() {
					if i == c.cheat {
						p.told = c.deceive(t, url, casts[i], set, over)
						return
					}
					p.others[i] = client.Run(context.Background(), url, casts[i], client.Options{Codec: c.codecs[i], Token: c.token, Patience: -1})
				})
			}
		},
	})
	p.took = time.Since(watch.last)
	close(over)
	peers.Wait()
	p.err, p.held = err, watch.longest
	if res != nil {
		p.dir = res.Dir
	}
	return p
}

// deceive plays the trickster.
func (c *trial) deceive(t *testing.T, url string, f cosync.Federate, set []string, over <-chan struct{}) *ws.Error {
	if c.trick.signal != 0 {
		end, err := child(childWork{url, c.token, c.codecs[c.cheat].Protocol(), c.members[c.cheat], strings.Join(set, "\n"), c.seq, c.place, c.trick.signal})
		if err != nil {
			t.Error(err)
			return nil
		}
		<-over
		end()
		return nil
	}
	p := newTrickster(url, c.token, c.codecs[c.cheat], f, c.place)
	defer p.leave()
	if c.trick.first {
		c.trick.do(p)
		p.told = nil
		if p.enter(p.resume) {
			p.behave(-2)
		}
		return p.told
	}
	if p.enter("") && p.behave(c.seq) {
		p.begin()
		c.trick.do(p)
	}
	return p.told
}

// run carries a trial out and judges what came of it.
func (c *trial) run(t *testing.T, refs *references) (outcome int) {
	want := refs.of(t, c)
	p := c.play(t, t.TempDir())
	limit := campaignSlack
	if c.trick.hasty {
		limit += hastily
	}
	if c.trick.grace == briefly {
		limit += briefly
	}
	if p.held > limit || p.took > limit {
		t.Errorf("the federation was held up for %v (%v at its end), expected %v at most", p.held, p.took, limit)
	}
	for i, err := range p.others {
		if err != nil {
			t.Errorf("%s: %v", c.members[i], err)
		}
	}
	seq, lost := c.lostAt()
	if !lost {
		if p.err != nil || len(p.lost) > 0 {
			t.Fatalf("somebody noticed: %v, lost %v", p.err, p.lost)
		}
		got := filesOfRun(t, p.dir)
		for _, name := range compared {
			if !bytes.Equal(got[name], want[name]) {
				t.Errorf("%s differs", name)
			}
		}
		return unnoticed
	}
	at := c.blame(t, p)
	if t.Failed() {
		return failed
	}
	expected := cosync.Time(max(0, seq)) * c.step()
	outcome = map[string]int{lostAbort: ended, lostHold: held, lostFallback: replaced}[c.policy]
	switch {
	case c.trick.hasty && at < expected || at < 0:
		outcome = early
	case at != expected:
		t.Errorf("blamed for the step at %v instead of %v", at, expected)
	}
	c.readable(t, p, at, want)
	if seq < 0 && outcome != early {
		return ended
	}
	return outcome
}

// blame checks that the trickster, and nobody else, is blamed for what it did,
// and says for which step.
func (c *trial) blame(t *testing.T, p *playedOut) (at cosync.Time) {
	t.Helper()
	name := connectName(c.members[c.cheat])
	err := p.err
	var failure *cosync.FederateError
	switch {
	case errors.As(p.err, &failure):
		if failure.Federate != c.members[c.cheat] || len(p.lost) > 0 || c.policy != lostAbort && failure.Call != "init" {
			t.Errorf("blamed: %v, lost %v", p.err, p.lost)
		}
		at = failure.At
	case p.err != nil || len(p.lost) != 1 || p.lost[0].Federate != c.members[c.cheat] || p.lost[0].Standby != (c.policy == lostFallback):
		t.Fatalf("error %v, lost %v", p.err, p.lost)
	default:
		at, err = p.lost[0].At, p.lost[0].Err
	}
	var peer *ws.PeerError
	if !errors.As(err, &peer) || peer.Federate != name || peer.Silent < 0 || peer.Silent > time.Minute {
		t.Errorf("blamed: %v", err)
	}
	for _, other := range c.members {
		if other := connectName(other); other != name && strings.Contains(err.Error(), other) {
			t.Errorf("%s is named in %v", other, err)
		}
	}
	var rule *ws.Error
	switch code := c.code(); {
	case code == hungUp:
		if errors.As(err, &rule) || !strings.Contains(err.Error(), "connection broke") {
			t.Errorf("blamed for %v", err)
		}
	case !errors.As(err, &rule) || rule.Code != code:
		t.Errorf("blamed for %v instead of %s", err, code)
	case p.told != nil && p.told.Code != code:
		t.Errorf("was told %v", p.told)
	}
	return at
}

// readable checks what a run left that lost its trickster: it is that of the
// honest run until then, and can be repeated to its end.
func (c *trial) readable(t *testing.T, p *playedOut, at cosync.Time, want map[string][]byte) {
	t.Helper()
	got := filesOfRun(t, p.dir)
	if got["series.parquet"] == nil || got["events.parquet"] == nil || complete(p.dir) != (p.err == nil) {
		t.Errorf("files are missing, or it is not told whether the run is complete (%v)", complete(p.dir))
	}
	all := int64(campaignStop/(10*cosync.Millisecond)) + 1
	before := int64(at/(10*cosync.Millisecond)) + 1
	var failure *cosync.FederateError
	if errors.As(p.err, &failure) && failure.Call == "init" {
		return // nothing was exchanged
	}
	if n := equalFrames(t, p.dir, want["chain.log"]); n < before || c.policy == lostFallback && n != all {
		t.Errorf("%d frames are those of the honest run, expected %d", n, before)
	}
	if c.policy == lostFallback && !bytes.Equal(got["series.parquet"], want["series.parquet"]) {
		t.Error("with the built-in federate in its place the run is another")
	}
	again, err := Replay(context.Background(), p.dir, RepeatOptions{})
	switch {
	case p.err == nil && (err != nil || again.Checked != all):
		t.Errorf("replay: %v", err)
	case p.err != nil && (!errors.Is(err, errRecordEnds) || again.Checked != before):
		t.Errorf("replay of what there is: %v", err)
	}
}

// equalFrames counts those at the start of two runs that are the same.
func equalFrames(t *testing.T, dir string, want []byte) (n int64) {
	t.Helper()
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, record.ChainName), want, 0o644); err != nil {
		t.Fatal(err)
	}
	var logs [2]*record.ChainReader
	for i, dir := range []string{dir, other} {
		var err error
		if logs[i], err = record.OpenChain(dir); err != nil {
			t.Fatal(err)
		}
		defer logs[i].Close()
	}
	for {
		a, errA := logs[0].Next()
		b, errB := logs[1].Next()
		if errA != nil || errB != nil || a.Chain != b.Chain || !slices.Equal(a.Outputs, b.Outputs) {
			return n
		}
		n++
	}
}
