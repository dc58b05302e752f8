package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"cosim/federates"
	"cosim/network"
	cosync "cosim/sync"
)

// DisturbanceView is the body of POST /v1/runs/{id}/disturbances. Its kind says
// which fields it uses.
type DisturbanceView struct {
	Kind      string  `json:"kind"` // link-break, attenuation-surge, load-step or attack
	DurationS float64 `json:"duration_s"`
	Link      string  `json:"link,omitempty"`
	Bus       int     `json:"bus,omitempty"`
	SizeMW    float64 `json:"size_mw,omitempty"`
	DB        float64 `json:"db,omitempty"`
	// Of an attack: tamper, replay, inject, delay or drop, on one direction of
	// the link, or on both where From is empty.
	Attack      string  `json:"attack,omitempty"`
	From        string  `json:"from,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	RatePerS    float64 `json:"rate_per_s,omitempty"`
	DelayS      float64 `json:"delay_s,omitempty"`
	FlipBits    int     `json:"flip_bits,omitempty"`
	KeepBytes   int     `json:"keep_bytes,omitempty"`
}

// disturbance is the view in the federates' words.
func (v *DisturbanceView) disturbance() (federates.Disturbance, error) {
	d := federates.Disturbance{Kind: v.Kind, Element: v.Link, DB: v.DB, SizeMW: v.SizeMW}
	if !(math.Abs(v.DurationS) < 1e9) {
		return d, fmt.Errorf("duration_s is %v, expected 0.001 to 8640000", v.DurationS)
	}
	d.Duration = time.Duration(math.Round(v.DurationS * 1e9))
	switch v.Kind {
	case federates.LoadStep:
		d.Element = fmt.Sprintf("bus/%d", v.Bus)
	case federates.Attack:
		d.Attack = network.Attack{
			Kind: v.Attack, From: v.From, Probability: v.Probability, RatePerS: v.RatePerS, DelayS: v.DelayS, FlipBits: v.FlipBits, KeepBytes: v.KeepBytes,
		}
	}
	return d, d.Check()
}

// disturb lets something befall the run at its next step.
func (s *Server) disturb(w http.ResponseWriter, req *http.Request, r *Run) {
	data, ok := readBody(w, req)
	if !ok {
		return
	}
	var v DisturbanceView
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		refuse(w, http.StatusBadRequest, "expected an object with kind, duration_s and what belongs to the kind: "+err.Error())
		return
	}
	d, err := v.disturbance()
	if !r.hasBegun() {
		refuse(w, http.StatusConflict, "run "+r.id+" has not begun")
		return
	}
	if err == nil {
		err = r.knows(&d)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	at, late, err := r.stepped(req.Context(), func(now cosync.Time) error { return r.befall(now, d) })
	switch {
	case errors.Is(err, errOver):
		refuse(w, http.StatusConflict, err.Error())
	case errors.Is(err, errBusy), errors.Is(err, errHeld):
		refuse(w, http.StatusServiceUnavailable, err.Error())
	case err != nil:
		refuse(w, http.StatusConflict, err.Error())
	case late:
		answer(w, http.StatusAccepted, map[string]any{"acts": "when the run goes on"})
	default:
		r.log.Info("disturbance", "kind", d.Kind, "element", d.Element, "for", d.Duration, "ordered at", at)
		answer(w, http.StatusOK, map[string]any{"ordered_at_s": at.Seconds()})
	}
}

// knows says that the run has no such element: what is asked of a paused run
// is refused at once.
func (r *Run) knows(d *federates.Disturbance) error {
	if d.Kind != federates.LoadStep {
		for _, l := range r.definition.Links {
			if l.Name == d.Element && (l.Quantum || d.Kind == federates.Attack) {
				return nil
			}
		}
		return fmt.Errorf("no link %q for a %s", d.Element, d.Kind)
	}
	for _, b := range r.buses() {
		if fmt.Sprintf("bus/%d", b.ID) == d.Element {
			return nil
		}
	}
	return fmt.Errorf("no %q in the grid that is simulated here", d.Element)
}

// befall is a job of the desk.
func (r *Run) befall(now cosync.Time, d federates.Disturbance) error {
	switch {
	case d.Kind == federates.LoadStep && r.grid != nil:
		return r.grid.Disturb(now, d)
	case d.Kind == federates.LoadStep:
		return errors.New("another program simulates the grid")
	case r.quantum == nil:
		return errors.New("another program simulates the quantum links")
	case d.Kind != federates.Attack:
		return r.quantum.Disturb(d)
	case r.network == nil:
		return errors.New("another program simulates the network")
	}
	if err := r.network.CheckAttack(d); err != nil {
		return err
	}
	return r.quantum.Disturb(d)
}

// setPace changes how fast the run goes.
func (s *Server) setPace(w http.ResponseWriter, req *http.Request, r *Run) {
	data, ok := readBody(w, req)
	if !ok {
		return
	}
	var v struct {
		RealTime *float64 `json:"real_time"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil || v.RealTime == nil || *v.RealTime != 0 && *v.RealTime < slowest {
		refuse(w, http.StatusBadRequest, "expected an object with real_time: simulated seconds a second from 0.001 on, or 0 for as fast as possible")
		return
	}
	if r.hasEnded() {
		refuse(w, http.StatusConflict, "run "+r.id+" has ended")
		return
	}
	if err := r.control.SetPace(*v.RealTime); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	r.mu.Lock()
	r.realTime = *v.RealTime
	r.mu.Unlock()
	answer(w, http.StatusOK, r.view())
}

// slowest is the slowest pace: a step of 10 ms takes ten seconds.
const slowest = 1e-3
