package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"gopkg.in/yaml.v3"

	"cosim/scada"
	cosync "cosim/sync"
)

// OptionView is how a chain travels: PUT /v1/chains/{id} takes it, GET shows it
// as "now". What a PUT leaves out stays as it is.
type OptionView struct {
	Route *int    `json:"route,omitempty"` // place in the chain's routes, from 0
	Mode  *string `json:"mode,omitempty"`  // otp, aes-wc or aes, no weaker than the chain's min_mode
	Off   *bool   `json:"off,omitempty"`   // switched off: its tasks fail as deactivated
}

// chainView is a chain in the keys of the YAML, with its option.
func chainView(c *scada.Chain, now *scada.Option) (map[string]any, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	view := map[string]any{}
	if err := yaml.Unmarshal(text, &view); err != nil {
		return nil, err
	}
	if now != nil {
		mode := now.Mode.String()
		view["now"] = OptionView{&now.Route, &mode, &now.Off}
	}
	return view, nil
}

// chainsNow are the chains of the newest run, or of the next one, with their
// options while it goes on.
func (s *Server) chainsNow() (chains []scada.Chain, options []scada.Option, err error) {
	r := s.current()
	if r == nil {
		d, err := s.define(NewRun{})
		if err != nil {
			return nil, nil, err
		}
		return d.Chains, nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasEnded() {
		options = r.options
	}
	return r.definition.Chains, options, nil
}

func (s *Server) listChains(w http.ResponseWriter, _ *http.Request) {
	chains, options, err := s.chainsNow()
	if err != nil {
		refuseDefinition(w, err)
		return
	}
	views := []any{}
	for i := range chains {
		v, err := chainView(&chains[i], at(options, i))
		if err != nil {
			refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		views = append(views, v)
	}
	answer(w, http.StatusOK, map[string]any{"chains": views})
}

func at(options []scada.Option, i int) *scada.Option {
	if i >= len(options) {
		return nil
	}
	return &options[i]
}

// findChain finds the chain of a path.
func (s *Server) findChain(w http.ResponseWriter, req *http.Request) (chain *scada.Chain, i int, now *scada.Option) {
	chains, options, err := s.chainsNow()
	if err != nil {
		refuseDefinition(w, err)
		return nil, 0, nil
	}
	for i := range chains {
		if chains[i].ID == req.PathValue("id") {
			return &chains[i], i, at(options, i)
		}
	}
	refuse(w, http.StatusNotFound, fmt.Sprintf("no chain %q; GET /v1/chains lists them", req.PathValue("id")))
	return nil, 0, nil
}

func (s *Server) getChain(w http.ResponseWriter, req *http.Request) {
	c, _, now := s.findChain(w, req)
	if c == nil {
		return
	}
	v, err := chainView(c, now)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, http.StatusOK, v)
}

// putChain changes route, mode or state of a chain while the run goes on. All
// else about chains holds for a whole run.
func (s *Server) putChain(w http.ResponseWriter, req *http.Request) {
	c, i, now := s.findChain(w, req)
	if c == nil {
		return
	}
	data, ok := readBody(w, req)
	if !ok {
		return
	}
	var change OptionView
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&change); err != nil {
		refuse(w, http.StatusBadRequest, "expected an object with route, mode or off (the rest of a chain holds for a whole run: POST /v1/chains, then POST /v1/runs): "+err.Error())
		return
	}
	if now == nil {
		refuse(w, http.StatusConflict, "no run goes on whose chains could be changed")
		return
	}
	wanted, details := change.option(c, *now)
	if len(details) > 0 {
		refuse(w, http.StatusBadRequest, "chain "+c.ID+" cannot do that", details...)
		return
	}
	s.setOption(w, req, s.current(), c, i, wanted)
}

// option is what a change makes of an option, and what is wrong with it.
func (v OptionView) option(c *scada.Chain, now scada.Option) (wanted scada.Option, details []any) {
	wrong := func(field string, found any, expected string) {
		details = append(details, map[string]any{"field": field, "found": found, "expected": expected})
	}
	wanted = now
	if v.Route != nil {
		wanted.Route = *v.Route
		if wanted.Route < 0 || wanted.Route >= len(c.Routes) {
			wrong("route", wanted.Route, fmt.Sprintf("0 to %d, a place in the chain's routes", len(c.Routes)-1))
		}
	}
	if v.Mode != nil {
		if err := wanted.Mode.UnmarshalText([]byte(*v.Mode)); err != nil {
			wrong("mode", *v.Mode, "otp, aes-wc or aes")
		} else if wanted.Mode < c.MinMode {
			wrong("mode", *v.Mode, fmt.Sprintf("no weaker than min_mode %v", c.MinMode))
		}
	}
	if v.Off != nil {
		wanted.Off = *v.Off
	}
	return wanted, details
}

// setOption changes a chain's option at the next step. A run that is paused
// takes it when it goes on.
func (s *Server) setOption(w http.ResponseWriter, req *http.Request, r *Run, c *scada.Chain, i int, wanted scada.Option) {
	var err error
	change := func(now cosync.Time) {
		if err = r.scada.SetOption(now, i, wanted); err != nil {
			r.log.Warn("chain", "id", c.ID, "error", err)
		}
	}
	status := http.StatusOK
	if r.control.Paused() {
		status = http.StatusAccepted
		if posted := r.desk.post(change); posted != nil {
			refuse(w, http.StatusServiceUnavailable, posted.Error())
			return
		}
	} else if late := r.vault.do(req.Context(), func(now cosync.Time) error { change(now); return nil }); late != nil {
		refuse(w, http.StatusServiceUnavailable, late.Error())
		return
	} else if err != nil {
		refuse(w, http.StatusConflict, err.Error())
		return
	}
	view, viewErr := chainView(c, &wanted)
	if viewErr != nil {
		refuse(w, http.StatusInternalServerError, viewErr.Error())
		return
	}
	answer(w, status, view)
}

// postChains checks uploaded chains, and keeps them for the runs to come.
func (s *Server) postChains(w http.ResponseWriter, req *http.Request) {
	data, ok := readBody(w, req)
	if !ok {
		return
	}
	if json.Valid(data) {
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" ")) // which JSON has between values only, and YAML not at all
	}
	var upload map[string]yaml.Node
	if err := yaml.Unmarshal(data, &upload); err != nil {
		refuse(w, http.StatusBadRequest, "expected JSON or YAML with the key chains: "+err.Error())
		return
	}
	if _, ok := upload["chains"]; !ok || len(upload) != 1 {
		refuse(w, http.StatusBadRequest, "expected the one key chains, with a list")
		return
	}
	d, err := s.defineWith(NewRun{Experiment: req.URL.Query().Get("experiment")}, data)
	if err != nil {
		refuseDefinition(w, err)
		return
	}
	s.mu.Lock()
	s.chains = data
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"chains": len(d.Chains), "holds": "for runs that POST /v1/runs starts from now on"})
}
