package grid

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

// ParseMATPOWER reads a case in MATPOWER's file format, version 2, and
// validates it: the assignments to mpc.baseMVA, mpc.bus, mpc.gen and
// mpc.branch. Comments, continued lines, and rows ended by a semicolon or a
// new line are understood; other fields are passed over. A file that goes on
// to compute with the tables (mpc.branch(:, 3) = ...) is refused, for its
// numbers would be wrong, and so is a table whose rows are not of one length,
// where a forgotten value has moved all that follow it. The format states no frequency: it is taken as
// 60 Hz. There are no dynamics in such a file.
func ParseMATPOWER(name string, data []byte) (*Case, error) {
	p := &matpower{file: name, c: &Case{FreqHz: 60}}
	p.c.Name = strings.TrimSuffix(path.Base(strings.ReplaceAll(name, `\`, "/")), ".m")
	p.scan(string(data))
	for _, field := range []string{"baseMVA", "bus", "gen", "branch"} {
		if !p.seen[field] {
			p.fail(0, "mpc.%s is missing", field)
		}
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	p.c.nameBranches()
	if err := p.c.Validate(); err != nil {
		return nil, err
	}
	return p.c, nil
}

type matpower struct {
	file string
	c    *Case
	seen map[string]bool
	errs []error
}

func (p *matpower) fail(line int, format string, args ...any) {
	at := p.file
	if line > 0 {
		at = Position{p.file, line}.String()
	}
	p.errs = append(p.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// scan splits the text into statements: at semicolons and line ends outside
// brackets and strings, with comments and continuations taken out.
func (p *matpower) scan(text string) {
	p.seen = make(map[string]bool)
	var statement bytes.Buffer
	depth, start, blockComment := 0, 1, 0
	flush := func(next int) {
		if depth <= 0 {
			if s := strings.TrimSpace(statement.String()); s != "" {
				p.statement(s, start)
			}
			statement.Reset()
			start = next
		}
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	for i, line := range strings.Split(text, "\n") {
		switch strings.TrimSpace(line) {
		case "%{", "#{":
			blockComment++
			line = ""
		case "%}", "#}":
			blockComment = max(blockComment-1, 0)
			line = ""
		}
		if blockComment > 0 {
			line = ""
		}
		line, continued := stripComment(line)
		quoted := false
		for _, r := range line {
			switch {
			case r == '\'':
				quoted = !quoted
			case quoted:
			case r == '[' || r == '{' || r == '(':
				depth++
			case r == ']' || r == '}' || r == ')':
				depth--
			case r == ';' && depth <= 0:
				flush(i + 1)
				continue
			}
			if statement.Len() == 0 {
				start = i + 1
			}
			statement.WriteRune(r)
		}
		if continued {
			statement.WriteByte(' ')
			continue
		}
		flush(i + 2)
		if depth > 0 {
			statement.WriteByte('\n')
		}
	}
	if depth > 0 {
		p.fail(start, "bracket is not closed")
	}
}

// stripComment cuts a line at its comment or continuation mark outside
// strings.
func stripComment(line string) (code string, continued bool) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\'':
			quoted = !quoted
		case quoted:
		case line[i] == '%' || line[i] == '#':
			return line[:i], false
		case strings.HasPrefix(line[i:], "..."):
			return line[:i], true
		}
	}
	return line, false
}

// statement takes one assignment to a field of mpc; anything else, such as
// the function line, holds no data.
func (p *matpower) statement(s string, line int) {
	rest, ok := strings.CutPrefix(s, "mpc.")
	if !ok {
		return
	}
	left, right, ok := strings.Cut(rest, "=")
	if !ok {
		return
	}
	field, right := strings.TrimSpace(left), strings.TrimLeft(right, " \t")
	name, _, indexed := strings.Cut(field, "(")
	name = strings.TrimSpace(name)
	switch name {
	case "version":
		if v := strings.Trim(strings.TrimSpace(right), "'\""); v != "2" {
			p.fail(line, "format version %s, want 2", v)
		}
		return
	case "baseMVA", "bus", "gen", "branch":
	case "dcline":
		if strings.Trim(right, "[] \t\n") != "" {
			p.fail(line, "mpc.dcline: DC lines are not modelled")
		}
		return
	default:
		return
	}
	if indexed {
		p.fail(line, "mpc.%s is computed; only plain tables can be imported", field)
		return
	}
	if p.seen[name] {
		p.fail(line, "mpc.%s is assigned twice", name)
		return
	}
	p.seen[name] = true
	if name == "baseMVA" {
		p.c.BaseMVA, _ = p.number(strings.TrimSpace(right), line)
		return
	}
	p.table(name, right, line)
}

// matpowerColumns is the least number of columns of each table. Solved cases
// append results. Of a generator's 21 columns many files leave out the last
// eleven, capability curves and ramp rates.
var matpowerColumns = map[string]int{"bus": 13, "gen": 10, "branch": 13}

// table reads "[ rows ]".
func (p *matpower) table(name, text string, line int) {
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(strings.TrimSpace(text), "]") {
		p.fail(line, "mpc.%s is not a plain table [ ... ]", name)
		return
	}
	text = strings.TrimSpace(text)
	text = text[1 : len(text)-1]
	columns, first := 0, 0
	for i, row := range strings.Split(text, "\n") {
		for _, part := range strings.Split(row, ";") {
			fields := strings.Fields(strings.ReplaceAll(part, ",", " "))
			if len(fields) == 0 {
				continue
			}
			if columns == 0 {
				columns, first = len(fields), line+i
			}
			if want := matpowerColumns[name]; len(fields) < want {
				p.fail(line+i, "mpc.%s has %d columns, want at least %d", name, len(fields), want)
				continue
			}
			if len(fields) != columns {
				p.fail(line+i, "mpc.%s has %d columns, its first row (line %d) %d", name, len(fields), first, columns)
				continue
			}
			p.row(name, fields, line+i)
		}
	}
}

func (p *matpower) row(name string, fields []string, line int) {
	v := make([]float64, len(fields))
	for i, f := range fields {
		var ok bool
		if v[i], ok = p.number(f, line); !ok {
			return
		}
	}
	at := Position{p.file, line}
	id := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	switch name {
	case "bus":
		p.c.Buses = append(p.c.Buses, Bus{
			ID: id(v[0]), Kind: busKind(v[1]), LoadMW: v[2], LoadMVAr: v[3], ShuntMW: v[4], ShuntMVAr: v[5],
			Area: id(v[6]), VoltagePU: v[7], AngleDeg: v[8], BaseKV: v[9], MaxVoltagePU: v[11], MinVoltagePU: v[12], At: at,
		})
	case "gen":
		p.c.Gens = append(p.c.Gens, Gen{
			Bus: id(v[0]), PowerMW: v[1], ReactiveMVAr: v[2], MaxMVAr: v[3], MinMVAr: v[4], VoltagePU: v[5],
			InService: v[7] > 0, MaxMW: v[8], MinMW: v[9], At: at,
		})
	case "branch":
		b := Branch{
			From: id(v[0]), To: id(v[1]), ResistancePU: v[2], ReactancePU: v[3], SusceptancePU: v[4], RateMVA: v[5],
			Tap: v[8], ShiftDeg: v[9], InService: v[10] > 0, At: at,
		}
		if b.Tap == 0 { // the format's way to say "a line"
			b.Tap = 1
		}
		p.c.Branches = append(p.c.Branches, b)
	}
}

func (p *matpower) number(s string, line int) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || strings.ContainsAny(s, "xX_pP") {
		p.fail(line, "%q is not a number", s)
		return 0, false
	}
	return v, true
}
