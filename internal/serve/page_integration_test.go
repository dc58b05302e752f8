//go:build integration

package serve

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"cosim/internal/experiment"
)

// browser is a page of the live view in a real browser.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	errors []string // of the console
}

// browse opens a page, in a window of 1366 × 768 as laptops have it.
func browse(t *testing.T, url, colours string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	parent, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	parent, cancel = chromedp.NewExecAllocator(parent, options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(parent)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.EmulateViewport(1366, 768))
	b.colours(colours)
	read := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.errors = append(b.errors, m.Text)
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		<-read
	})
	b.do(chromedp.Navigate(url))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) colours(scheme string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](b *browser, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for an expression to be true.
func (b *browser) until(what, js string) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if ask[bool](b, "Boolean("+js+")") {
			return
		}
	}
	b.t.Fatalf("never: %s\nthe page says: %s", what, ask[string](b, "document.body.innerText"))
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	return ask[string](b, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// clean fails the test if the console holds an error.
func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		b.t.Errorf("console: %s", e)
	}
}

// calm is an S-3 without drawn disturbances.
func calm(duration string) experiment.Overrides {
	return experiment.Overrides{Set: []string{
		"duration=" + duration, "disturbances.contingencies.count=0", "disturbances.surges.count=0", "quantum.break_rate_hz=0",
	}}
}

const (
	linkGW2   = `document.querySelector('[aria-label="Link CC-GW2"]')`
	chainsGW2 = `Number(/(\d+) chains?$/.exec(` + linkGW2 + `.querySelector("title").textContent)[1])`
)

func TestIntegrationALinkBrokenOnThePageTurnsTheRoutes(t *testing.T) {
	s := serving(t, Config{Experiment: "S-3", Overrides: calm("2000s"), RealTime: 10})
	b := browse(t, s.url, "light")
	b.until("stations and links are drawn", `document.querySelectorAll("#graph .link.quantum").length === 8 && document.querySelectorAll("#graph .node").length === 23`)
	b.until("chains are drawn", `document.querySelectorAll("#strip .chain").length === 44`)
	b.until("chains travel over CC-GW2", chainsGW2+" > 3")
	b.do(chromedp.Click(chromedp.CSS(`#graph [aria-label="Link CC-GW2"] .hit`)))
	b.until("the drawer is open", `!document.getElementById("drawer").hidden`)
	b.do(chromedp.SetValue(chromedp.CSS(`#drawer form input[name=duration_s]`), "30"), chromedp.Click(chromedp.CSS(`#drawer form button`)))
	b.until("the link is broken", linkGW2+`.classList.contains("broken") && `+linkGW2+`.textContent.includes("✕")`)
	b.until("the order stands in the log", `document.getElementById("events").innerText.includes("Operator: cut fibre CC–GW2 for 30 s")`)
	b.until("the break stands in the log", `document.getElementById("events").innerText.includes("Fibre CC–GW2 is cut")`)
	b.until("chains go other ways", chainsGW2+` === 0 && document.querySelectorAll("#strip .route-1, #strip .route-2").length > 3`)
	b.until("the link is whole again", linkGW2+`.classList.contains("whole")`)
	b.until("chains come back", chainsGW2+" > 0")
	b.clean()
}

