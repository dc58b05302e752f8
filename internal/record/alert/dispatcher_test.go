package alert

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taker is a receiver that refuses the first few and takes its time.
type taker struct {
	mu     sync.Mutex
	refuse int
	slow   time.Duration
	got    [][]Alert
}

func (k *taker) String() string { return "taker" }

func (k *taker) Send(ctx context.Context, alerts []Alert) error {
	select {
	case <-time.After(k.slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse > 0 {
		k.refuse--
		return errors.New("busy")
	}
	k.got = append(k.got, alerts)
	return nil
}

func numbered(n int) Alert { return Alert{Run: fmt.Sprint(n), Rule: RulePool} }

func TestAlertsOfASecondGoTogetherAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{refuse: 2}
		d := NewDispatcher(func(s string) { t.Error(s) }, k)
		for i := range 3 {
			d.Hear(numbered(i))
		}
		time.Sleep(30 * time.Second)
		d.Hear(numbered(3))
		d.Close(time.Minute)
		if len(k.got) != 2 || len(k.got[0]) != 3 || k.got[0][2].Run != "2" || len(k.got[1]) != 1 {
			t.Errorf("got %v", k.got)
		}
	})
}

func TestSlowReceiverNeverHoldsUpWhoSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{slow: 9 * time.Second}
		var told []string
		d := NewDispatcher(func(s string) { told = append(told, s) }, k)
		began := time.Now()
		const n = queue + 500
		for i := range n {
			d.Hear(numbered(i))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("speaking took %v", took)
		}
		time.Sleep(20 * time.Minute)
		d.Close(time.Minute)
		delivered := 0
		for _, g := range k.got {
			delivered += len(g)
		}
		if delivered != queue || len(told) != 1 || !strings.Contains(told[0], "500 alerts were not sent") {
			t.Errorf("%d of %d delivered, told %q", delivered, n, told)
		}
		if last := k.got[len(k.got)-1]; last[len(last)-1].Run != fmt.Sprint(n-1) {
			t.Errorf("the newest was dropped: %v", last)
		}
	})
}

func TestWhatNobodyTakesIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{refuse: 1 << 30}
		var told []string
		d := NewDispatcher(func(s string) { told = append(told, s) }, k)
		d.Hear(numbered(7))
		time.Sleep(time.Minute)
		d.Close(time.Minute)
		if len(told) != 1 || !strings.Contains(told[0], "taker did not take 1 alert(s)") || !strings.Contains(told[0], "busy") {
			t.Errorf("told %q", told)
		}
	})
}

func TestCloseEndsWithinItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{slow: time.Hour}
		d := NewDispatcher(func(string) {}, k)
		d.Hear(numbered(0))
		time.Sleep(2 * time.Second)
		began := time.Now()
		d.Close(5 * time.Second)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

// At the end of a run nobody waits for more alerts, but for receivers.
func TestWebhookThatIsAwayForASecondHearsTheEnd(t *testing.T) {
	began := time.Now()
	var heard []time.Duration
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if time.Since(began) < time.Second {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		heard = append(heard, time.Since(began))
	}))
	defer s.Close()
	defer http.DefaultClient.CloseIdleConnections()
	hook, err := Parse(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDispatcher(func(s string) { t.Error(s) }, hook)
	d.Hear(numbered(0))
	d.Close(20 * time.Second)
	if len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
}

func TestTriesAtTheEndAreSecondsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &taker{refuse: 1 << 30}
		var told []string
		d := NewDispatcher(func(s string) { told = append(told, s) }, k)
		for i := range 20 * most {
			d.Hear(numbered(i))
		}
		began := time.Now()
		d.Close(19 * time.Second)
		if took, tried := time.Since(began), 1<<30-k.refuse; took != 19*time.Second || tried != 14 {
			t.Errorf("%d tries within %v", tried, took)
		}
		// Four seconds for three tries of fifty; what there was no time for is one line.
		if n := len(told); n != 6 || !strings.Contains(told[0], "busy") || !strings.Contains(told[n-1], "750 more alert(s) to taker were not sent: no time was left") {
			t.Errorf("told %d lines: %q", n, told)
		}
	})
}

var sample = []Alert{
	{Run: "S-3-1", At: 3e9, Rule: RulePool, Element: "CC<GW1>", Value: 30000, Unit: "bit"},
	{Run: "S-3-1", At: 4e9, Rule: RulePool, Element: "CC-GW1", Over: true, Value: 60000, Unit: "bit"},
}

