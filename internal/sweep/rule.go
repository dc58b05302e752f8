package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/spelling"
)

// Rule says when a point has seeds enough: ci(figure) is the half width of the
// 95 % interval of the figure's mean (Student's t over seeds), the number after
// ± in tables.
type Rule struct{ conditions []condition }

type condition struct {
	figure string
	below  float64
}

// ParseRule reads "ci(p_succ) < 0.01 and ci(delta_f_max_hz) < 0.005". Figures
// are called as in Figures, in any case of letters.
func ParseRule(text string) (*Rule, error) {
	r := &Rule{}
	for part := range strings.SplitSeq(strings.Join(strings.Fields(text), " "), " and ") {
		c, err := parseCondition(part)
		if err != nil {
			return nil, err
		}
		r.conditions = append(r.conditions, c)
	}
	return r, nil
}

func parseCondition(text string) (condition, error) {
	wrong := fmt.Errorf("%q is no condition, expected ci(FIGURE) < NUMBER, for example ci(p_succ) < 0.01", text)
	name, number, ok := strings.Cut(text, "<")
	if !ok {
		return condition{}, wrong
	}
	name, ok = strings.CutPrefix(strings.TrimSpace(name), "ci(")
	name, closed := strings.CutSuffix(name, ")")
	if !ok || !closed {
		return condition{}, wrong
	}
	figure, err := FindFigure(strings.TrimSpace(name))
	if err != nil {
		return condition{}, err
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return condition{}, wrong
	}
	if !(x > 0) {
		return condition{}, fmt.Errorf("%q: expected a number above 0", text)
	}
	return condition{figure, x}, nil
}

// byClass are figures that each class of tasks has, as in p_succ/agc.
var byClass = []string{"p_succ/", "latency_p50_s/", "latency_p99_s/"}

// byOperator are those that each of several operators has, as in
// operator_key_share/TSO.
var byOperator = []string{"operator_p_succ/", "operator_key_share/"}

// FindFigure is the key of a figure, in any case of letters but for the names of
// operators.
func FindFigure(name string) (string, error) {
	lower := strings.ToLower(name)
	known := knownFigures()
	for _, prefix := range byOperator {
		if operator := name[min(len(name), len(prefix)):]; strings.HasPrefix(lower, prefix) && operator != "" && !strings.ContainsAny(operator, " ()<") {
			return prefix + operator, nil
		}
	}
	for _, prefix := range byClass {
		if class, ok := strings.CutPrefix(lower, prefix); ok && class != "" && !strings.ContainsAny(class, " ()<") {
			return lower, nil
		}
	}
	if slices.Contains(known, lower) {
		return lower, nil
	}
	if name == "" {
		return "", errors.New("no figure, expected one such as p_succ")
	}
	if near, ok := spelling.Nearest(lower, known); ok {
		return "", fmt.Errorf("no figure %q; did you mean %q?", name, near)
	}
	return "", fmt.Errorf("no figure %q; expected one of %s", name, strings.Join(known, ", "))
}

// knownFigures are the keys that runs may have, also of several operators and
// under attack.
func knownFigures() []string {
	s := metrics.NewSummary("", "", 0)
	s.Operators = make([]metrics.OperatorSummary, 1)
	s.Attacks.Dropped = 1
	var known []string
	for _, f := range s.Figures() {
		if !strings.Contains(f.Key, "/") {
			known = append(known, f.Key)
		}
	}
	return known
}

func (r *Rule) String() string {
	parts := make([]string, len(r.conditions))
	for i, c := range r.conditions {
		parts[i] = fmt.Sprintf("ci(%s) < %s", c.figure, strconv.FormatFloat(c.below, 'g', -1, 64))
	}
	return strings.Join(parts, " and ")
}

// leastEqual is how many runs must have exactly the same value before an
// interval of width 0 counts: two or three may be equal by chance, a share of
// tasks that all succeed above all.
const leastEqual = 5

// met says whether the runs are enough. A figure that fewer than two runs have
// never is.
func (r *Rule) met(runs []*metrics.Summary) bool {
	for _, c := range r.conditions {
		s := metrics.Describe(figure(runs, c.figure))
		if !s.CI95High.Defined() || float64(s.CI95High-s.Mean) >= c.below || s.Max == s.Min && s.N < leastEqual {
			return false
		}
	}
	return true
}

// figure is that of every run that has it.
func figure(runs []*metrics.Summary, key string) []float64 {
	var list []float64
	for _, s := range runs {
		for _, f := range s.Figures() {
			if f.Key == key {
				list = append(list, float64(f.Value))
			}
		}
	}
	return list
}
