// Package metrics defines each figure of a run once: pure accumulators that
// take one sample or one task at a time in constant memory, and serve online
// and over recorded series alike.
//
//	TaskCounter  P_succ, P_succ_strict, causes of failure, by class
//	Peak         Δf_max, ΔV_max with the time and the place of the maximum
//	Lowest       the lowest level of any key pool
//	Recovery     TRR, the time above Δf_safe after a fault
//	KeyUse       η_key, consumed over generated key
//	Jain         F_K, fairness between operators; Fairness keeps its window
//	Histogram    quantiles of latency with a relative error of at most 0.4 %
//	Sample       mean, deviation, quantiles and t interval over runs; Paired
//	Summary      what summary.json says of one run
//
// The definitions follow section II.F, equations 17 to 20, and section VI.C of
// the paper on SCADA co-simulation with quantum keys, where that is precise;
// the comments say where it is not and what is taken.
package metrics
