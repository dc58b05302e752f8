package serve

import (
	"context"
	"errors"
	"testing"
	"time"

	cosync "cosim/sync"
)

func TestJobsAreDoneBetweenStepsInTheOrderOfArrival(t *testing.T) {
	d := newDesk()
	var got []int
	for i := range 3 {
		if err := d.post(func(now cosync.Time) {
			got = append(got, i)
			if now != 10*cosync.Millisecond {
				t.Errorf("done at %v", now)
			}
			_ = d.post(func(cosync.Time) { got = append(got, 10+i) }) // for the step after
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []cosync.Time{10, 20} {
		if err := d.Observe(&cosync.Frame{To: to * cosync.Millisecond, Stop: cosync.Second}); err != nil {
			t.Fatal(err)
		}
		if to == 10 && len(got) != 3 {
			t.Errorf("after one step: %v", got)
		}
	}
	if want := []int{0, 1, 2, 10, 11, 12}; len(got) != len(want) || got[5] != want[5] {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAJobThatIsNotBegunInTimeIsNotDoneLater(t *testing.T) {
	d := newDesk()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := d.do(ctx, func(cosync.Time) { t.Error("done") }); !errors.Is(err, errHeld) {
		t.Errorf("%v", err)
	}
	if err := d.Observe(&cosync.Frame{To: 1, Stop: 2}); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsDoneAfterTheLastStep(t *testing.T) {
	d := newDesk()
	answered := make(chan error)
	go func() { answered <- d.do(context.Background(), func(cosync.Time) { t.Error("done") }) }()
	for d.waits() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := d.Observe(&cosync.Frame{To: 2, Stop: 2}); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; !errors.Is(err, errOver) {
		t.Errorf("%v", err)
	}
	if err := d.post(func(cosync.Time) {}); !errors.Is(err, errOver) {
		t.Errorf("%v", err)
	}
	if err := d.End(nil); err != nil {
		t.Fatal(err)
	}
}

func TestADeskHasRoomForSoManyJobs(t *testing.T) {
	d := newDesk()
	for range deskRoom {
		if err := d.post(func(cosync.Time) {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.post(func(cosync.Time) {}); !errors.Is(err, errBusy) {
		t.Errorf("%v", err)
	}
}

func (d *desk) waits() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiting)
}
