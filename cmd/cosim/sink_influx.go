package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"cosim/internal/experiment"
	"cosim/internal/record/influx"
	cosync "cosim/sync"
)

// influxSink sends runs to InfluxDB while they go on.
type influxSink struct {
	influx.Target
	epochText string
	wait      time.Duration

	epoch  influx.Epoch
	out    string
	host   string // of the database, in messages
	sender *influx.Sender
}

// How long a database that takes nothing is waited for at the end: one that took
// points before, and one that took none during the whole run, which is most
// likely not there.
const (
	silence = 30 * time.Second
	unheard = time.Second
	// moment is for the last points of a run whatever --influx-wait says.
	moment = 100 * time.Millisecond
)

func (k *influxSink) register(flags *pflag.FlagSet) {
	flags.StringVar(&k.URL, "influx", "", "InfluxDB to which runs are sent while they go on: http://127.0.0.1:8086")
	flags.StringVar(&k.Token, "influx-token", "", "token, or user:password of InfluxDB 1.8 (default $INFLUX_TOKEN)")
	flags.StringVar(&k.Org, "influx-org", "", "organisation of InfluxDB 2 (default $INFLUX_ORG)")
	flags.StringVar(&k.Bucket, "influx-bucket", "", "bucket, or database of InfluxDB 1.8 (default $INFLUX_BUCKET, or "+influx.DefaultBucket+")")
	flags.StringVar(&k.epochText, "influx-epoch", "", "where simulated time zero stands: a time, or from the start of the run: -10m (default its start)")
	flags.DurationVar(&k.wait, "influx-wait", 10*time.Minute, "longest wait at the end for a database that is behind")
}

// open checks the flags. What is wrong with the database is found and told
// beside the runs.
func (k *influxSink) open(cmd *cobra.Command) (bool, error) {
	if err := k.check(cmd); err != nil || k.URL == "" {
		return false, err
	}
	if out := cmd.Flags().Lookup("out"); out != nil {
		if k.out = out.Value.String(); k.out == "" {
			return false, errors.New("--influx needs a folder, --out is empty")
		}
	}
	db, err := influx.New(k.Target)
	if err != nil {
		return false, err
	}
	tell := func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
	k.host, k.sender = db.Host(), influx.NewSender(db, tell)
	return true, nil
}

func (k *influxSink) check(cmd *cobra.Command) error {
	if k.URL == "" {
		var lone string
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if strings.HasPrefix(f.Name, "influx-") {
				lone = f.Name
			}
		})
		if lone != "" {
			return fmt.Errorf("--%s needs --influx", lone)
		}
		return nil
	}
	for value, name := range map[*string]string{&k.Token: "INFLUX_TOKEN", &k.Org: "INFLUX_ORG", &k.Bucket: "INFLUX_BUCKET"} {
		if *value == "" {
			*value = os.Getenv(name)
		}
	}
	if k.Bucket == "" {
		k.Bucket = influx.DefaultBucket
	}
	if k.wait < 0 {
		return fmt.Errorf("--influx-wait is %v, expected at least 0s", k.wait)
	}
	var err error
	if k.epoch, err = influx.ParseEpoch(k.epochText); err != nil {
		return fmt.Errorf("--influx-epoch: %w", err)
	}
	return nil
}

func (k *influxSink) watch(d *experiment.Definition) (cosync.Observer, error) {
	return k.sender.Watch(filepath.Join(k.out, d.RunName()), experiment.InfluxRun(d, k.epoch.At(time.Now()))), nil
}

// close waits for what is still to be sent, and says how the rest can be.
func (k *influxSink) close(cmd *cobra.Command) error {
	if left := k.finish(cmd, unheard); len(left) > 0 {
		k.tellLeft(cmd, left)
	}
	return nil
}

// send sends recorded runs: cosim export.
func (k *influxSink) send(cmd *cobra.Command, places []string) error {
	notes, err := experiment.SendRuns(places, k.epoch, k.sender)
	for _, note := range notes {
		fmt.Fprintln(cmd.ErrOrStderr(), note)
	}
	left := k.finish(cmd, silence)
	for _, r := range k.sender.Receipts() {
		state := ""
		if !r.Complete {
			state = " (not all of the run)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d points%s\n", r.Run, r.Points, state)
	}
	if len(left) > 0 {
		k.tellLeft(cmd, left)
		err = errors.Join(err, fmt.Errorf("%s not sent", count(len(left), "run")))
	}
	return failed(err)
}

