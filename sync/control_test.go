package sync_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"cosim/sync"
)

func TestThePaceChangesWhileTheRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c sync.Controller
		w := &witness{}
		m := mustNew(t, sync.Options{Stop: 10 * sync.Second, Controller: &c, RealTime: 0.01, Observers: []sync.Observer{w}}, newActor("a", nil))
		done := make(chan error)
		go func() { done <- m.Run(context.Background()) }()
		after := func(wait time.Duration, least, most int) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if n := len(w.frames); n < least || n > most {
				t.Errorf("%d frames, want %d to %d", n, least, most)
			}
		}
		after(2500*time.Millisecond, 3, 3) // a step a second
		if err := c.SetPace(1); err != nil {
			t.Fatal(err)
		}
		after(time.Second, 103, 105) // at once, not after the step's old time
		if err := c.SetPace(2); err != nil {
			t.Fatal(err)
		}
		after(time.Second, 303, 307)
		if now, _ := m.Lag(); now > 0 {
			t.Errorf("a change of pace counts as lag: %v", now)
		}
		if err := c.SetPace(0); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(w.frames); n != 1000 {
			t.Errorf("%d frames, want 1000", n)
		}
	})
}

func TestARunWithoutAPaceTakesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c sync.Controller
		c.Pause()
		m := mustNew(t, sync.Options{Stop: sync.Second, Controller: &c}, newActor("a", nil))
		done := make(chan error)
		go func() { done <- m.Run(context.Background()) }()
		if err := c.SetPace(1); err != nil {
			t.Fatal(err)
		}
		c.Resume()
		began := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 990*time.Millisecond {
			t.Errorf("took %v, want 990ms", took)
		}
	})
}

func TestAPaceOutOfRangeIsRefused(t *testing.T) {
	var c sync.Controller
	for _, x := range []float64{-1, 1e9, math.NaN(), math.Inf(1)} {
		if err := c.SetPace(x); err == nil {
			t.Errorf("%v is taken", x)
		}
	}
}
