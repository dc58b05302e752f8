package grid

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Files of a case folder. The tables have one header line; their columns are
// those of MATPOWER's tables with the unit in the name. dyn.csv may be
// missing.
const (
	baseFile   = "base.csv"
	busFile    = "bus.csv"
	genFile    = "gen.csv"
	branchFile = "branch.csv"
	dynFile    = "dyn.csv"
)

// dynBaseMVA is the base that the dynamics table's columns "..._100MVA" name.
const dynBaseMVA = 100

// ReadTables reads a case from the folder dir of fsys and validates it. All
// mistakes are reported at once, each with file and line.
func ReadTables(fsys fs.FS, dir string) (*Case, error) {
	r := &tableReader{fsys: fsys, dir: dir, c: &Case{Name: path.Base(dir), FreqHz: 60}}
	slack := ""
	r.each(baseFile, baseColumns, true, func(t *tableRow) {
		if name := t.text("case"); name != "" {
			r.c.Name = name
		}
		r.c.BaseMVA, r.c.FreqHz = t.number("baseMVA"), t.numberOr("f_nom_Hz", 60)
		slack = t.text("slack_bus")
	})
	r.each(busFile, busColumns, true, func(t *tableRow) { r.c.Buses = append(r.c.Buses, t.bus()) })
	r.each(genFile, genColumns, true, func(t *tableRow) { r.c.Gens = append(r.c.Gens, t.gen()) })
	r.each(branchFile, branchColumns, true, func(t *tableRow) { r.c.Branches = append(r.c.Branches, t.branch()) })
	r.each(dynFile, dynColumns, false, func(t *tableRow) {
		r.c.Dynamics = append(r.c.Dynamics, t.dynamics(r.c.BaseMVA))
	})
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	r.c.nameBranches()
	if err := errors.Join(r.c.checkSlackName(slack, path.Join(dir, baseFile)), r.c.Validate()); err != nil {
		return nil, err
	}
	return r.c, nil
}

// columns names a table's columns; those that end in "!" are required.
type columns []string

var (
	baseColumns = columns{"case", "baseMVA!", "f_nom_Hz", "slack_bus"}
	busColumns  = columns{
		"bus!", "type!", "Pd_MW!", "Qd_MVAr!", "Gs_MW", "Bs_MVAr", "area", "Vm_pu", "Va_deg",
		"baseKV", "zone", "Vmax_pu", "Vmin_pu",
	}
	genColumns = columns{
		"bus!", "Pg_MW!", "Qg_MVAr", "Qmax_MVAr", "Qmin_MVAr", "Vg_pu!", "mBase_MVA", "status",
		"Pmax_MW", "Pmin_MW",
	}
	branchColumns = columns{
		"name", "fbus!", "tbus!", "r_pu!", "x_pu!", "b_pu", "rateA_MVA", "rateB_MVA", "rateC_MVA",
		"tap_ratio", "shift_deg", "status",
	}
	dynColumns = columns{
		"bus!", "unit", "kind", "mbase_MVA", "H_s_100MVA!", "H_s_mbase", "D_pu_100MVA", "ra_pu",
		"xl_pu_100MVA", "xd_pu_100MVA", "xdp_pu_mbase", "xdp_pu_100MVA!", "Td0p_s", "xq_pu_100MVA",
		"xqp_pu_100MVA", "Tq0p_s", "gov_base_MVA", "R_pu_govbase", "Tg_s", "T2_s", "T3_s",
		"K_pu", "TE_s", "TA_s", "TB_s",
	}
)

type tableReader struct {
	fsys fs.FS
	dir  string
	c    *Case
	errs []error
}

// each calls use for every data row of a file after checking its header.
func (r *tableReader) each(file string, want columns, required bool, use func(*tableRow)) {
	name := path.Join(r.dir, file)
	data, err := fs.ReadFile(r.fsys, name)
	if err != nil {
		if required || !errors.Is(err, fs.ErrNotExist) {
			r.errs = append(r.errs, fmt.Errorf("grid: %w", err))
		}
		return
	}
	rows, errs := readTable(name, data, want)
	r.errs = append(r.errs, errs...)
	for i := range rows {
		use(&rows[i])
		r.errs = append(r.errs, rows[i].errs...)
	}
}

// readTable splits a CSV table into rows addressed by column name.
func readTable(name string, data []byte, want columns) ([]tableRow, []error) {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	in.FieldsPerRecord, in.TrimLeadingSpace, in.Comment = -1, true, '#'
	header, err := in.Read()
	if err != nil {
		return nil, []error{fmt.Errorf("%s:1: no header line: %w", name, err)}
	}
	place, errs := want.places(name, header)
	if len(errs) > 0 {
		return nil, errs
	}
	var rows []tableRow
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, errs
		}
		if err != nil {
			return rows, append(errs, fmt.Errorf("%s: %w", name, err))
		}
		line, _ := in.FieldPos(0)
		at := Position{File: name, Line: line}
		if len(fields) != len(header) {
			errs = append(errs, fmt.Errorf("%s: %d fields, the header has %d", at, len(fields), len(header)))
			continue
		}
		rows = append(rows, tableRow{at: at, place: place, fields: fields})
	}
}

