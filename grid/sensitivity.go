package grid

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Sensitivity holds the derivatives of the voltages of PQ buses by the power
// injected at PQ buses, p.u. by p.u., row the responding bus and column the
// injected one, both in the order of Buses.
type Sensitivity struct {
	Buses      []int // places in the case's table
	DVDP, DVDQ *mat.Dense
}

// VoltageSensitivity linearises the power flow at a solution. PV and slack
// buses hold their voltage; PV buses hold their active power too, so their
// angles move, and the slack bus takes the balance:
//
//	[∂P/∂θ ∂P/∂V; ∂Q/∂θ ∂Q/∂V] [dθ_pv,pq; dV_pq] = [dP_pv,pq; dQ_pq]
func VoltageSensitivity(flow *Flow) (*Sensitivity, error) {
	s := newFlowSolver(flow.Case, FlowOptions{})
	for i := range s.v {
		s.theta[i], s.v[i] = radians(flow.Buses[i].AngleDeg), flow.Buses[i].VoltagePU
	}
	for g := range flow.Gens {
		if i, _ := flow.Case.BusIndex(flow.Gens[g].Bus); flow.Gens[g].AtLimit && s.kind[i] == PV {
			s.kind[i] = PQ
		}
	}
	angle, voltage, count := s.unknowns()
	s.net.injections(s.theta, s.v, s.p, s.q)
	jacobian := mat.NewDense(count, count, nil)
	s.fillJacobian(angle, voltage, jacobian)
	inv, err := inverse(jacobian)
	if err != nil {
		return nil, fmt.Errorf("grid: voltage sensitivity: %w", err)
	}
	out := &Sensitivity{}
	for i, row := range voltage {
		if row >= 0 {
			out.Buses = append(out.Buses, i)
		}
	}
	n := len(out.Buses)
	if n == 0 {
		return nil, fmt.Errorf("grid: voltage sensitivity: case %s has no PQ bus", flow.Case.Name)
	}
	out.DVDP, out.DVDQ = mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for r, i := range out.Buses {
		for c, j := range out.Buses {
			out.DVDP.Set(r, c, inv.At(voltage[i], angle[j]))
			out.DVDQ.Set(r, c, inv.At(voltage[i], voltage[j]))
		}
	}
	return out, nil
}
