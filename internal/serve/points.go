package serve

import (
	"fmt"
	"net/http"

	"cosim/internal/serve/outstation"
	"cosim/scada/iec104"
)

// PointView is a point, or a command, of the outstation as REST shows it.
type PointView struct {
	IOA      uint32   `json:"ioa"`
	Name     string   `json:"name"`
	Unit     string   `json:"unit,omitempty"`
	Types    []string `json:"types"` // "13 M_ME_NC_1"; of a point: interrogated, spontaneous
	Group    int      `json:"group,omitempty"`
	Deadband float64  `json:"deadband,omitempty"`
	Value    *float64 `json:"value,omitempty"`

	Min       float64 `json:"min,omitempty"`
	Max       float64 `json:"max,omitempty"`
	FullScale float64 `json:"full_scale,omitempty"` // of a normalised value
	Digit     float64 `json:"digit,omitempty"`      // of a scaled value
	Select    bool    `json:"select_before_operate,omitempty"`
}

func (s *Server) listPoints(w http.ResponseWriter, _ *http.Request) {
	r := s.current()
	var p *process
	if r != nil {
		r.mu.Lock()
		p = r.process
		r.mu.Unlock()
	}
	if p == nil {
		refuse(w, http.StatusNotFound, "no outstation: expected cosim serve --iec104 ADDRESS and a run")
		return
	}
	points, commands := []PointView{}, []PointView{}
	values := p.station.Image().Values()
	for i, x := range p.station.Image().Points() {
		v := PointView{IOA: x.IOA, Name: x.Name, Unit: x.Unit, Types: names(outstation.TypesOf(x.Type)...), Group: x.Group, Deadband: x.Deadband, Value: &values[i], Digit: x.Resolution, FullScale: x.FullScale}
		points = append(points, v)
	}
	for _, x := range p.station.Commands() {
		commands = append(commands, PointView{
			IOA: x.IOA, Name: x.Name, Unit: x.Unit, Types: names(x.Types...), Min: x.Min, Max: x.Max, FullScale: x.FullScale, Digit: x.Resolution, Select: x.MustSelect,
		})
	}
	answer(w, http.StatusOK, map[string]any{"common_address": r.commonAddr, "points": points, "commands": commands})
}

func names(types ...iec104.TypeID) []string {
	var list []string
	for _, t := range types {
		list = append(list, typeName(t))
	}
	return list
}

// typeName is number and name: "13 M_ME_NC_1".
func typeName(t iec104.TypeID) string { return fmt.Sprintf("%d %v", uint8(t), t) }
