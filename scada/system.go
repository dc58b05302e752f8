package scada

import (
	"errors"
	"math/rand/v2"
)

// System is the SCADA side of one run: outstations, gateways, control centre.
type System struct {
	cfg Config
}

// New prepares a run of cfg. Pools are named like the quantum links; stream
// gives the named random streams of the run's seed.
func New(cfg Config, pools map[string]KeyPool, stream func(name string) *rand.Rand) (*System, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	return &System{cfg: cfg.Resolved()}, nil
}

// Step advances the run over [fromNS, toNS).
func (s *System) Step(fromNS, toNS int64, in *Input, out *Output) error { return nil }
