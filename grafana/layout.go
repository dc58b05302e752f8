package grafana

import (
	"fmt"

	"cosim/internal/record/influx"
)

// dataSource is the one that all questions go to.
var dataSource = DataSourceRef{Type: "influxdb", UID: "cosim-influxdb"}

// page lays panels out, row by row.
type page struct {
	Dashboard
	x, y, height int
}

// newPage begins a dashboard with the choice of a run at its head.
func newPage(uid, title, description string) *page {
	return &page{Dashboard: Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"cosim"},
		Timezone: "browser", Editable: true, GraphTooltip: 1, SchemaVersion: 41, Refresh: "5s",
		// Runs that are faster than real time are ahead of the clock.
		Time: TimeRange{"now-15m", "now+15m"},
		Templating: Templating{[]Variable{{
			Name: "run", Label: "Run", Type: "query", Datasource: dataSource, Refresh: 2, Sort: 2,
			Query: `SHOW TAG VALUES FROM "task" WITH KEY = "run"`,
		}}},
		Annotations: Annotations{[]Annotation{}},
		Links: []Link{{
			Title: "cosim", Type: "dashboards", Tags: []string{"cosim"}, Icon: "external link", IncludeVars: true, KeepTime: true,
		}},
		Panels: []Panel{},
	}}
}

// row begins a new row of the given height.
func (p *page) row(height int) {
	p.y += p.height
	p.x, p.height = 0, height
}

// add puts a panel to the right of the last one.
func (p *page) add(width int, panel Panel, queries ...query) {
	panel.ID = len(p.Panels) + 1
	panel.Datasource = dataSource
	panel.GridPos = GridPos{H: p.height, W: width, X: p.x, Y: p.y}
	p.x += width
	for i, q := range queries {
		format := "time_series"
		if panel.Type == "table" {
			format = "table"
		}
		panel.Targets = append(panel.Targets, Target{
			RefID: string(rune('A' + i)), Datasource: dataSource, Query: q.text, RawQuery: true, ResultFormat: format, Alias: q.name,
		})
	}
	if panel.FieldConfig.Overrides == nil {
		panel.FieldConfig.Overrides = []Override{}
	}
	if panel.FieldConfig.Defaults.Mappings == nil {
		panel.FieldConfig.Defaults.Mappings = []Mapping{}
	}
	p.Panels = append(p.Panels, panel)
}

// choose adds a variable to the head: a value of a tag in the run that is
// chosen.
func (p *page) choose(name, label, measurement, tag string) {
	p.Templating.List = append(p.Templating.List, Variable{
		Name: name, Label: label, Type: "query", Datasource: dataSource, Refresh: 2, Sort: 1,
		Query: fmt.Sprintf(`SHOW TAG VALUES FROM %s WITH KEY = %s WHERE %s =~ /^$run$/`, quote(measurement), quote(tag), quote(influx.TagRun)),
	})
}

// query is a question and the name of what it answers; $tag_element stands for
// the element.
type query struct{ name, text string }

// Options and custom fields of panels, with Grafana's names.
type (
	legend struct {
		ShowLegend  bool     `json:"showLegend"`
		DisplayMode string   `json:"displayMode"`
		Placement   string   `json:"placement"`
		Calcs       []string `json:"calcs"`
	}
	tooltip struct {
		Mode string `json:"mode"`
		Sort string `json:"sort"`
	}
	chartOptions struct {
		Legend  legend  `json:"legend"`
		Tooltip tooltip `json:"tooltip"`
	}
	chartCustom struct {
		DrawStyle       string           `json:"drawStyle"`
		LineWidth       int              `json:"lineWidth"`
		FillOpacity     int              `json:"fillOpacity"`
		ShowPoints      string           `json:"showPoints"`
		SpanNulls       bool             `json:"spanNulls"`
		AxisLabel       string           `json:"axisLabel,omitempty"`
		Stacking        *stacking        `json:"stacking,omitempty"`
		ThresholdsStyle *thresholdsStyle `json:"thresholdsStyle,omitempty"`
	}
	stacking struct {
		Mode  string `json:"mode"`
		Group string `json:"group"`
	}
	thresholdsStyle struct {
		Mode string `json:"mode"`
	}
	statOptions struct {
		ColorMode              string       `json:"colorMode"`
		GraphMode              string       `json:"graphMode"`
		JustifyMode            string       `json:"justifyMode"`
		Orientation            string       `json:"orientation"`
		TextMode               string       `json:"textMode"`
		WideLayout             bool         `json:"wideLayout"`
		ShowPercentChange      bool         `json:"showPercentChange"`
		PercentChangeColorMode string       `json:"percentChangeColorMode"`
		ReduceOptions          reduceFields `json:"reduceOptions"`
	}
	reduceFields struct {
		Values bool     `json:"values"`
		Calcs  []string `json:"calcs"`
		Fields string   `json:"fields"`
	}
	timelineOptions struct {
		AlignValue  string  `json:"alignValue"`
		MergeValues bool    `json:"mergeValues"`
		RowHeight   float64 `json:"rowHeight"`
		ShowValue   string  `json:"showValue"`
		Legend      legend  `json:"legend"`
		Tooltip     tooltip `json:"tooltip"`
	}
	timelineCustom struct {
		FillOpacity int `json:"fillOpacity"`
		LineWidth   int `json:"lineWidth"`
	}
	tableOptions struct {
		FrameIndex int       `json:"frameIndex"`
		ShowHeader bool      `json:"showHeader"`
		SortBy     []tableBy `json:"sortBy"`
	}
	tableBy struct {
		DisplayName string `json:"displayName"`
		Desc        bool   `json:"desc"`
	}
)

