package alert_test

import (
	"fmt"
	"time"

	"cosim/internal/record/alert"
)

func Example() {
	d := alert.NewDispatcher(nil, alert.Log(func(line string) { fmt.Println(line) }))
	w := alert.NewWatch("S-3-1", alert.Limits{SafeHz: 0.05, Period: 100 * time.Millisecond}, d.Hear)
	_ = w // one of the run's observers
	d.Hear(alert.Alert{Run: "S-3-1", At: 312.62e9, Rule: alert.RuleFrequency, Value: -0.0514, Limit: 0.05, Unit: "Hz"})
	d.Close(time.Second)
	// Output: alert: S-3-1: frequency is outside ±0.050 Hz: -0.051 Hz at 312.62 s
}