func (k *influxSink) finish(cmd *cobra.Command, unheard time.Duration) []influx.Undelivered {
	ctx, limits := cmd.Context(), influx.Limits{Total: max(k.wait, moment), Silent: silence, Unheard: unheard}
	if ctx.Err() != nil { // interrupted; a moment for the last second of a run
		ctx, limits.Total = context.Background(), min(limits.Total, 2*time.Second)
	}
	p := newDeliveryLine(cmd, k.host)
	defer p.end()
	return k.sender.Finish(ctx, limits, p.show)
}

func (k *influxSink) tellLeft(cmd *cobra.Command, left []influx.Undelivered) {
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "influx: %s has not got %s of %s: %v\n", k.host, k.sender.Status().Waiting(), count(len(left), "run"), left[0].Err)
	line := "  cosim export"
	for _, u := range left[:min(len(left), 4)] {
		line += " " + u.Dir
	}
	if len(left) > 4 {
		line += " …"
		if k.out != "" {
			line = "  cosim export " + k.out
		}
	}
	line += " --influx " + k.URL
	if k.Org != "" {
		line += " --influx-org " + k.Org
	}
	if k.Bucket != influx.DefaultBucket {
		line += " --influx-bucket " + k.Bucket
	}
	fmt.Fprintf(w, "nothing is lost: the logs are complete, and sent again by\n%s\n", line)
}

func count(n int, what string) string { return fmt.Sprintf("%d %s%s", n, what, plural(n)) }

// deliveryLine tells a person how far the delivery is: one line that is
// rewritten on a terminal, otherwise a line every ten seconds.
type deliveryLine struct {
	cmd      *cobra.Command
	host     string
	terminal bool
	began    time.Time
	last     time.Time
	first    influx.Status
	shown    bool
}

func newDeliveryLine(cmd *cobra.Command, host string) *deliveryLine {
	file, ok := cmd.ErrOrStderr().(*os.File)
	return &deliveryLine{cmd: cmd, host: host, terminal: ok && term.IsTerminal(int(file.Fd())), began: time.Now()}
}

func (p *deliveryLine) show(s influx.Status) {
	now := time.Now()
	if p.last.IsZero() {
		p.first = s
	}
	every := 10 * time.Second
	if p.terminal {
		every = 500 * time.Millisecond
	}
	if now.Sub(p.last) < every || now.Sub(p.began) < time.Second {
		if p.last.IsZero() {
			p.last = now.Add(-every + time.Second)
		}
		return
	}
	p.last = now
	text := "influx: " + p.text(s, now.Sub(p.began).Seconds())
	if p.terminal {
		fmt.Fprintf(p.cmd.ErrOrStderr(), "\r\x1b[K%s", text)
		p.shown = true
		return
	}
	fmt.Fprintln(p.cmd.ErrOrStderr(), text)
}

// text says how much is sent, how fast, and how long the rest takes at this
// pace.
func (p *deliveryLine) text(s influx.Status, afterS float64) string {
	sent := fmt.Sprintf("%.0f %% sent", 100*float64(s.SentBytes)/float64(max(1, s.TotalBytes)))
	if s.Away {
		return fmt.Sprintf("%s, %s wait for %s, silent for %.0f s", sent, s.Waiting(), p.host, s.SilentFor.Seconds())
	}
	sent += fmt.Sprintf(", %.0f points/s", float64(s.Points-p.first.Points)/afterS)
	if bytes := s.SentBytes - p.first.SentBytes; bytes > 0 {
		sent += fmt.Sprintf(", %.0f s left", afterS*float64(s.TotalBytes-s.SentBytes)/float64(bytes))
	}
	return sent
}

func (p *deliveryLine) end() {
	if p.shown {
		fmt.Fprint(p.cmd.ErrOrStderr(), "\r\x1b[K")
	}
}
