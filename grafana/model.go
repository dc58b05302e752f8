package grafana

// The parts of Grafana's dashboard schema that are used here, version 1 of it,
// with its names. The integration tests hold what is generated against the
// types of npm's @grafana/schema.

// Dashboard is one page.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Timezone      string      `json:"timezone"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair for all panels
	SchemaVersion int         `json:"schemaVersion"`
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Links         []Link      `json:"links"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what a dashboard shows at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// DataSourceRef names a data source.
type DataSourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Templating holds the variables at the head of a dashboard.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is one that is filled by a query.
type Variable struct {
	Name       string        `json:"name"`
	Label      string        `json:"label"`
	Type       string        `json:"type"`
	Datasource DataSourceRef `json:"datasource"`
	Query      string        `json:"query"`
	Refresh    int           `json:"refresh"` // 2: when the time range changes
	Sort       int           `json:"sort"`
	Multi      bool          `json:"multi"`
	IncludeAll bool          `json:"includeAll"`
}

// Annotations holds what is marked in all panels.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation marks events.
type Annotation struct {
	Name       string           `json:"name"`
	Enable     bool             `json:"enable"`
	IconColor  string           `json:"iconColor"`
	Datasource DataSourceRef    `json:"datasource"`
	Target     AnnotationTarget `json:"target"`
}

// AnnotationTarget is the question for the events.
type AnnotationTarget struct {
	RefID           string `json:"refId"`
	Query           string `json:"query"`
	RawQuery        bool   `json:"rawQuery"`
	FromAnnotations bool   `json:"fromAnnotations"`
	TextEditor      bool   `json:"textEditor"`
	TextColumn      string `json:"textColumn"`
	TagsColumn      string `json:"tagsColumn"`
}

// Link leads to the other dashboards.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	Icon        string   `json:"icon"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
	Tooltip     string   `json:"tooltip"`
	URL         string   `json:"url"`
}

// Panel is one chart. Grid positions count in 24 columns.
type Panel struct {
	ID          int           `json:"id"`
	Type        string        `json:"type"`
	Title       string        `json:"title"`
	Description string        `json:"description,omitempty"`
	Datasource  DataSourceRef `json:"datasource"`
	GridPos     GridPos       `json:"gridPos"`
	Targets     []Target      `json:"targets"`
	FieldConfig FieldConfig   `json:"fieldConfig"`
	Options     any           `json:"options"`
}

// GridPos is where a panel stands.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one question of a panel.
type Target struct {
	RefID        string        `json:"refId"`
	Datasource   DataSourceRef `json:"datasource"`
	Query        string        `json:"query"`
	RawQuery     bool          `json:"rawQuery"`
	ResultFormat string        `json:"resultFormat"`
	Alias        string        `json:"alias,omitempty"`
}

// FieldConfig says how values are drawn.
type FieldConfig struct {
	Defaults  FieldDefaults `json:"defaults"`
	Overrides []Override    `json:"overrides"`
}

// FieldDefaults hold for all fields of a panel.
type FieldDefaults struct {
	Unit       string      `json:"unit,omitempty"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	NoValue    string      `json:"noValue,omitempty"`
	Color      *Color      `json:"color,omitempty"`
	Thresholds *Thresholds `json:"thresholds,omitempty"`
	Mappings   []Mapping   `json:"mappings"`
	Custom     any         `json:"custom,omitempty"`
}

// Color is how a series gets its colour.
type Color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

// Thresholds are levels with colours.
type Thresholds struct {
	Mode  string      `json:"mode"`
	Steps []Threshold `json:"steps"`
}

// Threshold is the colour from a value on; the first has no value.
type Threshold struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Mapping gives values a text and a colour.
type Mapping struct {
	Type    string                   `json:"type"` // "value"
	Options map[string]MappingResult `json:"options"`
}

// MappingResult is the text and colour of one value.
type MappingResult struct {
	Text  string `json:"text,omitempty"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index"`
}

// Override changes how some fields are drawn.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher selects fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one change.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}