func TestIntegrationThePagePausesStepsAndPaces(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: calm("2000s"), RealTime: 1})
	b := browse(t, s.url, "light")
	b.until("the run goes on", `document.getElementById("state").textContent === "running" && !document.getElementById("pause").disabled`)
	b.do(chromedp.Click(chromedp.CSS("#pause")))
	b.until("it is held", `document.getElementById("state").textContent === "paused" && document.getElementById("pause").textContent === "Resume"`)
	b.do(chromedp.Sleep(500 * time.Millisecond)) // a step that was under way ends, and is told
	before := b.text("#time")
	b.do(chromedp.Click(chromedp.CSS("#step")))
	b.until("a step has passed", fmt.Sprintf(`(parseFloat(document.getElementById("time").textContent) - %v).toFixed(2) === "0.01"`, strings.TrimSuffix(before, " s")))
	b.do(chromedp.Click(chromedp.CSS("#clock")), chromedp.Evaluate[chromedp.Void]("document.activeElement.blur()"), chromedp.KeyEvent(" "))
	b.until("the space bar lets it go on", `document.getElementById("state").textContent === "running"`)
	b.do(chromedp.Evaluate[chromedp.Void](`const pace = document.getElementById("pace"); pace.value = "10"; pace.dispatchEvent(new Event("change"))`))
	b.until("it is ten times as fast", `Math.abs(parseFloat(document.getElementById("speed").textContent) - 10) < 1`)
	if v := s.call("GET", "/v1/runs/current", "", 200); v["real_time"] != 10.0 {
		t.Errorf("%v", v)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[aria-label^="RTU16"]').focus()`), chromedp.KeyEvent("\r"))
	b.until("the keyboard opens the drawer", `document.querySelector("#drawer b").textContent === "Station RTU16" && document.querySelector("#drawer [name=bus]").value === "16"`)
	b.do(chromedp.Click(chromedp.CSS("#drawer form button")))
	b.until("the load step stands in the log", `document.getElementById("events").innerText.includes("Operator: +300 MW of load at bus 16 (area-3) for 50 s")`)
	b.until("and shows in the figures", `parseFloat(document.querySelector("#tile-frequency b").textContent) > 0.02`)
	b.clean()
}

func TestIntegrationThePageFitsALaptopInBothThemes(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: calm("2000s"), RealTime: 10})
	b := browse(t, s.url, "light")
	b.until("the charts are drawn", `document.querySelectorAll(".chart canvas").length === 2`)
	for _, height := range []int64{768, 640} {
		b.do(chromedp.EmulateViewport(1366, height))
		size := ask[[]float64](b, `[document.documentElement.scrollWidth, document.documentElement.scrollHeight]`)
		if size[0] > 1366 || size[1] > float64(height) {
			t.Errorf("the page takes %v × %v of 1366 × %d", size[0], size[1], height)
		}
		if low := ask[float64](b, `Math.max(...[...document.querySelectorAll("main > section")].map((e) => e.getBoundingClientRect().bottom))`); low > float64(height) {
			t.Errorf("a panel ends at %v of %d", low, height)
		}
	}
	ground := func() string { return ask[string](b, `getComputedStyle(document.body).backgroundColor`) }
	light := ground()
	b.colours("dark")
	dark := ground()
	if light == dark {
		t.Error("the page does not follow the system's colours")
	}
	b.do(chromedp.Click(chromedp.CSS("#theme"))) // from that of the system to light
	if got := ground(); got != light {
		t.Errorf("light is %s by the switch and %s by the system", got, light)
	}
	b.do(chromedp.Click(chromedp.CSS("#theme")))
	if got := ground(); got != dark {
		t.Errorf("dark is %s by the switch and %s by the system", got, dark)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.documentElement.dataset.theme = %q", scheme)))
		if low := ask[float64](b, contrast); low < 4.5 {
			t.Errorf("%s: a text has a contrast of %.2f, want 4.5 at least (WCAG 2.2, 1.4.3)", scheme, low)
		}
	}
	b.clean()
}

// contrast is the lowest of the colours of text on the page's grounds.
const contrast = `(() => {
	const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	const light = (hex) => {
		const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => { const [x, y] = [light(css(a)), light(css(b))]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
	return Math.min(...["--text", "--muted", "--good", "--warn", "--bad", "--hand"].map((c) => ratio(c, "--panel")), ratio("--on-accent", "--accent"), ratio("--on-alert", "--alert"), ratio("--text", "--wc"), ratio("--text", "--aes"));
})()`

