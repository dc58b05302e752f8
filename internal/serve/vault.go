package serve

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cosim/internal/serve/etsi014"
	"cosim/quantum"
	"cosim/scada"
	cosync "cosim/sync"
)

// stepWithin is how long a request waits for the run's next step.
const stepWithin = 2 * time.Second

// vault gives applications key of a run. An application is known by the name of
// its station, and shares key with those at the other ends of its quantum
// links. What stands in it belongs to the jobs of the run's desk.
type vault struct {
	run       *Run
	delivered map[string]delivered // by key ID
	order     []string             // of the IDs, oldest first
}

// delivered is key that its master has, and its slave does not yet.
type delivered struct {
	link, master, slave string
	offset              int64 // bits
	size                int   // bytes
	at                  cosync.Time
}

// link between two stations; "" where there is none.
func (v *vault) link(a, b string) (string, error) {
	var others []string
	for _, l := range v.run.definition.Links {
		if !l.Quantum {
			continue
		}
		switch {
		case l.A == a && l.B == b, l.A == b && l.B == a:
			return l.Name, nil
		case l.A == a:
			others = append(others, l.B)
		case l.B == a:
			others = append(others, l.A)
		}
	}
	if len(others) == 0 {
		return "", fmt.Errorf("%w: %s is at no quantum link", etsi014.ErrUnknownSAE, a)
	}
	return "", fmt.Errorf("%w: %s shares no quantum link with %q, but with %s", etsi014.ErrUnknownSAE, a, b, strings.Join(others, ", "))
}

// do does a job between two steps.
func (v *vault) do(ctx context.Context, do func(now cosync.Time) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	var result error
	if err := v.run.desk.do(ctx, func(now cosync.Time) {
		if v.run.scada == nil {
			result = fmt.Errorf("%w: another program simulates the stations", etsi014.ErrUnavailable)
			return
		}
		result = do(now)
	}); err != nil {
		return fmt.Errorf("%w: %w", etsi014.ErrUnavailable, err)
	}
	return result
}

// Stock implements etsi014.Keys.
func (v *vault) Stock(ctx context.Context, master, slave string) (etsi014.Stock, error) {
	link, err := v.link(master, slave)
	if err != nil {
		return etsi014.Stock{}, err
	}
	s := etsi014.Stock{SourceKME: "KME-" + master, TargetKME: "KME-" + slave}
	return s, v.do(ctx, func(cosync.Time) error {
		for _, k := range v.run.scada.Supplies() {
			if k.Link != link {
				continue
			}
			s.StoredBits, s.CapBits = k.Pool.LevelBits(), k.Pool.Config().CapBits
			if k.Store != nil {
				s.StoredBits = k.Store.LevelBits()
			} else if k.Pool.Config().EnforceSafe {
				s.StoredBits = max(0, s.StoredBits-k.Pool.Config().SafeBits)
			}
		}
		return nil
	})
}

// Draw implements etsi014.Keys.
func (v *vault) Draw(ctx context.Context, master, slave string, number, size int) ([]etsi014.Key, error) {
	link, err := v.link(master, slave)
	if err != nil {
		return nil, err
	}
	var keys []etsi014.Key
	err = v.do(ctx, func(now cosync.Time) error {
		v.forget(now)
		bytes := make([]byte, number*size)
		offset, err := v.run.scada.Deliver(now, link, master, bytes)
		if errors.Is(err, scada.ErrNoKey) {
			var short *quantum.ShortfallError
			if errors.As(err, &short) {
				return fmt.Errorf("%w: %d bits are needed and %d may be drawn", etsi014.ErrShort, short.NeedBits, short.HaveBits)
			}
			return fmt.Errorf("%w: %w", etsi014.ErrShort, err)
		} else if err != nil {
			return err
		}
		for i := range number {
			d := delivered{link, master, slave, offset + int64(8*i*size), size, now}
			id := v.name(d)
			v.delivered[id] = d
			v.order = append(v.order, id)
			keys = append(keys, etsi014.Key{ID: id, Bytes: bytes[i*size : (i+1)*size]})
		}
		return nil
	})
	return keys, err
}

// name is the UUID (version 8) of a key: the same in every run with the same
// seed in which it is drawn alike.
func (v *vault) name(d delivered) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%s/%d/%d", v.run.definition.Name, v.run.definition.Seed, d.link, d.offset, d.size))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// forget those that nobody has collected in the time that key lives.
func (v *vault) forget(now cosync.Time) {
	old := now - cosync.Time(v.run.definition.Keys.Pool.TTLS*1e9)
	for len(v.order) > 0 {
		id := v.order[0]
		if d, ok := v.delivered[id]; ok && d.at >= old {
			return
		}
		delete(v.delivered, id)
		v.order = v.order[1:]
	}
}

// Collect implements etsi014.Keys.
func (v *vault) Collect(ctx context.Context, master, slave string, ids []string) ([]etsi014.Key, error) {
	if _, err := v.link(slave, master); err != nil {
		return nil, err
	}
	var keys []etsi014.Key
	err := v.do(ctx, func(cosync.Time) error {
		for _, id := range ids {
			id = strings.ToLower(id)
			d, ok := v.delivered[id]
			if !ok || d.master != master || d.slave != slave {
				return fmt.Errorf("%w, collected or too old: %s", etsi014.ErrUnknownKey, id)
			}
			bytes := make([]byte, d.size)
			if err := v.run.scada.Fetch(d.link, d.offset, bytes); err != nil {
				return fmt.Errorf("%w, collected or too old: %s", etsi014.ErrUnknownKey, id)
			}
			keys = append(keys, etsi014.Key{ID: id, Bytes: bytes})
		}
		for i := range keys {
			d := v.delivered[keys[i].ID]
			v.run.scada.Release(d.link, d.offset, d.size)
			delete(v.delivered, keys[i].ID)
			v.order = slices.DeleteFunc(v.order, func(id string) bool { return id == keys[i].ID })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}