// places maps column names to their place in the header.
func (want columns) places(name string, header []string) (map[string]int, []error) {
	var errs []error
	known := make(map[string]bool, len(want))
	for _, w := range want {
		known[strings.TrimSuffix(w, "!")] = true
	}
	place := make(map[string]int, len(header))
	for i, h := range header {
		h = strings.TrimSpace(h)
		if !known[h] {
			errs = append(errs, fmt.Errorf("%s:1: unknown column %q; known are %s", name, h,
				strings.ReplaceAll(strings.Join(want, ", "), "!", "")))
		}
		if _, twice := place[h]; twice {
			errs = append(errs, fmt.Errorf("%s:1: column %q appears twice", name, h))
		}
		place[h] = i
	}
	for _, w := range want {
		if h, required := strings.CutSuffix(w, "!"); required {
			if _, ok := place[h]; !ok {
				errs = append(errs, fmt.Errorf("%s:1: column %q is missing", name, h))
			}
		}
	}
	return place, errs
}

// tableRow reads the fields of one row and collects its mistakes.
type tableRow struct {
	at     Position
	place  map[string]int
	fields []string
	errs   []error
}

func (t *tableRow) text(column string) string {
	if i, ok := t.place[column]; ok {
		return strings.TrimSpace(t.fields[i])
	}
	return ""
}

func (t *tableRow) number(column string) float64 { return t.numberOr(column, 0) }

// numberOr returns the number in a column, or missing when the table or the
// row has none.
func (t *tableRow) numberOr(column string, missing float64) float64 {
	s := t.text(column)
	if s == "" {
		return missing
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) {
		t.errs = append(t.errs, fmt.Errorf("%s: %s is %q, not a number", t.at, column, s))
		return missing
	}
	return v
}

func (t *tableRow) bus() Bus {
	return Bus{
		ID: t.text("bus"), Kind: busKind(t.number("type")),
		LoadMW: t.number("Pd_MW"), LoadMVAr: t.number("Qd_MVAr"),
		ShuntMW: t.number("Gs_MW"), ShuntMVAr: t.number("Bs_MVAr"),
		Area:      t.text("area"),
		VoltagePU: t.numberOr("Vm_pu", 1), AngleDeg: t.number("Va_deg"),
		BaseKV:       t.number("baseKV"),
		MaxVoltagePU: t.number("Vmax_pu"), MinVoltagePU: t.number("Vmin_pu"), At: t.at,
	}
}

func (t *tableRow) gen() Gen {
	return Gen{
		Bus: t.text("bus"), PowerMW: t.number("Pg_MW"), ReactiveMVAr: t.number("Qg_MVAr"),
		MaxMVAr: t.numberOr("Qmax_MVAr", math.Inf(1)), MinMVAr: t.numberOr("Qmin_MVAr", math.Inf(-1)),
		VoltagePU: t.number("Vg_pu"), InService: t.numberOr("status", 1) > 0,
		MaxMW: t.numberOr("Pmax_MW", math.Inf(1)), MinMW: t.numberOr("Pmin_MW", math.Inf(-1)), At: t.at,
	}
}

func (t *tableRow) branch() Branch {
	b := Branch{
		ID: t.text("name"), From: t.text("fbus"), To: t.text("tbus"),
		ResistancePU: t.number("r_pu"), ReactancePU: t.number("x_pu"), SusceptancePU: t.number("b_pu"),
		RateMVA: t.number("rateA_MVA"), Tap: t.number("tap_ratio"), ShiftDeg: t.number("shift_deg"),
		InService: t.numberOr("status", 1) > 0, At: t.at,
	}
	if b.Tap == 0 { // the tables' way to say "a line"
		b.Tap = 1
	}
	return b
}

func (t *tableRow) dynamics(baseMVA float64) Dynamics {
	base := baseMVA / dynBaseMVA
	return Dynamics{
		Bus: t.text("bus"), InertiaS: t.number("H_s_100MVA") / base, DampingPU: t.number("D_pu_100MVA") / base,
		StatorPU: t.number("ra_pu"), TransientXPU: t.number("xdp_pu_100MVA") * base,
		DirectXPU: t.number("xd_pu_100MVA") * base, QuadratureXPU: t.number("xq_pu_100MVA") * base,
		FieldTimeS: t.number("Td0p_s"), GovernorMVA: t.number("gov_base_MVA"), DroopPU: t.number("R_pu_govbase"),
		GovernorTimeS: t.number("Tg_s"), LeadTimeS: t.number("T2_s"), ReheatTimeS: t.number("T3_s"),
		ExciterGain:      t.numberOr("K_pu", defaultExciterGain),
		ExciterTimeS:     t.numberOr("TE_s", defaultExciterTimeS),
		ExciterLeadTimeS: t.numberOr("TA_s", defaultExciterLeadTimeS),
		ExciterLagTimeS:  t.numberOr("TB_s", defaultExciterLagTimeS), At: t.at,
	}
}
