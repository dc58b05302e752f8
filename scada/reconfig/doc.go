// Package reconfig decides, every 100 ms, by which route and in which mode each
// control chain travels over the next H steps, or that it is off, so that the
// key in the pools goes where it matters most: equations (22)-(30) of
// "Dynamic-Key-Aware Co-Simulation Framework for Next Generation of SCADA
// Systems Encrypted by QKD", section III.
package reconfig