func TestWebhooksGetJSON(t *testing.T) {
	var body []byte
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
		fmt.Fprint(w, "no such hook")
	}))
	defer s.Close()
	defer http.DefaultClient.CloseIdleConnections()

	hook, err := Parse(s.URL+"/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hook.Send(context.Background(), sample); err != nil {
		t.Fatal(err)
	}
	var got struct{ Alerts []struct{ Text, Rule string } }
	if err := json.Unmarshal(body, &got); err != nil || len(got.Alerts) != 2 || got.Alerts[1].Text != "S-3-1: pool CC-GW1 holds 60000 bit again at 4.00 s" {
		t.Errorf("%s: %v", body, err)
	}

	slack, err := Parse("slack+"+s.URL+"/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := slack.Send(context.Background(), sample); err != nil {
		t.Fatal(err)
	}
	var text struct{ Text string }
	if err := json.Unmarshal(body, &text); err != nil || !strings.Contains(text.Text, "CC&lt;GW1&gt;") || strings.Count(text.Text, "\n") != 1 {
		t.Errorf("%s: %v", body, err)
	}

	status = http.StatusNotFound
	err = hook.Send(context.Background(), sample)
	if err == nil || !strings.Contains(err.Error(), "404 Not Found no such hook") {
		t.Errorf("error %v", err)
	}
	s.Close()
	err = hook.Send(context.Background(), sample)
	if err == nil || strings.Contains(err.Error()+hook.String(), "secret") {
		t.Errorf("%v of %v tells the secret path, or is none", err, hook)
	}
}

// post is a mail server that takes one mail (RFC 5321).
func post(t *testing.T) (addr string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mails := make(chan string, 1)
	go func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		fmt.Fprint(c, "220 test ESMTP\r\n")
		var data strings.Builder
		for inData := false; ; {
			line, err := in.ReadString('\n')
			switch {
			case err != nil:
				return
			case inData && line == ".\r\n":
				inData = false
				fmt.Fprint(c, "250 taken\r\n")
				mails <- data.String()
			case inData:
				data.WriteString(strings.TrimPrefix(line, "."))
			case strings.HasPrefix(line, "DATA"):
				inData = true
				fmt.Fprint(c, "354 go on\r\n")
			case strings.HasPrefix(line, "QUIT"):
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	}()
	return l.Addr().String(), mails
}

func TestMailIsAMessage(t *testing.T) {
	addr, got := post(t)
	r, err := Parse("smtp://"+addr+"/?from=cosim@example.org&to=a@example.org&to=b@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Send(context.Background(), sample); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(<-got))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 {
		t.Errorf("to %v: %v", to, err)
	}
	if s := m.Header.Get("Subject"); !strings.Contains(s, "and_1_more") && !strings.Contains(s, "and 1 more") {
		t.Errorf("subject %q", s)
	}
	if _, err := m.Header.Date(); err != nil {
		t.Error(err)
	}
}

func TestReceiversThatAreNoneAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "is no receiver of alerts",
		"somewhere":                           "is no receiver of alerts",
		"ftp://host/x":                        "ftp://host is no receiver",
		"slack+smtp://host/?from=a@b&to=c@d":  "is no receiver of alerts",
		"smtp://host/":                        `"" is no address of mail`,
		"smtp://host/?from=a@b.c":             "nobody is named",
		"smtp://host/?from=a@b.c&to=x%0d%0aX": "is no address of mail",
	} {
		if _, err := Parse(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"log": "log", "https://h/x?y": "https://h", "https://hooks.slack.com/services/T/B/X": "https://hooks.slack.com",
		"smtps://u:p@h/?from=a@b.c&to=c@d.e": "mail to c@d.e",
	} {
		r, err := Parse(text, nil)
		if err != nil || r.String() != want {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"log", "https://h/x", "slack+https://h/x", "smtp://u:p@h:25/?from=a@b.c&to=d@e.f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text, nil)
		if err == nil && r.String() == "" {
			t.Errorf("%q has no name", text)
		}
		if m, ok := r.(*mailer); ok && err == nil && strings.ContainsAny(m.from+strings.Join(m.to, ""), "\r\n") {
			t.Errorf("%q breaks a header", text)
		}
	})
}
