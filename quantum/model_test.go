package quantum

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// table reads a reference table; a column that is not a number is NaN.
func table(t *testing.T, name string) (rows [][]float64, text [][]string) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err = csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	text = text[1:]
	for _, r := range text {
		row := make([]float64, len(r))
		for i, s := range r {
			if row[i], err = strconv.ParseFloat(s, 64); err != nil {
				row[i] = math.NaN()
			}
		}
		rows = append(rows, row)
	}
	return rows, text
}

func TestPaperKeyRateTable(t *testing.T) {
	rows, _ := table(t, "paper_keyrate.csv")
	worst := 0.0
	for _, r := range rows {
		cfg := DefaultLinkConfig()
		cfg.PulseRateHz, cfg.AttenuationDBPerKM, cfg.LengthKM, cfg.Sifting = r[0], r[1], r[2], r[3]
		cfg.DetectorEfficiency, cfg.DarkCountProb, cfg.Misalignment, cfg.ErrorCorrectionEfficiency = 1, 0, r[4], 1
		got, want := NominalRateBPS(cfg), r[7]
		worst = math.Max(worst, math.Abs(got-want))
		if math.Abs(got-want) > 0.00051 { // the table has three decimals
			t.Errorf("%v km, QBER %v: %.3f bit/s, want %.3f", r[2], r[4], got, want)
		}
	}
	t.Logf("%d rows, greatest difference %.1e bit/s", len(rows), worst)
}

// 11.00 % is the bound of Shor and Preskill (PRL 85, 441, 2000).
func TestErrorBound(t *testing.T) {
	for leakage, want := range map[float64]float64{1: 0.1100, 1.16: 0.0981} {
		low, high := 0.0, 0.5
		for high-low > 1e-9 {
			if middle := (low + high) / 2; secretFraction(middle, leakage) > 0 {
				low = middle
			} else {
				high = middle
			}
		}
		if math.Abs(low-want) > 5e-5 {
			t.Errorf("f_EC = %v: no key above a QBER of %.4f, want %.4f", leakage, low, want)
		}
	}
}

func TestDefaultLinkYieldsWhatCalibrationExpects(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.PulseRateHz = 3.5e5
	if got := NominalRateBPS(cfg); math.Abs(got-10.55e3) > 50 {
		t.Errorf("20 km at 3.5e5 pulses/s yield %.0f bit/s", got)
	}
}

func TestRateFallsWithLossAndError(t *testing.T) {
	model, err := DefaultLinkConfig().RateModel()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		loss := rapid.Float64Range(0, 60).Draw(t, "loss")
		more := rapid.Float64Range(0, 20).Draw(t, "more loss")
		added := rapid.Float64Range(0, 0.6).Draw(t, "added error")
		q0, r0 := model.Rate(loss, added)
		q1, r1 := model.Rate(loss+more, added)
		_, r2 := model.Rate(loss, added+0.01)
		if r1 > r0 || r2 > r0 || q1 < q0-1e-12 || r0 < 0 || q0 > 0.5 {
			t.Fatalf("rate %v → %v, %v; QBER %v → %v", r0, r1, r2, q0, q1)
		}
	})
}

func TestAllMistakesOfALinkAreListed(t *testing.T) {
	if err := DefaultLinkConfig().Validate(); err != nil {
		t.Fatalf("the default link is refused: %v", err)
	}
	cfg := DefaultLinkConfig()
	cfg.Model = "bb48"
	cfg.PulseRateHz = -1
	cfg.LengthKM = math.NaN()
	cfg.AttenuationBoundsDBPerKM = [2]float64{0.3, 0.1}
	cfg.DetectorEfficiency = 1.5
	cfg.BreakDurationS = [2]float64{5, 3}
	cfg.BreakCuts = "all"
	cfg.BlockBits = 4095
	want := []string{"model", "pulse_rate_hz", "length_km", "attenuation_bounds_db_per_km[1]", "detector_efficiency", "break_duration_s[1]", "break_cuts", "block_bits"}
	if got := fields(t, cfg.Validate()); !slices.Equal(got, want) {
		t.Errorf("mistakes in %q, want %q", got, want)
	}
	cfg = DefaultLinkConfig()
	cfg.PulseRateHz = -1
	if got, want := cfg.Validate().Error(), "quantum: pulse_rate_hz must be above 0, is -1"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// fields returns the fields of a joined error, in order.
func fields(t *testing.T, err error) []string {
	t.Helper()
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("not a joined error: %v", err)
	}
	var names []string
	for _, e := range joined.Unwrap() {
		var f *FieldError
		if !errors.As(e, &f) || !strings.Contains(e.Error(), f.Field) {
			t.Fatalf("not a field error: %v", e)
		}
		names = append(names, f.Field)
	}
	return names
}
