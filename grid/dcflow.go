package grid

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// DCFlow is the solution of the linear power flow, rows in table order.
type DCFlow struct {
	Case     *Case `json:"-"`
	AngleDeg []float64
	BranchMW []float64
	SlackMW  float64 // generation at the slack bus
}

// dcModel holds the linear power flow P = B θ + P_shift with
// b_k = 1/(x_k tap_k) and flow b_k (θ_f − θ_t − φ_k).
type dcModel struct {
	net   *network
	slack int
	skip  []bool // slack and isolated buses
	b     []float64
}

func newDCModel(c *Case) (*dcModel, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &dcModel{net: newNetwork(c, nil), skip: make([]bool, len(c.Buses)), b: make([]float64, len(c.Branches))}
	for i := range c.Buses {
		m.skip[i] = c.Buses[i].Kind == Slack || c.Buses[i].Kind == Isolated
		if c.Buses[i].Kind == Slack {
			m.slack = i
		}
	}
	f := &faults{}
	for k := range c.Branches {
		b := &c.Branches[k]
		if !b.InService {
			continue
		}
		if b.ReactancePU == 0 {
			f.add(b.At, "branch %s has no reactance: no DC power flow", b.ID)
			continue
		}
		m.b[k] = 1 / (b.ReactancePU * b.Tap)
	}
	return m, f.join()
}

// reduced returns B with the rows and columns of skipped buses replaced by
// those of the identity.
func (m *dcModel) reduced() *mat.Dense {
	n := m.net.n
	b := mat.NewDense(n, n, nil)
	for k, y := range m.b {
		f, t := m.net.branches[k].from, m.net.branches[k].to
		for _, e := range [4]struct {
			i, j int
			y    float64
		}{{f, f, y}, {f, t, -y}, {t, f, -y}, {t, t, y}} {
			if !m.skip[e.i] && !m.skip[e.j] {
				b.Set(e.i, e.j, b.At(e.i, e.j)+e.y)
			}
		}
	}
	for i, skip := range m.skip {
		if skip {
			b.Set(i, i, 1)
		}
	}
	return b
}

// SolveDC solves the DC power flow: voltages 1 p.u., no losses, sines
// replaced by their arguments.
func SolveDC(c *Case) (*DCFlow, error) {
	m, err := newDCModel(c)
	if err != nil {
		return nil, err
	}
	n := len(c.Buses)
	index := c.busIndices()
	p := make([]float64, n)
	slackAngle := radians(c.Buses[m.slack].AngleDeg)
	for i := range c.Buses {
		p[i] = -(c.Buses[i].LoadMW + c.Buses[i].ShuntMW) / c.BaseMVA
	}
	for g := range c.Gens {
		if i := index[c.Gens[g].Bus]; c.Gens[g].InService && i != m.slack {
			p[i] += c.Gens[g].PowerMW / c.BaseMVA
		}
	}
	rhs := mat.NewDense(n, 1, nil)
	for i := range p {
		if !m.skip[i] {
			rhs.Set(i, 0, p[i])
		}
	}
	for k, y := range m.b {
		t := &m.net.branches[k]
		shift := y * radians(c.Branches[k].ShiftDeg)
		m.addUnless(rhs, t.from, shift)
		m.addUnless(rhs, t.to, -shift)
	}
	if err := solve(m.reduced(), rhs); err != nil {
		return nil, fmt.Errorf("grid: DC power flow: %w", err)
	}
	out := &DCFlow{Case: c, AngleDeg: make([]float64, n), BranchMW: make([]float64, len(c.Branches))}
	for i := range out.AngleDeg {
		// The shift by the slack's angle is uniform, so flows do not feel it.
		out.AngleDeg[i] = degrees(rhs.At(i, 0) + slackAngle)
	}
	out.SlackMW = -p[m.slack] * c.BaseMVA
	for k, y := range m.b {
		t := &m.net.branches[k]
		flow := y * (rhs.At(t.from, 0) - rhs.At(t.to, 0) - radians(c.Branches[k].ShiftDeg)) * c.BaseMVA
		out.BranchMW[k] = flow
		if t.from == m.slack {
			out.SlackMW += flow
		}
		if t.to == m.slack {
			out.SlackMW -= flow
		}
	}
	return out, nil
}

func (m *dcModel) addUnless(rhs *mat.Dense, i int, v float64) {
	if !m.skip[i] {
		rhs.Set(i, 0, rhs.At(i, 0)+v)
	}
}

// ComputePTDF returns the power transfer distribution factors: the change of
// flow on each branch (row) by injection at each bus (column) withdrawn at the
// slack bus.
func ComputePTDF(c *Case) (*mat.Dense, error) {
	m, err := newDCModel(c)
	if err != nil {
		return nil, err
	}
	x, err := inverse(m.reduced())
	if err != nil {
		return nil, fmt.Errorf("grid: PTDF: %w", err)
	}
	for i, skip := range m.skip {
		if skip {
			x.Set(i, i, 0)
		}
	}
	h := mat.NewDense(len(c.Branches), len(c.Buses), nil)
	for k, y := range m.b {
		t := &m.net.branches[k]
		for j := range c.Buses {
			h.Set(k, j, y*(x.At(t.from, j)-x.At(t.to, j)))
		}
	}
	return h, nil
}
