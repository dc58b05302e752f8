// Package influx sends what a run's log holds to InfluxDB, while the run goes
// on or at any time after.
//
// # What stands where
//
// A point is a measurement, tags, a time and fields. Every value of every row
// and every event of a log becomes exactly one of them, see ColumnPlace and
// EventPlace:
//
//	measurement   rows                                       events
//	grid          grid.*, scada.controller                   load steps, trips, breakers, operators' orders
//	pool          scada.pool, totals of key, fairness        thresholds of pools, key delivered
//	link          quantum.*, queues of the network           breaks, repairs, blocks of key
//	chain         -                                          changes of a chain's plan
//	task          scada.ledger                               ends of tasks
//	optimizer     scada.decision                             -
//	master        balances of messages, everything else      lost federates, everything else
//
// A column's name is "<federate>.<port>/<element>". Its field is the port and
// its tag element the element, so that a point holds all that a row says of one
// element; where the elements of a port are quantities of one thing, as those
// of scada.decision, they are the fields. Events are told apart by the tag type
// and have the fields value and detail.
//
// Each point has the tags run, experiment, case, seed and, where it is about
// one, element. Simulated time is counted from the run's Epoch, so that a run
// that is sent again with the same Epoch replaces itself. Two events that would
// stand in one place are told apart by the tag nth.
//
// A missing value (NaN) has no field; nor have infinities, which the database
// cannot hold.
package influx
