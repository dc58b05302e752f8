// Package grid models an electric transmission system or a feeder: its data
// ([Case]), its power flow ([SolveFlow], [SolveDC], [ComputePTDF]) and the
// small-signal dynamics of its frequency and voltages ([Simulator],
// [ComputeModes]).
//
// # Units
//
// Inside the package every power is per unit on the case's one base
// ([Case.BaseMVA]; 100 MVA for the 39- and 118-bus systems), every angle in
// radians and every speed per unit of the nominal frequency. MW, MVAr, Hz and
// degrees appear only at the boundary, and then in the name.
//
// # Model
//
// The dynamic model keeps the structure of the network. Its states x are those
// of the machines; the angle and the voltage of every bus are algebraic
// variables y:
//
//	ẋ = f(x, y, u)      0 = g(x, y, u)
//
// Linearised with analytic Jacobians at the equilibrium of the present
// topology, with u the deviations of set points and loads,
//
//	A = f_x − f_y g_y⁻¹ g_x     B = f_u − f_y g_y⁻¹ g_u
//	Δy = −g_y⁻¹ (g_x Δx + g_u u)
//
// so that the frequency and the voltage at every bus come out of one solve.
// The model is discretised exactly for inputs held over a step (zero-order
// hold), hence its accuracy does not depend on the step.
//
// The machine equations stand in machine.go, their assembly in dae.go. The
// formulation follows P. Kundur, Power System Stability and Control, 1994,
// chapters 6 and 12, and F. Milano and Á. Ortega, "Frequency Divider", IEEE
// Trans. Power Systems 32(2), 2017, for the frequency at a bus.
package grid
