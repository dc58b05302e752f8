package grid

import (
	"fmt"
	"slices"
)

// Snapshot is the state of a [Simulator] between two substeps. With the same
// case and options, and the noise stream set back by whoever owns it, a
// restored simulator goes on bit for bit.
type Snapshot struct {
	Steps            int64
	GensOut          []bool
	BranchesOut      []bool
	State            []float64 // machines, AGC, blocks
	Noise            []float64
	PrefPU, VrefPU   []float64
	LoadPPU, LoadQPU []float64
	BlockBus         []int
	BlockCapacityPU  []float64
	BlockCommandPU   []float64
}

// Snapshot returns a copy of the present state.
func (s *Simulator) Snapshot() Snapshot {
	out := Snapshot{
		Steps: s.steps, GensOut: slices.Clone(s.top.gens), BranchesOut: slices.Clone(s.top.branches),
		State: slices.Clone(s.zw[:s.now.nz]), Noise: slices.Clone(s.noise.w),
		PrefPU: slices.Clone(s.pref), VrefPU: slices.Clone(s.vref),
		LoadPPU: slices.Clone(s.loadP), LoadQPU: slices.Clone(s.loadQ),
	}
	for _, b := range s.blocks {
		out.BlockBus = append(out.BlockBus, b.bus)
		out.BlockCapacityPU = append(out.BlockCapacityPU, b.capacity)
		out.BlockCommandPU = append(out.BlockCommandPU, b.command)
	}
	return out
}

// Restore sets s to a snapshot taken from a simulator of the same case and
// options. On error nothing has changed.
func (s *Simulator) Restore(from Snapshot) error {
	if err := s.fits(&from); err != nil {
		return err
	}
	top := topology{from.GensOut, from.BranchesOut}.clone()
	lin, err := s.model(top)
	if err != nil {
		return err
	}
	s.top, s.steps = top, from.Steps
	s.blocks = s.blocks[:0]
	for i, bus := range from.BlockBus {
		s.blocks = append(s.blocks, block{bus, from.BlockCapacityPU[i], from.BlockCommandPU[i]})
	}
	copy(s.noise.w, from.Noise)
	copy(s.pref, from.PrefPU)
	copy(s.vref, from.VrefPU)
	copy(s.loadP, from.LoadPPU)
	copy(s.loadQ, from.LoadQPU)
	s.install(newStepper(lin, s.shape()))
	copy(s.zw, from.State)
	return nil
}

// fits checks every length of a snapshot before anything is changed.
func (s *Simulator) fits(from *Snapshot) error {
	states := s.now.nz - len(s.blocks) + len(from.BlockBus)
	for _, f := range [...]struct {
		name      string
		got, want int
	}{
		{"generators", len(from.GensOut), len(s.top.gens)},
		{"branches", len(from.BranchesOut), len(s.top.branches)},
		{"states", len(from.State), states},
		{"noisy loads", len(from.Noise), len(s.noise.w)},
		{"set points", len(from.PrefPU), len(s.pref)},
		{"voltage set points", len(from.VrefPU), len(s.vref)},
		{"active loads", len(from.LoadPPU), len(s.loadP)},
		{"reactive loads", len(from.LoadQPU), len(s.loadQ)},
		{"block capacities", len(from.BlockCapacityPU), len(from.BlockBus)},
		{"block commands", len(from.BlockCommandPU), len(from.BlockBus)},
	} {
		if f.got != f.want {
			return fmt.Errorf("grid: snapshot has %d %s, this simulator %d", f.got, f.name, f.want)
		}
	}
	for _, bus := range from.BlockBus {
		if bus < 0 || bus >= len(s.loadP) {
			return fmt.Errorf("grid: snapshot has a block at bus number %d of %d", bus, len(s.loadP))
		}
	}
	return nil
}