// chart is a panel of lines over time.
func chart(title, unit, description string) Panel {
	return Panel{
		Type: "timeseries", Title: title, Description: description,
		FieldConfig: FieldConfig{Defaults: FieldDefaults{
			Unit: unit, Color: &Color{Mode: "palette-classic"},
			Custom: &chartCustom{DrawStyle: "line", LineWidth: 1, FillOpacity: 0, ShowPoints: "never", SpanNulls: true},
		}},
		Options: chartOptions{legend{true, "list", "bottom", []string{}}, tooltip{"multi", "desc"}},
	}
}

// bars draws counts in each step of the chart, one upon the other.
func (p Panel) bars() Panel {
	p.FieldConfig.Defaults.Custom = &chartCustom{DrawStyle: "bars", LineWidth: 0, FillOpacity: 80, ShowPoints: "never", Stacking: &stacking{"normal", "A"}}
	return p
}

// from sets the lower end of the axis.
func (p Panel) from(low float64) Panel {
	p.FieldConfig.Defaults.Min = &low
	return p
}

// to sets the upper end of the axis.
func (p Panel) to(high float64) Panel {
	p.FieldConfig.Defaults.Max = &high
	return p
}

// line draws the series of one question as a dashed line of its own colour.
func (p Panel) line(refID, color string) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{
		Matcher{"byFrameRefID", refID},
		[]Property{
			{"color", Color{Mode: "fixed", FixedColor: color}},
			{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 6}}},
			{"custom.fillOpacity", 0},
		},
	})
	return p
}

// band fills between the series of two questions, of which the lower has a name.
func (p Panel) band(lowRefID, highRefID, lowName string) Panel {
	edge := []Property{{"color", Color{Mode: "fixed", FixedColor: "super-light-blue"}}, {"custom.lineWidth", 0}}
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		Override{Matcher{"byFrameRefID", lowRefID}, edge},
		Override{Matcher{"byFrameRefID", highRefID}, append(edge[:2:2], Property{"custom.fillBelowTo", lowName}, Property{"custom.fillOpacity", 40})},
	)
	return p
}

// stat is one figure, coloured by its level: good below or above a limit.
func stat(title, unit, description string, decimals int, steps ...Threshold) Panel {
	return Panel{
		Type: "stat", Title: title, Description: description,
		FieldConfig: FieldConfig{Defaults: FieldDefaults{
			Unit: unit, Decimals: &decimals, NoValue: "–", Color: &Color{Mode: "thresholds"}, Thresholds: &Thresholds{"absolute", steps},
		}},
		Options: statOptions{
			ColorMode: "value", GraphMode: "none", JustifyMode: "auto", Orientation: "auto", TextMode: "value", WideLayout: true,
			PercentChangeColorMode: "standard", ReduceOptions: reduceFields{Calcs: []string{"lastNotNull"}},
		},
	}
}

// Levels of a stat: the colour of all values, and of those from one on.
func level(color string) Threshold { return Threshold{Color: color} }

func from(value float64, color string) Threshold { return Threshold{color, &value} }

// timeline shows states over time, an element a line.
func timeline(title, description string, states []Mapping) Panel {
	return Panel{
		Type: "state-timeline", Title: title, Description: description,
		FieldConfig: FieldConfig{Defaults: FieldDefaults{
			Color: &Color{Mode: "fixed", FixedColor: "text"}, Mappings: states, Custom: timelineCustom{FillOpacity: 80, LineWidth: 0},
		}},
		Options: timelineOptions{
			AlignValue: "left", MergeValues: true, RowHeight: 0.9, ShowValue: "never",
			Legend: legend{true, "list", "bottom", []string{}}, Tooltip: tooltip{"single", "none"},
		},
	}
}

// table lists points, newest first.
func table(title, description string) Panel {
	return Panel{
		Type: "table", Title: title, Description: description,
		FieldConfig: FieldConfig{Defaults: FieldDefaults{}},
		Options:     tableOptions{ShowHeader: true, SortBy: []tableBy{{"Time", true}}},
	}
}

// marks adds events that are marked in all panels.
func (p *page) marks(name, color, measurement, pattern string) {
	p.Annotations.List = append(p.Annotations.List, Annotation{
		Name: name, Enable: true, IconColor: color, Datasource: dataSource,
		Target: AnnotationTarget{
			RefID: "Anno", RawQuery: true, FromAnnotations: true, TextEditor: true, TextColumn: "element", TagsColumn: "type",
			Query: fmt.Sprintf(`SELECT "value", "element", "type" FROM %s WHERE "type" =~ /%s/ AND %s`, quote(measurement), pattern, thisRun),
		},
	})
}