// A browser whose connection is cut says so and comes back; a run that ends is
// said to have ended.
func TestIntegrationThePageConnectsAgainAndSaysTheEnd(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: calm("2000s"), RealTime: 10})
	wire := newWire(t, s.Addr())
	b := browse(t, "http://"+wire.Addr().String(), "dark")
	b.until("the run goes on", `document.getElementById("state").textContent === "running"`)
	b.clean()
	wire.cut()
	b.until("the page says that it is cut off", `document.getElementById("notice").innerText.includes("Connection lost") && document.getElementById("state").textContent === "no connection"`)
	wire.mend()
	b.until("it is back", `document.getElementById("notice").hidden && document.getElementById("state").textContent === "running"`)
	s.call("POST", "/v1/runs/current/stop", "", 200)
	b.until("the run is over", `document.getElementById("state").textContent === "stopped" && document.getElementById("pause").disabled`)
	s.call("POST", "/v1/runs", `{"seed":7}`, 201)
	b.until("the page goes on with the next one", `document.getElementById("name").textContent.includes("seed 7") && document.getElementById("state").textContent === "running"`)
	b.until("and lists both", `!document.getElementById("runs").hidden && document.getElementById("runs").options.length === 3`)
}

// wire passes connections on until it is cut.
type wire struct {
	net.Listener
	to string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
	ended sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	w.ended.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			w.pass(from)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.cut()
		w.ended.Wait()
	})
	return w
}

func (w *wire) pass(from net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	to, err := net.Dial("tcp", w.to)
	if w.down || err != nil {
		_ = from.Close()
		if err == nil {
			_ = to.Close()
		}
		return
	}
	w.conns = append(w.conns, from, to)
	w.ended.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
	w.ended.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

// The library draws what a page of 100 series needs at 10 Hz.
func TestIntegrationAHundredSeriesAreDrawnAtTenHertz(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: calm("1s")})
	b := browse(t, s.url, "light")
	ms := ask[float64](b, `(async () => {
		const { default: uPlot } = await import("/page/uplot/uPlot.esm.js");
		const box = document.body.appendChild(document.createElement("div"));
		const n = 600, series = Array.from({ length: 100 }, (_, i) => ({ label: "s" + i, stroke: "#0072b2" }));
		const data = (k) => [Array.from({ length: n }, (_, i) => i + k), ...series.map((_, j) => Array.from({ length: n }, (_, i) => Math.sin((i + k + j) / 20)))];
		const plot = new uPlot({ width: 550, height: 200, legend: { show: false }, scales: { x: { time: false } }, series: [{}, ...series] }, data(0), box);
		const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		let sum = 0;
		for (let k = 1; k <= 20; k++) {
			const next = data(k);
			const began = performance.now();
			plot.setData(next);
			await frame();
			sum += performance.now() - began;
		}
		box.remove();
		return sum / 20;
	})()`)
	t.Logf("100 series of 600 points: %.1f ms a drawing", ms)
	if ms > 100 {
		t.Errorf("100 series take %.0f ms to draw, want 100 at most", ms)
	}
}

// TestIntegrationPicturesOfThePage takes the pictures of docs/live.md where
// COSIM_PICTURES names their folder, and else only sees that they can be taken.
func TestIntegrationPicturesOfThePage(t *testing.T) {
	o := experiment.Overrides{Set: []string{"duration=600s"}}
	s := serving(t, Config{Experiment: "S-3", Overrides: o})
	s.until(running)
	s.call("POST", "/v1/runs/current/pace", `{"real_time":30}`, 200) // only now: decisions of a run begun at a pace are ended by the clock
	b := browse(t, s.url, "light")
	b.until("a contingency is near", `parseFloat(document.getElementById("time").textContent) > 146`)
	s.call("POST", "/v1/runs/current/pace", `{"real_time":3}`, 200)
	b.until("a fibre is cut, and chains go other ways", `parseFloat(document.getElementById("time").textContent) > 155`)
	b.do(chromedp.Click(chromedp.CSS(`#pause`)))
	b.until("the run is held", `document.getElementById("state").textContent === "paused"`)
	for _, theme := range []string{"light", "dark"} {
		b.colours(theme)
		b.do(chromedp.Sleep(500 * time.Millisecond))
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil || len(png) == 0 || len(png) > 300_000 {
			t.Fatalf("%d bytes, %v", len(png), err)
		}
		if dir := os.Getenv("COSIM_PICTURES"); dir != "" {
			if err := os.WriteFile(dir+"/live-"+theme+".png", png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.clean()
}
