package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
)

// Task shows what happened to one task, first the answer, then step by step.
func Task(w io.Writer, t *experiment.TaskTrace) {
	fmt.Fprintf(w, "%-60s%s\n", fmt.Sprintf("%s  seed %d  task %s: %s", t.Experiment, t.Seed, thousands(int64(t.Task)), t.Chain), verdictOf(t))
	p := figurePrinter{w, columns(w)}
	p.line("trigger", fmt.Sprintf("at %.4f s", t.TriggerS), triggers[t.Trigger], fmt.Sprintf("%s for %s, priority %d", t.Class, t.Element, t.Priority))
	p.line("plan", planParts(t)...)
	p.line("time", fmt.Sprintf("%.0f ms, until %.4f s", 1000*(t.DeadlineS-t.TriggerS), t.DeadlineS), count(t.Attempts, "attempt"),
		thousands(int64(t.KeyBits))+" bit of key")
	if t.Why != "" {
		for i, line := range wrapped(t.Why, columns(w)-17) {
			label := "why"
			if i > 0 {
				label = ""
			}
			p.line(label, line)
		}
	}
	fmt.Fprintln(w)
	taskSteps(w, t)
}

func verdictOf(t *experiment.TaskTrace) string {
	switch {
	case t.Outcome == "failure":
		return "FAILED: " + t.Cause
	case t.Outcome == "success":
		return "success after " + fixed(1000*t.LatencyS, 1) + " ms"
	}
	return "without an outcome when the run ended"
}

// triggers say by whom a task was triggered.
var triggers = map[string]string{
	"periodic": "periodic", "poisson": "at random (Poisson)", "emergency": "by the emergency logic", "demand": "asked for",
}

func planParts(t *experiment.TaskTrace) []string {
	parts := []string{t.Plan.Mode + " on " + t.Plan.Route}
	if t.Plan.Off {
		parts[0] = "off"
	}
	if t.Plan.SinceS.Defined() {
		parts = append(parts, "since "+fixed(t.Plan.SinceS, 2)+" s")
	}
	return append(parts, fmt.Sprintf("wished %s, at least %s", t.Wished, t.Weakest))
}

// taskSteps prints the steps below each other; what is too long for its column
// goes on in the next line.
func taskSteps(w io.Writer, t *experiment.TaskTrace) {
	place := len("where")
	for i := range t.Steps {
		place = max(place, utf8.RuneCountInString(t.Steps[i].Where))
	}
	_, colour := IsTerminal(w)
	room := columns(w) - 24 - place
	fmt.Fprintf(w, " %10s  %8s  %-*s what\n", "at / s", "+ ms", place, "where")
	fmt.Fprintln(w, strings.Repeat("─", min(columns(w), 100)))
	for i := range t.Steps {
		s := &t.Steps[i]
		head := fmt.Sprintf(" %10.4f  %8.2f  %-*s ", s.AtS, 1000*(s.AtS-t.TriggerS), place, s.Where)
		for k, line := range wrapped(s.Text, room) {
			if k > 0 {
				head = strings.Repeat(" ", utf8.RuneCountInString(head))
			}
			if colour && s.Cause != "" {
				line = text.FgRed.Sprint(line)
			}
			fmt.Fprintln(w, head+line)
		}
	}
}

// wrapped breaks a text between words into lines that are no longer than width.
func wrapped(words string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(words) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// fewTasks is how many failed tasks are listed where not all are asked for.
const fewTasks = 30

// FailedTasks lists the failed tasks of a run, the first ones only unless all
// are asked for.
func FailedTasks(w io.Writer, f *experiment.FailedTasks, whole bool) {
	if len(f.Tasks) == 0 {
		fmt.Fprintln(w, "no failed tasks")
		return
	}
	parts := make([]string, len(f.Causes))
	for i, c := range f.Causes {
		parts[i] = c.Cause + " " + thousands(int64(c.Count))
	}
	fmt.Fprintf(w, "%s failed: %s\n\n", count(len(f.Tasks), "task"), strings.Join(parts, ", "))
	shown := f.Tasks
	if !whole {
		shown = shown[:min(fewTasks, len(shown))]
	}
	s := &sheet{columns: []column{{head: "task"}, {head: "class"}, {head: "mode"}, {head: "cause"}}}
	for _, t := range shown {
		s.add(t.Name, t.Class, t.Mode, t.Cause)
	}
	s.print(w, all(len(shown)), func(int) bool { return false })
	fmt.Fprintln(w)
	if n := len(f.Tasks) - len(shown); n > 0 {
		fmt.Fprintf(w, "%s more: --all\n", thousands(int64(n)))
	}
	fmt.Fprintf(w, "why: cosim trace %s %s\n", f.Run, f.Tasks[0].Name)
}
