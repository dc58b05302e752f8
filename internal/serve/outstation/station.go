package outstation

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"cosim/scada/iec104"
)

// Config describes a station.
type Config struct {
	CommonAddr uint16 // 1 to 65534
	Image      *Image
	Commands   []Command
	// Operate carries out an order: it says at once whether it will, and calls
	// done, from any goroutine, once it has. It must not wait.
	Operate func(o Order, done func()) error
	// SetClock obeys a clock synchronisation; nil refuses them.
	SetClock func(time.Time) error
}

// Station is what all masters of an outstation share.
type Station struct {
	cfg      Config
	commands map[uint32]*Command

	mu       sync.Mutex
	selected map[uint32]selection
}

const broadcastAddr = 0xffff

// New makes a station. All mistakes are in the error.
func New(c Config) (*Station, error) {
	st := &Station{cfg: c, commands: map[uint32]*Command{}, selected: map[uint32]selection{}}
	var errs []error
	if c.CommonAddr == 0 || c.CommonAddr == broadcastAddr {
		errs = append(errs, fmt.Errorf("outstation: common address %d, expected 1 to 65534", c.CommonAddr))
	}
	if len(c.Commands) > 0 && c.Operate == nil {
		errs = append(errs, errors.New("outstation: commands, and nobody who carries them out"))
	}
	for i := range c.Commands {
		x := &c.Commands[i]
		errs = append(errs, x.check())
		if st.commands[x.IOA] != nil {
			errs = append(errs, fmt.Errorf("outstation: %s and %s have the address %d", st.commands[x.IOA].Name, x.Name, x.IOA))
		}
		if _, ok := c.Image.byIOA[x.IOA]; ok {
			errs = append(errs, fmt.Errorf("outstation: %s has the address %d of a point", x.Name, x.IOA))
		}
		st.commands[x.IOA] = x
	}
	return st, errors.Join(errs...)
}

// Image returns the station's process image.
func (st *Station) Image() *Image { return st.cfg.Image }

// Commands returns what masters may command.
func (st *Station) Commands() []Command { return st.cfg.Commands }

// control says what a type in the control direction may ask for.
type control struct {
	causes    []iec104.Cause
	broadcast bool // to all stations
	object    bool // with an object address other than 0
}

var controls = map[iec104.TypeID]control{
	iec104.CScNa1: {causes: commandCauses, object: true},
	iec104.CDcNa1: {causes: commandCauses, object: true},
	iec104.CSeNa1: {causes: commandCauses, object: true},
	iec104.CSeNb1: {causes: commandCauses, object: true},
	iec104.CSeNc1: {causes: commandCauses, object: true},
	iec104.CScTa1: {causes: commandCauses, object: true},
	iec104.CSeTc1: {causes: commandCauses, object: true},
	iec104.CIcNa1: {causes: commandCauses, broadcast: true},
	iec104.CCiNa1: {causes: commandCauses, broadcast: true},
	iec104.CRdNa1: {causes: []iec104.Cause{iec104.Request}, object: true},
	iec104.CCsNa1: {causes: []iec104.Cause{iec104.Activation}, broadcast: true},
	iec104.CTsTa1: {causes: []iec104.Cause{iec104.Activation}},
}

var commandCauses = []iec104.Cause{iec104.Activation, iec104.Deactivation}
