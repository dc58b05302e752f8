package quantum

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sync"
)

// ForecastWeights are the weights of the network of the forecaster
// lstm-kalman. They are immutable and serve any number of forecasters.
type ForecastWeights struct{ net *lstm }

// Forecaster returns the forecaster with these weights.
func (w *ForecastWeights) Forecaster(cfg LinkConfig, stepNS int64) (Forecaster, error) {
	k, err := newKalman(cfg, stepNS)
	if err != nil {
		return nil, err
	}
	return &lstmKalman{kalman: k, net: w.net, step: w.net.newStep()}, nil
}

// The file: a name with the version, three sizes (16 bits each), the weights
// as 32-bit floating point numbers, a CRC-32 of all before it; little-endian.
const (
	weightsMagic = "cosim-lstm-1\n"
	mostHidden   = 1024
)

// MarshalBinary implements encoding.BinaryMarshaler.
func (w *ForecastWeights) MarshalBinary() ([]byte, error) {
	b := []byte(weightsMagic)
	for _, n := range []int{w.net.inputs, w.net.hidden, w.net.outputs} {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	for _, v := range w.net.weights {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

// UnmarshalForecastWeights reads what MarshalBinary wrote.
func UnmarshalForecastWeights(b []byte) (*ForecastWeights, error) {
	const head = len(weightsMagic) + 6
	if len(b) < head+4 || string(b[:len(weightsMagic)]) != weightsMagic {
		return nil, errors.New("quantum: not a file of forecast weights (expected it to begin with cosim-lstm-1)")
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, errors.New("quantum: forecast weights are damaged (their checksum differs)")
	}
	size := func(i int) int { return int(binary.LittleEndian.Uint16(b[len(weightsMagic)+2*i:])) }
	inputs, hidden, outputs := size(0), size(1), size(2)
	if inputs != lstmInputs || outputs != lstmOutputs || hidden < 1 || hidden > mostHidden {
		return nil, fmt.Errorf("quantum: forecast weights are of a network with %d inputs, %d hidden units and %d outputs, expected %d, 1 to %d and %d",
			inputs, hidden, outputs, lstmInputs, mostHidden, lstmOutputs)
	}
	net := newLSTM(inputs, hidden, outputs)
	if want := head + 4*len(net.weights); len(body) != want {
		return nil, fmt.Errorf("quantum: forecast weights have %d octets, expected %d", len(body), want)
	}
	for i := range net.weights {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(body[head+4*i:])))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("quantum: forecast weight %d is %v", i, v)
		}
		net.weights[i] = v
	}
	return &ForecastWeights{net}, nil
}

//go:embed lstm.weights
var embeddedWeights []byte

// EmbeddedWeights are those that the program was built with.
var EmbeddedWeights = sync.OnceValue(func() *ForecastWeights {
	w, err := UnmarshalForecastWeights(embeddedWeights)
	if err != nil {
		panic(err) // compiled in
	}
	return w
})
