package quantum

import (
	"math"
	"strings"
	"testing"
)

// Each row is one of the collection in testdata, which was read in its source,
// with the same figures; what is not given there is 0.
func TestPublishedRatesAreThoseThatWereRead(t *testing.T) {
	rows, text := table(t, "qkd_published_rates.csv")
	given := func(v float64) float64 { // as PublishedRate has it
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
	list := PublishedRates()
	if len(list) != 8 {
		t.Fatalf("%d rates, want 8", len(list))
	}
	for _, p := range list {
		source, _, _ := strings.Cut(p.Source, " ")
		found := false
		for i, r := range rows {
			if text[i][8] != "text-read" || !strings.HasPrefix(strings.ReplaceAll(text[i][7], "Sci.Rep.", "Sci. Rep."), source) {
				continue
			}
			found = found || given(r[2]) == p.LengthKM && given(r[3]) == p.LossDB && r[4] == p.RateBPS
		}
		if !found {
			t.Errorf("%s: %+v is not among the rows that were read", p.System, p)
		}
		if p.System == "" || p.Protocol == "" || p.RateBPS <= 0 || p.LengthKM == 0 && p.LossDB == 0 {
			t.Errorf("%+v: a system, its protocol, a rate and a length or a loss are wanted", p)
		}
	}
}

func TestLinkAtHasThePlaceOfAPublishedOne(t *testing.T) {
	own := DefaultLinkConfig()
	own.PulseRateHz = 3e6
	for name, c := range map[string]struct {
		row                      PublishedRate
		lengthKM, lossDB, clocks float64
	}{
		"length, loss and clock": {PublishedRate{LengthKM: 45, LossDB: 14.5, ClockHz: 1e9}, 45, 14.5, 1e9},
		"loss alone":             {PublishedRate{LossDB: 2, ClockHz: 1e9}, 1, 2, 1e9},
		"length alone":           {PublishedRate{LengthKM: 100, ClockHz: 1e9}, 100, 20, 1e9},
		"no clock":               {PublishedRate{LengthKM: 20}, 20, 4, 3e6},
	} {
		at := own.LinkAt(c.row)
		if at.LengthKM != c.lengthKM || relative(at.lossDB(0), c.lossDB) > 1e-12 || at.PulseRateHz != c.clocks {
			t.Errorf("%s: %g km, %g dB, %g Hz; want %g km, %g dB, %g Hz", name, at.LengthKM, at.lossDB(0), at.PulseRateHz, c.lengthKM, c.lossDB, c.clocks)
		}
		at.LengthKM, at.AttenuationDBPerKM, at.PulseRateHz = own.LengthKM, own.AttenuationDBPerKM, own.PulseRateHz
		if at != own {
			t.Errorf("%s: more than the place is another: %+v", name, at)
		}
	}
}

// The model's yield there is its rate at the published loss and clock.
func TestYieldAtAPublishedLink(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.Model = ModelBB84Decoy
	tokyo := PublishedRates()[0]
	at := cfg.LinkAt(tokyo)
	model, err := at.RateModel()
	if err != nil {
		t.Fatal(err)
	}
	_, want := model.Rate(14.5, 0)
	if got := NominalRateBPS(at); tokyo.LengthKM != 45 || relative(got, want) > 1e-9 || relative(got, 672e3) > 1e-3 {
		t.Errorf("%.0f bit/s at %+v, want %.0f and the documented 672,000", got, tokyo, want)
	}
}
