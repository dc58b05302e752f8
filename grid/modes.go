package grid

import (
	"math"
	"math/cmplx"
	"sort"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Mode is an eigenvalue of the linear model; of a conjugate pair the one with
// positive imaginary part.
type Mode struct {
	Real, Imag   float64 // 1/s, rad/s
	FreqHz       float64
	DampingRatio float64 // −Re λ / |λ|; 1 for a decaying real mode
	// Participation lists the states that make the mode, the greatest first.
	Participation []Participation
}

// Participation is a state's share in a mode: |right × left eigenvector|,
// scaled to 1 in sum over the states.
type Participation struct {
	State string // "speed 39", "reheat 30"
	Share float64
}

// Oscillatory tells whether m is a pair of complex eigenvalues.
func (m *Mode) Oscillatory() bool { return m.FreqHz > 0 }

// GeneratorShare is a generator's share in a mode, all its states together.
type GeneratorShare struct {
	Bus   string
	Share float64
}

// Generators returns the shares of the generators, the greatest first.
func (m *Mode) Generators() []GeneratorShare {
	var out []GeneratorShare
	place := make(map[string]int)
	for _, p := range m.Participation {
		_, bus, _ := strings.Cut(p.State, " ")
		i, known := place[bus]
		if !known {
			i = len(out)
			place[bus] = i
			out = append(out, GeneratorShare{Bus: bus})
		}
		out[i].Share += p.Share
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Share > out[j].Share })
	return out
}

// Modes is the small-signal picture of a case, electromechanical and other
// oscillations first by frequency, then real modes from the slowest.
type Modes struct {
	Case  *Case `json:"-"`
	Modes []Mode
}

// ComputeModes returns the modes of c with the model of opt at the
// power-flow solution. The zero eigenvalue of the common angle reference is
// left out: angles are counted from the centre of inertia. AGC, noise and
// blocks take no part. Unlike [NewSimulator] it takes an unstable system too:
// its modes are what one wants to see then.
func ComputeModes(c *Case, opt Options) (*Modes, error) {
	lin, err := newBaseLinear(c, opt)
	if err != nil {
		return nil, err
	}
	return lin.modes()
}

// modes reduces A by the angle of the centre of inertia: with R the map from
// all states but the first machine's angle to all states at δ_COI = 0, and L
// the one back (δ − δ_COI), the reduced matrix is L A R.
func (m *linear) modes() (*Modes, error) {
	n, delta, first := m.layout.n, []int{}, -1
	total := 0.0
	weight := make([]float64, n)
	for u := range m.machines {
		if m.out[u] {
			continue
		}
		if first < 0 {
			first = m.layout.delta[u]
		}
		delta = append(delta, m.layout.delta[u])
		weight[m.layout.delta[u]] = m.machines[u].h
		total += m.machines[u].h
	}
	left, right := mat.NewDense(n-1, n, nil), mat.NewDense(n, n-1, nil)
	states := make([]int, 0, n-1)
	isAngle := make([]bool, n)
	for _, i := range delta {
		isAngle[i] = true
	}
	for i := range n {
		if i == first {
			continue
		}
		r := len(states)
		states = append(states, i)
		left.Set(r, i, 1)
		right.Set(i, r, 1)
		if isAngle[i] {
			for _, j := range delta {
				add(left, r, j, -weight[j]/total)
			}
			right.Set(first, r, -weight[i]/weight[first])
		}
	}
	var reduced mat.Dense
	reduced.Product(left, m.a, right)
	return m.decompose(&reduced, left, right, m.layout.names)
}

// decompose finds the eigenvalues of the reduced matrix and the participation
// of the states of the full one, which have these names.
func (m *linear) decompose(reduced, left, right *mat.Dense, names []string) (*Modes, error) {
	var eig mat.Eigen
	if !eig.Factorize(reduced, mat.EigenBoth) {
		return nil, errNoEigenvalues
	}
	var vr, vl mat.CDense
	eig.VectorsTo(&vr)
	eig.LeftVectorsTo(&vl)
	out := &Modes{Case: m.c}
	for k, lambda := range eig.Values(nil) {
		if imag(lambda) < 0 {
			continue
		}
		mode := Mode{Real: real(lambda), Imag: imag(lambda), FreqHz: imag(lambda) / (2 * math.Pi)}
		if size := cmplx.Abs(lambda); size > 0 {
			mode.DampingRatio = -real(lambda) / size
		}
		mode.Participation = participation(k, &vl, &vr, left, right, names)
		out.Modes = append(out.Modes, mode)
	}
	sort.SliceStable(out.Modes, func(i, j int) bool {
		a, b := &out.Modes[i], &out.Modes[j]
		if a.Oscillatory() != b.Oscillatory() {
			return a.Oscillatory()
		}
		if a.Oscillatory() {
			return a.Imag < b.Imag
		}
		return a.Real > b.Real
	})
	return out, nil
}

// participation takes both eigenvectors back to the full state, v = R v_r and
// wᴴ = w_rᴴ L, and lists the states with more than 1 % of the sum.
func participation(k int, vl, vr *mat.CDense, left, right *mat.Dense, names []string) []Participation {
	const least = 0.01
	n, r := right.Dims()
	share := make([]float64, n)
	sum := 0.0
	for i := range n {
		var v, w complex128
		for j := range r {
			v += complex(right.At(i, j), 0) * vr.At(j, k)
			w += complex(left.At(j, i), 0) * cmplx.Conj(vl.At(j, k))
		}
		share[i] = cmplx.Abs(v * w)
		sum += share[i]
	}
	var parts []Participation
	for i, s := range share {
		if s > least*sum {
			parts = append(parts, Participation{names[i], s / sum})
		}
	}
	sort.SliceStable(parts, func(i, j int) bool { return parts[i].Share > parts[j].Share })
	return parts
}
