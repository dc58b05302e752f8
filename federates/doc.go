// Package federates joins the models to the master: one adapter a model, each
// of which states its ports, hands the model what arrived and publishes what
// it made. No physics and no decisions stand here.
//
//	quantum ──fibre──▶ network ◀──frames── scada
//	   ┊                ┊    │               ▲
//	   ┊ blocks,        ┊    └─commands─▶ ieds ──orders──▶ grid
//	   ┊ fibre          ┊ deliveries,      ┊                ┊
//	   ┊                ┊ drops            ┊ applied        ┊ samples
//	   └┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┴┄┄┄▶ scada ◀┄┄┄┄┄┄┴┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘
//
// Solid arrows are read in the same step, dotted ones in the next.
package federates

// Types of the events that federates exchange.
const (
	EventLinkDown = "link-down" // a fibre was cut
	EventLinkUp   = "link-up"   // a fibre is whole again
	EventBlock    = "key-block" // Value bits of key can be drawn from At on
)
