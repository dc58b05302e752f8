//go:build integration

package report

import (
	"context"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// faults finds, in the page as it is laid out: what is wider than the window,
// words that leave their picture, and words that lie on each other.
const faults = `(() => {
  const found = [];
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) found.push("the page is " + document.documentElement.scrollWidth + " wide, the window " + wide);
  for (const e of document.querySelectorAll("main *:not(svg *)")) {
    if (e.closest(".scroll")) continue; // scrolls by itself
    const r = e.getBoundingClientRect();
    if (r.right > wide + 1) found.push(e.tagName + " ends at " + r.right);
  }
  for (const figure of document.querySelectorAll("figure")) {
    const svg = figure.querySelector("svg"), s = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim()).map(t => {
      const r = t.getBoundingClientRect(), h = 0.18 * r.height;
      return {text: t.textContent, left: r.left + 1, right: r.right - 1, top: r.top + h, bottom: r.bottom - h};
    });
    words.forEach((a, i) => {
      if (a.left < s.left - 2 || a.right > s.right + 2 || a.top < s.top || a.bottom > s.bottom) found.push(figure.id + ": " + a.text + " leaves the picture");
      for (const b of words.slice(0, i))
        if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push(figure.id + ": " + a.text + " lies on " + b.text);
    });
  }
  return found;
})()`

// printed holds the page against paper: no more sheets than expected.
func printed(ctx context.Context, t *testing.T, file string, most int) {
	t.Helper()
	r, err := chromedp.Call(ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	sheets := len(regexp.MustCompile(`/Type /Page\b`).FindAll(r.Data, -1))
	if sheets == 0 || sheets > most {
		t.Errorf("%s is printed on %d sheets, expected %d at most", file, sheets, most)
	}
}

func TestIntegrationPageFitsScreenAndPaper(t *testing.T) {
	one := write(t, Options{Runs: []string{place("S-3-1")}, Paper: true})
	all := write(t, Options{Runs: []string{runsDir}, Paper: true})
	pages := map[string]int{one.HTML: 6, all.HTML: 8} // at most
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	parent, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	parent, cancel = chromedp.NewExecAllocator(parent, options...)
	defer cancel()
	ctx, cancel := chromedp.NewContext(parent)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	complaints := make(chan string, 100)
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == chromedp.ConsoleException {
				complaints <- m.Text
			}
		}
	}()
	// 1280 pixels of a screen; of an A4 page 174 mm within its margins.
	for _, look := range []struct {
		name, media string
		width       int64
	}{{"screen", "screen", 1280}, {"telephone", "screen", 400}, {"paper", "print", 658}} {
		for _, file := range []string{one.HTML, all.HTML} {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			media := emulation.SetEmulatedMediaParams{Media: look.media}
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(look.width, 900), chromedp.Navigate("file://"+path)); err != nil {
				t.Fatal(err)
			}
			found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](faults))
			if err != nil {
				t.Fatal(err)
			}
			pictures, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll("figure svg").length`))
			if err != nil {
				t.Fatal(err)
			}
			if pictures < 8 {
				t.Errorf("%s: %d pictures", look.name, pictures)
			}
			if look.name == "paper" {
				printed(ctx, t, file, pages[file])
			}
			for _, f := range found {
				t.Errorf("%s, %d pixels: %s", look.name, look.width, f)
			}
		}
	}
	select {
	case c := <-complaints:
		t.Errorf("the console says %s", c)
	default:
	}
}
