package quantum

import "fmt"

// Level of a pool between its thresholds.
type Level uint8

// The levels of a pool: the "warn, reconfigure, protect" of section II.D.
const (
	LevelNormal  Level = iota // at or above K_th
	LevelWarn                 // below K_th
	LevelProtect              // below K_safe: only the highest class may draw
)

// String is the name under which reaching the level is recorded.
func (l Level) String() string {
	switch l {
	case LevelNormal:
		return "recover"
	case LevelWarn:
		return "warn"
	case LevelProtect:
		return "protect"
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// LevelEvent says that a pool has reached another level, from above or below.
type LevelEvent struct {
	AtNS      int64
	Level     Level
	LevelBits int64
}

func (p *Pool) levelNow() Level {
	switch k := p.LevelBits(); {
	case k < p.cfg.SafeBits:
		return LevelProtect
	case k < p.cfg.ThresholdBits:
		return LevelWarn
	}
	return LevelNormal
}

func (p *Pool) noteLevel(atNS int64) {
	if now := p.levelNow(); now != p.level {
		p.level = now
		p.events = append(p.events, LevelEvent{atNS, now, p.LevelBits()})
	}
}

// Level is the level that the pool stands at.
func (p *Pool) Level() Level { return p.level }

// TakeEvents appends the crossings of thresholds since the last call to dst,
// oldest first.
func (p *Pool) TakeEvents(dst []LevelEvent) []LevelEvent {
	dst = append(dst, p.events...)
	p.events = p.events[:0]
	return dst
}
