// Package stackelberg lets several operators plan their chains on shared key
// pools: parts of their own (Shares, the experiment S-4), or a game that the operator
// of the transmission grid leads and those of distribution grids follow (Game,
// S-5). It is section IV of "Dynamic-Key-Aware Co-Simulation Framework for Next
// Generation of SCADA Systems Encrypted by QKD", equations (31)-(35), on the
// problem of package reconfig, of which Problem.Operators says whose chains are
// whose.
//
// # The game
//
//	min_x  J(x, y) = Σ_{ℓ of the leader} c_ℓ(x_ℓ) + S(x, y) + ρ_F·Σ_a (1 − s_a)²
//	s.t.   y ∈ argmin { f(x, y) = Σ_{ℓ of followers} c_ℓ(y_ℓ) + S(x, y) }
//	       m_x + m_y + κ√(P + v_x + v_y) ≤ b      every row of every pool
//
//	symbol  meaning
//	x, y    plans of the leader and of all followers
//	c_ℓ     what chain ℓ's plan costs it: drops, weaker modes, changes
//	S       what is shared: terminal costs of the pools, and the grid
//	s_a     key granted to operator a over key it asks, as planned
//	m, v    mean and variance drawn, cumulative
//
// Whoever can change a shared cost pays for it in full, as (31) has λ‖Δf‖² in
// both objectives. Followers that differ in nothing but c_ℓ then play a potential
// game: a change of one follower's plan changes its cost and f by the same. The
// y that minimises f is an equilibrium among them (a generalised one, for they
// share the rows), the one in which a bit is worth the same to each: the
// variational equilibrium. It is the response that the leader expects.
//
// Where several y cost followers the same, the leader counts on the one that it
// likes best (optimistic): followers' options are tilted by 1e-7 of what they do
// to its objective, and plans within that of each other are equal.
//
// Given x, followers see rows with less room, b − m_x, and a larger variance that
// is not theirs, P + v_x (reconfig.Others). All off is always open to them, so
// that any x that keeps the rows alone is feasible.
//
// # LD-CP
//
// Each round fixes the leader's plan and solves the followers' relaxation. Its
// rows and their prices are the complementarity pairs 0 ≤ slack ⟂ price ≥ 0, and
// at a basis of the linear programme the pairs that are active give the rate at
// which J follows the leader's draws: the prices that the basis has for J in the
// place of f. The leader then solves its own problem with these rates as costs of
// key and 2ρ for each step in which an option changes, which is ρ‖x − x_p‖² for
// binaries. What is better with the followers' new response, by half the proximal
// term at least, is accepted; otherwise ρ is raised. See Game.
package stackelberg
