package grid

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// ReductionError compares the answers of the reduced and the full model to a
// step of one input, of InputSizeMW or InputSizePU, over samples 10 ms apart.
type ReductionError struct {
	Input  string
	Hz, PU OutputError
}

// OutputError is the difference between two answers of one output.
type OutputError struct {
	Peak float64 // greatest size of the full model's answer
	Max  float64 // greatest difference
	End  float64 // difference at the end
}

func (e *OutputError) see(got, want float64) {
	e.Peak = math.Max(e.Peak, math.Abs(want))
	e.End = math.Abs(got - want)
	e.Max = math.Max(e.Max, e.End)
}

// StepErrors returns the errors over some seconds after a step, by input.
func (m *ReducedModel) StepErrors(seconds float64) []ReductionError {
	const stepS = 0.01
	samples := int(math.Round(seconds / stepS))
	reduced := fullModel{m.A, m.B, m.C, m.D}.stepAnswers(m.inputSize, stepS, samples)
	full := m.full.stepAnswers(m.inputSize, stepS, samples)
	out := make([]ReductionError, len(m.Inputs))
	for j := range out {
		out[j].Input = m.Inputs[j]
		for k := range samples {
			out[j].Hz.see(reduced[k].At(0, j), full[k].At(0, j))
			out[j].PU.see(reduced[k].At(1, j), full[k].At(1, j))
		}
	}
	return out
}

// stepAnswers returns, sample by sample, the outputs after a step of each
// input (column).
func (f fullModel) stepAnswers(size func(column int) float64, stepS float64, samples int) []*mat.Dense {
	states, inputs := f.b.Dims()
	u := mat.NewDiagDense(inputs, nil)
	for j := range inputs {
		u.SetDiag(j, size(j))
	}
	phi, gamma := sampled(f.a, f.b, stepS)
	var held, through, next mat.Dense
	held.Mul(gamma, u)
	through.Mul(f.d, u)
	x := mat.NewDense(states, inputs, nil)
	out := make([]*mat.Dense, samples)
	for k := range out {
		next.Mul(phi, x)
		x.Add(&next, &held)
		out[k] = &mat.Dense{}
		out[k].Mul(f.c, x)
		out[k].Add(out[k], &through)
	}
	return out
}

func (m *ReducedModel) inputSize(column int) float64 {
	if column >= m.first.vref && column < m.first.block {
		return InputSizePU
	}
	return InputSizeMW
}
