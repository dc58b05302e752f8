package metrics

// KeyUse is the utilization of quantum key over a set of links:
//
//	η_key = Σ consumed / Σ generated                              (equation 19)
//
// The headline set is the links that end at a control centre (the paper's pool
// is the dispatch centre's); the other figure is over all links. Key that
// stood in the pools at the start is consumed but not generated, so that η can
// exceed 1 by the initial store. Bits count once, at the link that made them.
type KeyUse struct {
	ConsumedBits  int64 `json:"consumed_bits"`
	GeneratedBits int64 `json:"generated_bits"`
}

// Add counts what one link's key did.
func (k *KeyUse) Add(consumedBits, generatedBits int64) {
	k.ConsumedBits += consumedBits
	k.GeneratedBits += generatedBits
}

// Ratio is η_key; Undefined if nothing was generated.
func (k KeyUse) Ratio() Number { return ratio(float64(k.ConsumedBits), float64(k.GeneratedBits)) }
