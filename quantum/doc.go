// Package quantum models links of quantum key distribution and the key pools
// they feed: how much secret key a link distils, when it breaks, who draws
// which key from the pool, and how much key is to be expected.
//
// A Link turns time into blocks of distilled key (link.go; the rate models are
// in model.go). A Pool keeps the key both ends of a link share, as real bytes,
// and hands out every bit once (pool.go). A Store is the fixed allowance of
// the static scheme (store.go). A Forecaster predicts the key to come
// (forecast.go).
//
// Equation numbers in brackets are those of Zhu, "Dynamic-Key-Aware
// Co-Simulation Framework for Next Generation of SCADA Systems Encrypted by
// Quantum-Key-Distribution Techniques". Key is counted in bits, rates in
// bit/s, attenuation in dB, times in integer nanoseconds since the start of
// the run.
package quantum
