package experiment

import (
	"context"
	"testing"

	"cosim/scada"
	cosync "cosim/sync"
)

func TestForgeryThatNobodyRefusesHasSucceeded(t *testing.T) {
	ms := cosync.Millisecond
	marked := []cosync.Message{
		{At: 1 * ms, ID: 1, Class: "tampered"},
		{At: 2 * ms, ID: 2, Class: "replayed"},
		{At: 3 * ms, ID: 3, Class: "injected"},
		{At: 4 * ms, ID: 4, Class: "delayed"},
	}
	var g forgeries
	g.observe(10*ms, marked, nil, nil)
	g.observe(20*ms, nil, []cosync.Message{{ID: 1}}, []cosync.Message{
		{ID: 2, Payload: []byte{byte(scada.Valid)}},     // the original
		{ID: 3, Payload: []byte{byte(scada.Duplicate)}}, // refused
	})
	g.observe(2*cosync.Second, nil, nil, nil)
	if g.taken != 1 {
		t.Errorf("%d forgeries taken for genuine, want 1 (the replay)", g.taken)
	}
}

func TestAdversaryNeverSucceeds(t *testing.T) {
	d := load(t, "S-6", append(short, "disturbances.contingencies.count=0")...)
	for i := range d.Attacks {
		d.Attacks[i].StartS, d.Attacks[i].EndS, d.Attacks[i].Probability = 2, 38, min(1, 3*d.Attacks[i].Probability)
	}
	r, err := Run(context.Background(), d, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a := r.Summary.Attacks
	if a.Tampered < 100 || a.Replayed < 100 || a.Injected < 100 || a.Delayed < 100 || a.Dropped < 100 {
		t.Errorf("too few attacks to tell: %+v", a)
	}
	if a.Succeeded != 0 {
		t.Errorf("%d attacks succeeded: %+v", a.Succeeded, a)
	}
	if r.Summary.Tasks.Failed.Rejected == 0 || r.Summary.Tasks.Failed.Late == 0 {
		t.Errorf("the attacks cost no task: %+v", r.Summary.Tasks.Failed)
	}
}
