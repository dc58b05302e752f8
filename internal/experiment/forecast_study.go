package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"

	"cosim/internal/rng"
	"cosim/quantum"
)

// ForecastRow is one forecaster on one kind of link.
type ForecastRow struct {
	LengthKM   float64
	Surge      bool
	Forecaster string
	quantum.ForecastScore
}

// surgeOf the evaluation: what the experiments bring, 3 dB for 60 s.
var surgeOf = []quantum.Disturbance{{FromNS: 200e9, ToNS: 260e9, AttenuationDB: 3}}

// heldBack is the first seed of the evaluation; no training uses it.
const heldBack = 1_000_000

// EvaluateForecasts holds every forecaster, lstm-kalman with the weights w,
// against links of d's experiment that no training has seen: runs links of
// 600 s at 20 and 50 km, calm and with a surge of attenuation.
func EvaluateForecasts(ctx context.Context, d *Definition, w *quantum.ForecastWeights, runs int) ([]ForecastRow, error) {
	const lengthS = 600
	step := d.Steps.Quantum.Nanoseconds()
	var rows []ForecastRow
	for _, km := range []float64{20, 50} {
		cfg := d.Quantum
		cfg.LengthKM = km
		for _, surge := range []bool{false, true} {
			for _, name := range quantum.Forecasters() {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				score, err := quantum.ScoreForecast(
					func() (quantum.Forecaster, error) {
						if name == quantum.ForecastLSTM {
							return w.Forecaster(cfg, step)
						}
						return quantum.NewForecaster(name, cfg, step)
					}, cfg, step, int(lengthS*1e9/step), runs,
					func(int) []quantum.Disturbance {
						if surge {
							return surgeOf
						}
						return nil
					},
					func(run int, name string) *rand.Rand { return rng.Stream(heldBack+uint64(run), name) })
				if err != nil {
					return nil, err
				}
				rows = append(rows, ForecastRow{km, surge, name, score})
			}
		}
	}
	return rows, nil
}

// TrainForecast trains the network of lstm-kalman on links like those of d's
// experiment.
func TrainForecast(ctx context.Context, d *Definition, t quantum.ForecastTraining, progress func(epoch int, loss float64)) (*quantum.ForecastWeights, error) {
	t.Link, t.StepNS = d.Quantum, d.Steps.Quantum.Nanoseconds()
	return quantum.TrainForecast(t, func(name string) *rand.Rand { return rng.Stream(d.Seed, "train-forecast/"+name) },
		func(epoch int, loss float64) error {
			progress(epoch, loss)
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("training ended after epoch %d: %w", epoch+1, err)
			}
			return nil
		})
}
