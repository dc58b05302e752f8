//go:build integration

package serve

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"cosim/internal/experiment"
)

func TestIntegrationThePageShowsAlerts(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: calm("2000s"), RealTime: 10})
	b := browse(t, s.url, "light")
	b.until("the run goes on", `document.getElementById("state").textContent === "running"`)
	s.call("POST", "/v1/runs/current/disturbances", `{"kind":"load-step","bus":16,"size_mw":900,"duration_s":20}`, 200)
	alert := func(text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#events .alert")].some((e) => /%s/.test(e.textContent))`, text)
	}
	b.until("the frequency out of its band is an alert", alert(`alertFrequency is outside ±0\.050 Hz: −0\.05`))
	b.until("and so is its return", alert(`alert overFrequency is back within ±0\.050 Hz, after −0\.\d{3} Hz at most`))
	times := ask[[]float64](b, `[...document.querySelectorAll("#events time")].map((e) => Number(e.textContent))`)
	for i := 1; i < len(times); i++ {
		if times[i] > times[i-1] {
			t.Errorf("an entry of %v s stands below one of %v s", times[i], times[i-1])
		}
	}
	if text := b.text("#operators"); text != "" && !ask[bool](b, `document.getElementById("operators").hidden`) {
		t.Errorf("one operator has tiles: %q", text)
	}
	b.clean()
}

func TestIntegrationThePageShowsEachOperator(t *testing.T) {
	o := calm("2000s")
	s := serving(t, Config{Experiment: "S-4", Overrides: experiment.Overrides{Set: o.Set}, RealTime: 2})
	b := browse(t, s.url, "light")
	b.until("each operator has a tile", `document.querySelectorAll("#operators .operator").length === 4 && document.querySelector("#operators .operator strong").textContent === "TSO"`)
	b.until("its tasks succeed", `parseFloat(document.querySelectorAll("#operators .operator > b")[3].textContent) > 50`)
	b.until("it has a share of the key", `[...document.querySelectorAll("#operators .operator")].every((e) => Math.abs(e.querySelector(".bar i").offsetWidth / e.querySelector(".bar").offsetWidth - Number(e.querySelector("em").textContent)) < 0.03)`)
	b.until("key fairness is shown", `parseFloat(document.querySelector("#operators .tile b").textContent) > 0.25`)
	b.until("decisions say how many were late", `/ (none|[\d,]+) late$/.test(document.querySelector("#tile-decisions small").textContent)`)
	b.until("thin lines are named", `document.getElementById("pool-key").textContent === "kbit; thin: links between gateways and between centres"`)
	for _, height := range []int64{768, 640} {
		b.do(chromedp.EmulateViewport(1366, height))
		if low := ask[float64](b, `Math.max(document.documentElement.scrollHeight, ...[...document.querySelectorAll("main > section")].map((e) => e.getBoundingClientRect().bottom))`); low > float64(height) {
			t.Errorf("the page takes %v of %d", low, height)
		}
	}
	b.do(chromedp.EmulateViewport(1366, 768))
	for _, scheme := range []string{"light", "dark"} {
		b.colours(scheme)
		b.until("all chains are seen without scrolling", `document.getElementById("strip").scrollHeight <= document.getElementById("strip").clientHeight`)
		b.until("no figure is cut", `[...document.querySelectorAll(".tile small")].every((e) => e.scrollWidth <= e.clientWidth)`)
	}
	b.clean()
}
