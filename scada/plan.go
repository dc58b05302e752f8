package scada

// Option is what the plan says of one chain.
type Option struct {
	Route int // index in Chain.Routes
	Mode  Mode
	Off   bool
}
