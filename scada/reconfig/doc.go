// Package reconfig decides, every 100 ms, by which route and in which mode each
// control chain travels over the next H steps, or that it is off, so that the
// key in the pools goes where it matters most: equations (22)-(30) of
// "Dynamic-Key-Aware Co-Simulation Framework for Next Generation of SCADA
// Systems Encrypted by QKD", section III.
//
// # The problem
//
// With z_{ℓ,o,t} ∈ {0,1} and Σ_o z_{ℓ,o,t} = 1,
//
//	min  Σ c_{ℓ,o,t} z_{ℓ,o,t} + Σ γ_ℓ·[option changes]
//	   + Σ_e φ_e((1+l)·m_{e,H} − (K_{e,H} − K_th)) + grid(u(z))
//	s.t. m_{e,t} + κ_ε·√(P_{e,t} + v_{e,t}) ≤ K_{e,t}           all chains
//	     the same with K_{e,t} − K_safe                          all but the highest class
//
//	symbol    field                      meaning
//	c         Option.Cost                β·ξ weighted by messages, +Inf: not available
//	γ         Chain.SwitchCost           a change of option between two steps
//	m, v      Draw                       cumulative mean and variance drawn, bit and bit²
//	K, P      Pool.StockBits, …VarBits   stock with cumulative supply, its variance
//	K_safe    Pool.ReserveBits           η_buf of the paper's (24)
//	K_th, l   Terminal                   stock wanted at H, and seconds of draw over those of H
//	φ         Terminal.Cost              of key missing at H: ρs²/2S up to S, then ρ a bit
//	κ_ε       Problem.Kappa              Gaussian or Cantelli
//	grid      Grid, Pending              |Δf|, |ΔV| and Δf² of a reduced model
//
// Corrections to the paper: its (24) compares a rate with a stock, here both are
// cumulative bits; x(1−x) = 0 of (35) does not hold for x ∈ {0,1,2}, hence one
// binary an option; "equation (8)" in (26) is (25).
//
// Where a row fails with all chains off (κ√P > K − η_buf) its limit is raised by
// the least that helps, and Problem.Slacks says where.
//
// # The engine
//
// Engine dualises what chains share. For prices π ≥ 0 of the shared rows the
// Lagrangian separates into a shortest path over (step, option) for each chain,
// and its value is a bound whatever π is. Prices are those of a linear programme
// over the paths found so far (column generation). See row and envelope for the
// linear rows that stand for a cone, master for the linear programme, Grid for
// the grid's rows, and relaxation.tangent for terminal costs. Plans come from the
// linear programme and from descent, and are judged by the exact cone alone.
package reconfig
