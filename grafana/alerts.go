package grafana

import (
	"fmt"

	"cosim/internal/record/influx"
)

// Rules is the content of a file of alert rules.
type Rules struct {
	APIVersion int         `yaml:"apiVersion"`
	Groups     []RuleGroup `yaml:"groups"`
}

// RuleGroup are rules that are judged together.
type RuleGroup struct {
	OrgID    int    `yaml:"orgId"`
	Name     string `yaml:"name"`
	Folder   string `yaml:"folder"`
	Interval string `yaml:"interval"`
	Rules    []Rule `yaml:"rules"`
}

// Rule is one alert.
type Rule struct {
	UID                  string               `yaml:"uid"`
	Title                string               `yaml:"title"`
	Condition            string               `yaml:"condition"`
	Data                 []RuleQuery          `yaml:"data"`
	DashboardUID         string               `yaml:"dashboardUid"`
	PanelID              int                  `yaml:"panelId"`
	NoDataState          string               `yaml:"noDataState"`
	ExecErrState         string               `yaml:"execErrState"`
	For                  string               `yaml:"for"`
	Annotations          map[string]string    `yaml:"annotations"`
	Labels               map[string]string    `yaml:"labels"`
	IsPaused             bool                 `yaml:"isPaused"`
	NotificationSettings NotificationSettings `yaml:"notification_settings"`
}

// NotificationSettings say who hears of an alert; the policies of the Grafana
// that loads the rules stay as they are.
type NotificationSettings struct {
	Receiver string `yaml:"receiver"`
}

// RuleQuery is a question, or what is computed from its answer.
type RuleQuery struct {
	RefID             string            `yaml:"refId"`
	RelativeTimeRange RelativeTimeRange `yaml:"relativeTimeRange"`
	DatasourceUID     string            `yaml:"datasourceUid"`
	Model             map[string]any    `yaml:"model"`
}

// RelativeTimeRange is in seconds before now.
type RelativeTimeRange struct {
	From int `yaml:"from"`
	To   int `yaml:"to"`
}

const (
	contactPoint = "cosim"
	lookBackS    = 60
)

// alert is a rule: the answer to a question is held against a limit, for each
// run, and each element where the question asks for them.
type alert struct {
	uid, title, summary, severity string
	question                      string
	evaluator                     string // "gt" or "lt"
	limit                         float64
	dashboard, panel              string // where it is seen
}

const recent = "$timeFilter"

func alerts() []alert {
	frequency, pool := column("grid.frequency/coi"), port("scada.pool")
	interrupted := column("scada.decision/interrupted")
	return []alert{
		{
			uid: "cosim-key-below-safe", title: "Key pool below K_safe", severity: "critical",
			summary:  "Pool {{ $labels.element }} of {{ $labels.run }} has {{ humanize $values.B.Value }} bit above its reserve K_safe.",
			question: fmt.Sprintf(`SELECT min("margin") AS "margin" FROM (SELECT %s - %s AS "margin" FROM %s WHERE %s GROUP BY "run", "element") WHERE %s GROUP BY time($__interval), "run", "element" fill(none)`, pool.field, quote(influx.FieldPoolSafe), pool.measurement, recent, recent),
			// The margin itself, so that the message can name it.
			evaluator: "lt", limit: 0, dashboard: "cosim-run", panel: "Key pools",
		},
		{
			uid: "cosim-frequency-unsafe", title: "Frequency outside Δf_safe", severity: "critical",
			summary:   "The frequency of {{ $labels.run }} is {{ humanize $values.B.Value }} Hz beyond Δf_safe.",
			question:  fmt.Sprintf(`SELECT max("excess") AS "excess" FROM (SELECT abs(%s) - %s AS "excess" FROM %s WHERE "element" = '%s' AND %s GROUP BY "run") WHERE %s GROUP BY time($__interval), "run" fill(none)`, frequency.field, quote(influx.FieldFrequencySafe), frequency.measurement, frequency.element, recent, recent),
			evaluator: "gt", limit: 0, dashboard: "cosim-run", panel: "Frequency deviation",
		},
		{
			uid: "cosim-deadline-missed", title: "Optimiser misses its deadline", severity: "warning",
			summary:   "The watchdog ended a decision of {{ $labels.run }} after {{ humanize $values.B.Value }} checks.",
			question:  fmt.Sprintf(`SELECT max(%s) AS "interrupted" FROM %s WHERE %s GROUP BY time($__interval), "run" fill(none)`, interrupted.field, interrupted.measurement, recent),
			evaluator: "gt", limit: 0, dashboard: "cosim-optimizer", panel: "Missed deadlines",
		},
		{
			uid: "cosim-federate-lost", title: "Federate lost", severity: "critical",
			summary:   "{{ $labels.run }} goes on without {{ humanize $values.B.Value }} of its federates.",
			question:  fmt.Sprintf(`SELECT max(%s) AS "lost" FROM %s WHERE %s GROUP BY time($__interval), "run" fill(none)`, quote(influx.FieldFederatesLost), quote(influx.Master), recent),
			evaluator: "gt", limit: 0, dashboard: "cosim-master", panel: "Lost federates",
		},
	}
}

// rules are the alerts as Grafana reads them: A asks, B takes the worst answer
// of the last minute, C holds it against the limit.
func rules(boards []Dashboard) Rules {
	group := RuleGroup{OrgID: 1, Name: "cosim", Folder: "cosim", Interval: "10s"}
	for _, a := range alerts() {
		worst := "max"
		if a.evaluator == "lt" {
			worst = "min"
		}
		group.Rules = append(group.Rules, Rule{
			UID: a.uid, Title: a.title, Condition: "C", For: "0s", DashboardUID: a.dashboard, PanelID: panelID(boards, a.dashboard, a.panel),
			NoDataState: "OK", ExecErrState: "Error", // no run goes on: nothing to tell
			Annotations: map[string]string{"summary": a.summary}, Labels: map[string]string{"severity": a.severity},
			NotificationSettings: NotificationSettings{contactPoint},
			Data: []RuleQuery{
				{"A", RelativeTimeRange{lookBackS, 0}, dataSource.UID, map[string]any{
					"refId": "A", "datasource": map[string]string{"type": dataSource.Type, "uid": dataSource.UID},
					"query": a.question, "rawQuery": true, "resultFormat": "time_series", "intervalMs": 1000, "maxDataPoints": 1000,
				}},
				{"B", RelativeTimeRange{lookBackS, 0}, "__expr__", map[string]any{
					"refId": "B", "type": "reduce", "expression": "A", "reducer": worst, "settings": map[string]string{"mode": "dropNN"},
					"datasource": map[string]string{"type": "__expr__", "uid": "__expr__"},
				}},
				{"C", RelativeTimeRange{lookBackS, 0}, "__expr__", map[string]any{
					"refId": "C", "type": "threshold", "expression": "B", "datasource": map[string]string{"type": "__expr__", "uid": "__expr__"},
					"conditions": []map[string]any{{"evaluator": map[string]any{"type": a.evaluator, "params": []float64{a.limit}}}},
				}},
			},
		})
	}
	return Rules{1, []RuleGroup{group}}
}

// panelID finds a panel by its title; 0 if there is none.
func panelID(boards []Dashboard, uid, title string) int {
	for _, b := range boards {
		for _, p := range b.Panels {
			if b.UID == uid && p.Title == title {
				return p.ID
			}
		}
	}
	return 0
}
