package scada

import "time"

// emergency is the central under-frequency and RoCoF logic: it sizes a call of
// the fast-reserve and shedding blocks from the power that is missing,
//
//	P = -2·ΣH·S·(df/dt)/f0,
//
// with df/dt of the centre of inertia from two frames of samples. A frame is
// all samples of one PMU instant; its PMUs are weighted by the inertia at their
// buses, the ones heard in both frames only.
//
// It fires when two consecutive frames show more than the threshold and the
// frequency is not above nominal, calls all blocks in proportion to their free
// capacity for the whole of P, and as long as frames go on showing it, again
// every RetriggerAfter up to GiveUpAfter. A call is the block's total in MW, so
// that a repeated call changes nothing at a block that obeyed the first one.
//
// P is what is missing now: what governors and obeyed calls give is no longer
// in it. A call that is still unacknowledged may yet arrive; it is repeated as
// it was and counted against P, so that all calls together never ask for more
// than what is missing (the overshoot guard). The guard is as good as the
// estimate: while a unit of great inertia is unheard, the others' swing against
// it looks like a deficit.
//
// Where several operators have blocks, each estimates P for the whole system
// from the PMUs that it hears and calls its own blocks for the share of P that
// they are of all blocks: the shares sum to one, and nobody waits for another.
//
// It acts on a deficit only. Blocks return by themselves (ReserveDuration), at
// the end of the shipped contingencies together with the load, which leaves a
// surplus or deficit of what was not covered: governors and AGC deal with it.
// Releasing blocks on a surplus would fight them, since the rise of frequency
// right after a call is mostly the governors' own overshoot.
type emergency struct {
	cfg       EmergencyConfig
	nominalHz float64
	share     float64 // of P that is called here
	periodNS  int64
	phaseNS   int64
	scale     float64 // MW for 1 Hz between two frames

	weights []float64
	frames  [4]sampleFrame // by slot modulo 4
	next    int64          // slot to be judged next; -1 before the first
	deficit float64        // of the last judged pair of frames, MW
	agreed  bool           // the last two both exceeded the threshold
	over    bool           // the last one did
	aboveHz float64        // frequency of the last frame above nominal

	blocks  []blockState
	since   int64 // first call of the present deficit; unheard when none
	lastNS  int64 // last call
	calling []call
}

// sampleFrame is what arrived of one instant.
type sampleFrame struct {
	slot   int64
	heard  []bool
	freqHz []float64
}

// blockState is what the controller believes of a block.
type blockState struct {
	capacityMW     float64
	calledMW       float64 // last call
	acknowledgedMW float64 // last confirmed
	calledNS       int64   // first call of this activation
}

// call asks one block for a total of MW.
type call struct {
	block   int
	totalMW float64
}

func newEmergency(cfg *Config, pmus []pmuState) emergency {
	e := emergency{
		cfg: cfg.Controller.Emergency, nominalHz: cfg.NominalFreqHz, share: 1,
		periodNS: cfg.Classes[TaskPMU].Period.Nanoseconds(),
		phaseNS:  cfg.Classes[TaskPMU].Phase.Nanoseconds(),
		next:     -1, since: unheard, lastNS: unheard,
	}
	h := 0.0
	for _, g := range cfg.Generators {
		h += g.InertiaS
	}
	e.scale = 2 * h * cfg.BaseMVA / cfg.NominalFreqHz / (float64(e.periodNS) / 1e9)
	for _, p := range pmus {
		e.weights = append(e.weights, p.weightS)
	}
	for i := range e.frames {
		e.frames[i] = sampleFrame{slot: -1, heard: make([]bool, len(pmus)), freqHz: make([]float64, len(pmus))}
	}
	for _, b := range cfg.Blocks {
		e.blocks = append(e.blocks, blockState{capacityMW: b.CapacityMW})
	}
	return e
}

// note takes a sample. Time tags are cut to milliseconds; the nearest instant
// of the PMUs is meant.
func (e *emergency) note(pmu int, sampledNS int64, freqHz float64) {
	slot := (sampledNS - e.phaseNS + e.periodNS/2) / e.periodNS
	if e.weights[pmu] == 0 || slot < e.next-1 || slot < 0 {
		return
	}
	f := &e.frames[slot%int64(len(e.frames))]
	if f.slot > slot {
		return
	}
	if f.slot < slot {
		f.slot = slot
		clear(f.heard)
	}
	f.heard[pmu], f.freqHz[pmu] = true, freqHz
	if e.next < 0 {
		e.next = slot
	}
}

func (e *emergency) frame(slot int64) *sampleFrame {
	if slot >= 0 {
		if f := &e.frames[slot%int64(len(e.frames))]; f.slot == slot {
			return f
		}
	}
	return nil
}

