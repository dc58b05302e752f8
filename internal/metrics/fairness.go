package metrics

import "math"

// Jain is Jain's fairness index of shares,
//
//	J(s) = (Σ s)² / (n Σ s²),
//
// 1 if all are equal and 1/n if one has everything (Jain, Chiu, Hawe: DEC
// Research Report TR-301, 1984). NaN leaves a share out. Shares that are all
// zero are equal: J = 1, the limit of equal shares. Undefined without shares.
func Jain(shares []float64) Number {
	var n, sum, squares float64
	for _, s := range shares {
		if !math.IsNaN(s) {
			n++
			sum += s
			squares += s * s
		}
	}
	if squares == 0 && n > 0 {
		return 1
	}
	return ratio(sum*sum, n*squares)
}

// Fairness keeps what is needed for the key fairness between operators,
//
//	F_K = J(s), s_a = min(1, key granted to a / key asked by a)
//
// over the tasks triggered in the last window (10 s in the experiments), to
// the resolution of a bucket. Asked is the cost in the wished mode, granted
// the bits drawn for those tasks (section VI.C). An operator that asked for
// nothing has no share and is left out.
type Fairness struct {
	bucketNS int64
	buckets  []fairnessBucket // a ring: bucket number modulo length
	shares   []float64
}

type fairnessBucket struct {
	number         int64
	asked, granted []float64 // by operator, bits
}

// NewFairness begins with no task. windowNS is a multiple of bucketNS.
func NewFairness(operators int, windowNS, bucketNS int64) *Fairness {
	f := &Fairness{bucketNS: bucketNS, shares: make([]float64, operators)}
	f.buckets = make([]fairnessBucket, windowNS/bucketNS+1)
	for i := range f.buckets {
		f.buckets[i] = fairnessBucket{-1, make([]float64, operators), make([]float64, operators)}
	}
	return f
}

// Ask counts the key that a task of an operator wishes; triggeredNS is the
// time of the task's trigger.
func (f *Fairness) Ask(operator int, triggeredNS int64, bits float64) {
	if b := f.at(triggeredNS); b != nil {
		b.asked[operator] += bits
	}
}

// Grant counts the key drawn for a task triggered at triggeredNS, however
// later it was drawn.
func (f *Fairness) Grant(operator int, triggeredNS int64, bits float64) {
	if b := f.at(triggeredNS); b != nil {
		b.granted[operator] += bits
	}
}

// at is the bucket of a time; nil if a newer one has taken its place.
func (f *Fairness) at(tNS int64) *fairnessBucket {
	number := tNS / f.bucketNS
	b := &f.buckets[number%int64(len(f.buckets))]
	if b.number > number {
		return nil
	}
	if b.number < number {
		b.number = number
		clear(b.asked)
		clear(b.granted)
	}
	return b
}

// Index is F_K of the tasks triggered in the window before nowNS; Undefined if
// no operator asked for key.
func (f *Fairness) Index(nowNS int64) Number { return Jain(f.Shares(nowNS)) }

// Shares are the operators' s_a in the window before nowNS, NaN of one that
// asked for nothing. They hold until the next call.
func (f *Fairness) Shares(nowNS int64) []float64 {
	newest := nowNS / f.bucketNS
	oldest := newest - int64(len(f.buckets)) + 1
	for a := range f.shares {
		var asked, granted float64
		for i := range f.buckets {
			if b := &f.buckets[i]; b.number >= oldest && b.number <= newest {
				asked += b.asked[a]
				granted += b.granted[a]
			}
		}
		f.shares[a] = math.Min(1, granted/asked) // 0/0 is NaN and left out
	}
	return f.shares
}
