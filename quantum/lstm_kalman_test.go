package quantum

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"cosim/internal/rng"
)

// small is a training that takes a second.
func small() ForecastTraining {
	t := DefaultForecastTraining()
	t.Hidden, t.Links, t.Batch, t.Steps, t.Epochs = 4, 6, 3, 1000, 2
	return t
}

func train(t *testing.T, tr ForecastTraining, seed uint64) (w *ForecastWeights, losses []float64) {
	t.Helper()
	w, err := TrainForecast(tr, func(name string) *rand.Rand { return rng.Stream(seed, name) }, func(_ int, loss float64) error {
		losses = append(losses, loss)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, losses
}

func TestSameSeedSameWeights(t *testing.T) {
	a, _ := train(t, small(), 1)
	b, _ := train(t, small(), 1)
	c, _ := train(t, small(), 2)
	bytesOf := func(w *ForecastWeights) []byte {
		b, err := w.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(bytesOf(a), bytesOf(b)) {
		t.Error("two trainings of one seed differ")
	}
	if bytes.Equal(bytesOf(a), bytesOf(c)) {
		t.Error("trainings of two seeds are equal")
	}
}

func TestTrainingLearns(t *testing.T) {
	tr := small()
	tr.Epochs, tr.SurgeShare = 6, 1
	_, losses := train(t, tr, 3)
	if last := losses[len(losses)-1]; !(last < losses[0] && last < 0) {
		t.Errorf("losses %v: expected to fall below the filter's, 0", losses)
	}
}

// The gradient of a lesson's loss is that of finite differences, inside the
// bounds of the variance.
func TestLessonGradientEqualsFiniteDifferences(t *testing.T) {
	l := lesson{error: [3]float64{0.5, -2, 1.5}, byG: [3]float64{1, 0.8, 0.5}, byD: [3]float64{-0.1, -0.4, -0.9}, known: true}
	y, dy, none := []float64{0.3, -0.7, 0.4}, make([]float64, 3), make([]float64, 3)
	l.loss(y, dy)
	for i := range y {
		const step = 1e-6
		up, down := append([]float64(nil), y...), append([]float64(nil), y...)
		up[i] += step
		down[i] -= step
		want := (l.loss(up, none) - l.loss(down, none)) / (2 * step)
		if off := dy[i] - want; off > 1e-6 || off < -1e-6 {
			t.Errorf("output %d: %v, by differences %v", i, dy[i], want)
		}
	}
}

// A network whose outputs are zero leaves the filter as it is.
func TestSilentNetworkIsTheFilter(t *testing.T) {
	net := newLSTM(lstmInputs, 3, lstmOutputs)
	net.init(rng.Stream(1, "silent"))
	w := &ForecastWeights{net}
	cfg := DefaultLinkConfig()
	link, err := NewLink(cfg, gridNS, nil, streams(5))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.Forecaster(cfg, gridNS)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewForecaster(ForecastKalman, cfg, gridNS)
	if err != nil {
		t.Fatal(err)
	}
	var p, q [10]Prediction
	for i := range int64(500) {
		link.Advance((i + 1) * gridNS)
		a.Observe(link.Observation())
		b.Observe(link.Observation())
		a.Forecast(p[:])
		b.Forecast(q[:])
		if p != q {
			t.Fatalf("step %d: %v, the filter %v", i, p, q)
		}
	}
}

// Where it was trained to help: while the attenuation is not what the filter
// believes.
func TestNetworkHelpsInSurges(t *testing.T) {
	surges := []Disturbance{{FromNS: 100 * second, ToNS: 160 * second, AttenuationDB: 3}, {FromNS: 300 * second, ToNS: 360 * second, AttenuationDB: 3}}
	k := evaluate(t, ForecastKalman, DefaultLinkConfig(), surges, heldBackSeeds(), 400)
	l := evaluate(t, ForecastLSTM, DefaultLinkConfig(), surges, heldBackSeeds(), 400)
	t.Logf("RMSE/nominal ten steps ahead %.4f, filter alone %.4f; coverage of ∫G %.3f and %.3f", l.RMSE10, k.RMSE10, l.CoverK, k.CoverK)
	if l.RMSE10 >= k.RMSE10 || l.CoverK <= k.CoverK {
		t.Errorf("%+v does not beat %+v", l, k)
	}
}

func TestWeightsSurviveTheFile(t *testing.T) {
	data, err := EmbeddedWeights().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, embeddedWeights) {
		t.Error("the embedded weights change when they are written again")
	}
	sealed := func(change func(b []byte) []byte) []byte {
		b := change(append([]byte(nil), data[:len(data)-4]...))
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	for want, b := range map[string][]byte{
		"not a file of forecast weights": []byte("PAR1"),
		"damaged":                        append(append([]byte(nil), data[:100]...), data[101:]...),
		"7 inputs":                       sealed(func(b []byte) []byte { b[len(weightsMagic)] = 7; return b }),
		"octets, expected":               sealed(func(b []byte) []byte { return b[:len(b)-4] }),
		"weight 0 is NaN": sealed(func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[len(weightsMagic)+6:], 0x7fc00000)
			return b
		}),
	} {
		if _, err := UnmarshalForecastWeights(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzForecastWeights(f *testing.F) {
	f.Add(embeddedWeights[:60])
	small, _ := (&ForecastWeights{newLSTM(lstmInputs, 1, lstmOutputs)}).MarshalBinary()
	f.Add(small)
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := UnmarshalForecastWeights(b)
		if err != nil {
			return
		}
		again, err := w.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("read and written again: %v", err)
		}
	})
}

func TestTrainingEndsWhenTold(t *testing.T) {
	enough := errors.New("enough")
	_, err := TrainForecast(small(), func(name string) *rand.Rand { return rng.Stream(1, name) }, func(int, float64) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	bad := small()
	bad.Links = 1
	if _, err := TrainForecast(bad, nil, nil); err == nil {
		t.Error("a batch of more links than there are is accepted")
	}
}