// decide judges the frames that are complete at nowNS, and returns the calls
// to make. The slice is valid until the next decision.
func (e *emergency) decide(nowNS int64) []call {
	e.calling = e.calling[:0]
	if e.next < 0 {
		return nil
	}
	for e.complete(e.next, nowNS) {
		e.judge(e.next)
		e.next++
	}
	e.lapse(nowNS)
	if e.wanted(nowNS) {
		e.plan(nowNS)
	}
	return e.calling
}

// complete reports whether a frame has every PMU that the frame before had, or
// has waited long enough for them.
func (e *emergency) complete(slot, nowNS int64) bool {
	if nowNS >= slot*e.periodNS+e.phaseNS+e.cfg.FrameWait.Nanoseconds() {
		return true
	}
	now, before := e.frame(slot), e.frame(slot-1)
	if now == nil || before == nil {
		return false
	}
	for i, heard := range before.heard {
		if heard && !now.heard[i] {
			return false
		}
	}
	return true
}

// judge computes the deficit between a frame and the one before, and the
// frequency of the frame.
func (e *emergency) judge(slot int64) {
	now, before := e.frame(slot), e.frame(slot-1)
	was := e.over
	e.over, e.agreed, e.deficit = false, false, 0
	if now == nil || before == nil {
		return
	}
	weight, change, freq := 0.0, 0.0, 0.0
	for i, w := range e.weights {
		if now.heard[i] && before.heard[i] {
			weight += w
			change += w * (now.freqHz[i] - before.freqHz[i])
			freq += w * now.freqHz[i]
		}
	}
	if weight == 0 {
		return
	}
	e.deficit = -e.scale * change / weight
	e.aboveHz = freq/weight - e.nominalHz
	e.over = e.deficit > e.cfg.ThresholdMW
	e.agreed = e.over && was
}

// wanted reports whether a call is to be made on the frame judged last.
func (e *emergency) wanted(nowNS int64) bool {
	if !e.over {
		e.since = unheard
	}
	if !e.agreed || e.aboveHz > e.cfg.MaxAboveHz || e.cfg.Off {
		return false
	}
	if e.since == unheard {
		e.since = nowNS
	}
	return within(nowNS, e.since, e.cfg.GiveUpAfter) &&
		(e.lastNS == unheard || nowNS-e.lastNS >= e.cfg.RetriggerAfter.Nanoseconds())
}

func within(nowNS, sinceNS int64, d time.Duration) bool { return nowNS-sinceNS <= d.Nanoseconds() }

// plan calls the blocks for the share of the deficit. Unacknowledged calls come first,
// scaled down if they exceed it; the rest goes to all blocks by free capacity.
func (e *emergency) plan(nowNS int64) {
	open, free := 0.0, 0.0
	for i := range e.blocks {
		b := &e.blocks[i]
		open += b.calledMW - b.acknowledgedMW
		free += b.capacityMW - b.calledMW
	}
	scale, rest, missing := 1.0, 0.0, e.share*e.deficit
	switch {
	case open > missing:
		scale = missing / open
	case free > 0:
		rest = min(1, (missing-open)/free)
	}
	for i := range e.blocks {
		b := &e.blocks[i]
		unacknowledged := b.calledMW - b.acknowledgedMW
		total := b.acknowledgedMW + scale*unacknowledged + rest*(b.capacityMW-b.calledMW)
		if total == b.calledMW && unacknowledged == 0 {
			continue
		}
		if b.calledMW == 0 {
			b.calledNS = nowNS
		}
		b.calledMW = total
		e.calling = append(e.calling, call{i, total})
	}
	if len(e.calling) > 0 {
		e.lastNS = nowNS
	}
}

// acknowledged notes a confirmed call. Only the last call can be confirmed;
// the answer to an earlier one says at least that much.
func (e *emergency) acknowledged(block int, totalMW float64) {
	b := &e.blocks[block]
	// The confirmation carries a short float.
	b.acknowledgedMW = min(totalMW, b.calledMW)
	if float32(b.calledMW) == float32(totalMW) {
		b.acknowledgedMW = b.calledMW
	}
}

// lapse forgets calls whose block has returned by itself.
func (e *emergency) lapse(nowNS int64) {
	for i := range e.blocks {
		b := &e.blocks[i]
		if b.calledMW > 0 && !within(nowNS, b.calledNS, e.cfg.ReserveDuration) {
			b.calledMW, b.acknowledgedMW = 0, 0
		}
	}
}

// calledMW is the sum of all calls.
func (e *emergency) calledMW() float64 {
	sum := 0.0
	for i := range e.blocks {
		sum += e.blocks[i].calledMW
	}
	return sum
}
