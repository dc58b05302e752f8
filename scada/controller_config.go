package scada

import "time"

// ControllerConfig holds the parameters of the control centre's controller.
// Zero values mean the defaults below, which are textbook settings and were
// not chosen by looking at results.
type ControllerConfig struct {
	// StaleAfter is how long the last sample of a PMU stands in for a missing
	// one; then that input is missing.
	StaleAfter time.Duration `yaml:"stale_after"` // 1s
	// LinkDetection is how long after the fact a link's failure or return is
	// known.
	LinkDetection time.Duration `yaml:"link_detection"` // 100ms
	// RetransmitAfter is the wait for a confirmation before a command is sent
	// again; it doubles with every attempt.
	RetransmitAfter time.Duration `yaml:"retransmit_after"` // 100ms

	// PMUNoiseHz and PMUNoisePU are the standard deviations of the measurement
	// noise that the outstations add.
	PMUNoiseHz float64 `yaml:"pmu_noise_hz"` // 0.001
	PMUNoisePU float64 `yaml:"pmu_noise_pu"` // 0.0002

	// AGC: u = -(KP·ACE + ∫ACE dt/TI) with ACE = Bias·Δf of the whole system
	// as one area, limited to ±Limit with the integral held there.
	AGCBiasMWPerHz float64       `yaml:"agc_bias_mw_per_hz"` // 2870, the 39-bus case's ΣD + Σ1/R
	AGCKP          float64       `yaml:"agc_kp"`             // 0.1
	AGCTI          time.Duration `yaml:"agc_ti"`             // 33s, Ki = 0.03 /s
	AGCLimitMW     float64       `yaml:"agc_limit_mw"`       // 1000

	// AVR: the voltage set point's correction is -∫ΔV dt/TI, within ±Limit.
	AVRTI      time.Duration `yaml:"avr_ti"`       // 20s
	AVRLimitPU float64       `yaml:"avr_limit_pu"` // 0.05

	Emergency EmergencyConfig `yaml:"emergency"`
}

// EmergencyConfig holds the parameters of the fast reserve and load shedding.
type EmergencyConfig struct {
	// Off switches the emergency logic off.
	Off bool `yaml:"off"`
	// ThresholdMW is the deficit that two consecutive frames must show.
	ThresholdMW float64 `yaml:"threshold_mw"` // 200
	// FrameWait is how long after its sampling time a frame waits for PMUs
	// that the frame before had; then it is judged without them.
	FrameWait time.Duration `yaml:"frame_wait"` // 50ms
	// MaxAboveHz: no call while the frequency is this far above nominal, for a
	// falling frequency is then on its way back.
	MaxAboveHz float64 `yaml:"max_above_hz"` // 0.02
	// RetriggerAfter and GiveUpAfter: while the deficit lasts, blocks are
	// called anew in this rhythm, for so long after the first call.
	RetriggerAfter time.Duration `yaml:"retrigger_after"` // 500ms
	GiveUpAfter    time.Duration `yaml:"give_up_after"`   // 10s
	// ReserveDuration is the longest activation of a called block: it returns
	// by itself, and the controller then counts it as not called.
	ReserveDuration time.Duration `yaml:"reserve_duration"` // 50s
}

func (c ControllerConfig) resolved() ControllerConfig {
	setDefault(&c.StaleAfter, time.Second)
	setDefault(&c.LinkDetection, 100*time.Millisecond)
	setDefault(&c.RetransmitAfter, 100*time.Millisecond)
	setDefault(&c.PMUNoiseHz, 0.001)
	setDefault(&c.PMUNoisePU, 0.0002)
	setDefault(&c.AGCBiasMWPerHz, 2870)
	setDefault(&c.AGCKP, 0.1)
	setDefault(&c.AGCTI, 33*time.Second)
	setDefault(&c.AGCLimitMW, 1000)
	setDefault(&c.AVRTI, 20*time.Second)
	setDefault(&c.AVRLimitPU, 0.05)
	e := &c.Emergency
	setDefault(&e.ThresholdMW, 200)
	setDefault(&e.FrameWait, 50*time.Millisecond)
	setDefault(&e.MaxAboveHz, 0.02)
	setDefault(&e.RetriggerAfter, 500*time.Millisecond)
	setDefault(&e.GiveUpAfter, 10*time.Second)
	setDefault(&e.ReserveDuration, 50*time.Second)
	return c
}
