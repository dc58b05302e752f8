package experiment

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	cosync "cosim/sync"
)

// leaf is a value of a definition that --set can change.
type leaf struct {
	path string
	t    reflect.Type
}

// leaves lists the values below v, maps by the keys that v has; lists are left
// out.
func leaves(path string, v reflect.Value) []leaf {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	var list []leaf
	switch t := v.Type(); {
	case t == durationType:
		return []leaf{{path, t}}
	case reflect.PointerTo(t).Implements(unmarshalerType), t.Kind() == reflect.String, t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return nil
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if name, inline := fieldKey(t.Field(i)); inline {
				list = append(list, leaves(path, v.Field(i))...)
			} else if name != "" {
				list = append(list, leaves(join(path, name), v.Field(i))...)
			}
		}
	case t.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			list = append(list, leaves(join(path, key.String()), v.MapIndex(key))...)
		}
	default:
		return []leaf{{path, t}}
	}
	return list
}

// extremes are values at and beyond the edges of what makes sense, short of
// what only takes long (a task each nanosecond).
func extremes(l leaf) []string {
	switch {
	case l.t == durationType:
		return []string{"0s", "10ms", "15ms", "1s", "50s", "1000h"}
	case l.t.Kind() == reflect.Bool:
		return []string{"true", "false"}
	case strings.HasSuffix(l.path, "rate_hz"):
		return []string{"0", "-1", "0.5", "1e-300", "1e-9", "100"}
	case l.t.Kind() == reflect.Float64:
		return []string{"0", "-1", "0.5", "1", "1e-300", "1e-9", "1e4"}
	}
	return []string{"0", "1", "-1", "2", "7", "100", "3000"}
}

// An experiment of which validate finds nothing to complain can be built, and
// its first steps break no contract, whatever its values.
func TestWhatIsValidRuns(t *testing.T) {
	all := leaves("", reflect.ValueOf(load(t, "S-1")).Elem())
	if len(all) < 80 {
		t.Fatalf("only %d values to change", len(all))
	}
	valid := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(Names()).Draw(t, "experiment")
		var set []string
		if rapid.IntRange(0, 19).Draw(t, "case") == 19 { // takes ten times as long
			set = append(set, "case=ieee118", "operators="+someOperators(t))
		}
		for range rapid.IntRange(1, 2).Draw(t, "changes") {
			l := rapid.SampledFrom(all).Draw(t, "key")
			set = append(set, l.path+"="+rapid.SampledFrom(extremes(l)).Draw(t, "value"))
		}
		d, err := Load(name, Overrides{Set: set})
		var mistakes Mistakes
		if err != nil {
			if !errors.As(err, &mistakes) {
				t.Fatalf("%v: the error is no list of mistakes: %v", set, err)
			}
			return
		}
		valid++
		if err := firstSteps(d); err != nil {
			t.Fatalf("%s --set %s is valid, but: %v", name, strings.Join(set, " --set "), err)
		}
	})
	if valid == 0 {
		t.Error("no change was valid")
	}
}

// someOperators puts the operators of the 118-bus case at any of its centres,
// under any leader; where one stays where it was, two may share a centre, which
// is a mistake.
func someOperators(t *rapid.T) string {
	centres := rapid.Permutation([]string{"CC0", "CC1", "CC2", "CC3"}).Draw(t, "centres")
	leader := rapid.IntRange(0, 3).Draw(t, "leader")
	moved := rapid.SampledFrom([]int{4, 4, 4, 3}).Draw(t, "moved")
	var list []string
	for i, name := range []string{"TSO", "DSO1", "DSO2", "DSO3"}[:moved] {
		role := Follower
		if i == leader {
			role = Leader
		}
		list = append(list, fmt.Sprintf("{name: %s, role: %s, centre: %s}", name, role, centres[i]))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// firstSteps runs a second of d, or two steps of its slowest federate.
func firstSteps(d *Definition) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	fed, err := build(d)
	if err != nil {
		return err
	}
	m, err := newMeter(d, fed.timeline)
	if err != nil {
		return err
	}
	stop := min(d.Duration, 2*max(d.Steps.Exchange, d.Steps.Quantum))
	if stop < time.Second && time.Second%d.Steps.Quantum == 0 && time.Second%d.Steps.Exchange == 0 && d.Duration >= time.Second {
		stop = time.Second
	}
	if stop/d.Steps.Exchange > 100_000 {
		return nil // weeks of simulated time: built, but too long to run here
	}
	master, err := cosync.New(fed.federates, fed.connections, cosync.Options{
		Stop: simTime(stop), Observers: []cosync.Observer{m, newInvariants(simTime(d.Steps.Record))},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := master.Run(ctx); err != nil {
		return err
	}
	return m.summary().Check()
}
