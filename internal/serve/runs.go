package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"cosim/internal/experiment"
)

func (s *Server) listRuns(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	runs := slices.Clone(s.runs)
	s.mu.Unlock()
	views := []RunView{}
	for _, r := range slices.Backward(runs) {
		v := r.view()
		v.Summary = nil
		views = append(views, v)
	}
	answer(w, http.StatusOK, map[string]any{"runs": views})
}

// withRun finds the run of a path; "current" is the newest.
func (s *Server) withRun(next func(http.ResponseWriter, *http.Request, *Run)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		r := s.named(req.PathValue("id"))
		if r == nil {
			refuse(w, http.StatusNotFound, fmt.Sprintf("no run %q; GET /v1/runs lists them", req.PathValue("id")))
			return
		}
		next(w, req, r)
	}
}

// named is the run of a name; "current" is the newest, nil where there is none.
func (s *Server) named(id string) *Run {
	if id == "current" {
		return s.current()
	}
	return s.run(id)
}

func (s *Server) getRun(w http.ResponseWriter, _ *http.Request, r *Run) {
	answer(w, http.StatusOK, r.view())
}

// actOnRun pauses, steps, resumes or stops.
func (s *Server) actOnRun(w http.ResponseWriter, req *http.Request, r *Run) {
	action, ok := map[string]func(){
		"pause": r.control.Pause, "step": r.control.StepOnce, "resume": r.control.Resume, "stop": func() { r.cancel(); <-r.ended },
	}[req.PathValue("action")]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, fmt.Sprintf("no action %q; expected pause, step, resume or stop", req.PathValue("action")))
	case r.hasEnded():
		refuse(w, http.StatusConflict, "run "+r.id+" has ended")
	case r.guest && req.PathValue("action") == "stop":
		refuse(w, http.StatusConflict, "cosim run carries out run "+r.id+": end it there with Ctrl-C")
	default:
		action()
		answer(w, http.StatusOK, r.view())
	}
}

// NewRun is the body of POST /v1/runs; what it leaves out is as on the command
// line.
type NewRun struct {
	Experiment string   `json:"experiment"`
	Case       string   `json:"case"`
	Seed       *uint64  `json:"seed"`
	Set        []string `json:"set"` // "key.sub=value"
}

func (s *Server) postRun(w http.ResponseWriter, req *http.Request) {
	data, ok := readBody(w, req)
	if !ok {
		return
	}
	var n NewRun
	if len(bytes.TrimSpace(data)) > 0 {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&n); err != nil {
			refuse(w, http.StatusBadRequest, "expected an object with experiment, case, seed and set: "+err.Error())
			return
		}
	}
	d, err := s.define(n)
	if err != nil {
		refuseDefinition(w, err)
		return
	}
	r, err := s.begin(d)
	switch {
	case errors.Is(err, errRunning):
		refuse(w, http.StatusConflict, err.Error())
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
	default:
		w.Header().Set("Location", "/v1/runs/"+r.id)
		answer(w, http.StatusCreated, r.view())
	}
}

// define makes the definition of a run with the chains uploaded last.
func (s *Server) define(n NewRun) (*experiment.Definition, error) {
	s.mu.Lock()
	chains := s.chains
	s.mu.Unlock()
	return s.defineWith(n, chains)
}

// defineWith makes the definition of a run with the given chains, if any. Of
// files only that of the command line is read.
func (s *Server) defineWith(n NewRun, chains []byte) (*experiment.Definition, error) {
	o := s.cfg.Overrides
	name := s.cfg.Experiment
	if n.Experiment != "" && n.Experiment != name {
		if !slices.Contains(experiment.Names(), n.Experiment) && !slices.Contains(experiment.Ablations(), n.Experiment) {
			return nil, fmt.Errorf("no experiment %q ships inside", n.Experiment)
		}
		name, o = n.Experiment, experiment.Overrides{}
	}
	if name == "" {
		return nil, errors.New("experiment is missing, for example S-2")
	}
	if n.Case != "" {
		if !slices.Contains(cases(), n.Case) {
			return nil, fmt.Errorf("no case %q ships inside", n.Case)
		}
		o.Case = n.Case
	}
	if n.Seed != nil {
		o.Seed = n.Seed
	}
	o.Set = slices.Concat(o.Set, n.Set)
	if chains != nil {
		o.LayerName, o.Layer = "chains", chains
	}
	return experiment.Load(name, o)
}

func cases() []string {
	inside, err := experiment.Inside()
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range inside.Cases {
		names = append(names, c.Name)
	}
	return names
}

// MistakeView is one mistake of a definition, as REST shows it.
type MistakeView struct {
	Source  string `json:"source"` // "chains" for the body of an upload
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// refuseDefinition lists all that is wrong with a definition.
func refuseDefinition(w http.ResponseWriter, err error) {
	var mistakes experiment.Mistakes
	if !errors.As(err, &mistakes) {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	var details []any
	for _, m := range mistakes {
		details = append(details, MistakeView{m.File, m.Line, m.Col, m.Message})
	}
	refuse(w, http.StatusBadRequest, "the definition has mistakes", details...)
}
