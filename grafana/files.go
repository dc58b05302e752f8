package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v3"

	"cosim/internal/record/influx"
)

// Versions of the programs that the compose file starts.
const (
	grafanaImage  = "grafana/grafana:13.2.3"
	influxdbImage = "influxdb:2.7.12"
)

const head = "# Made by go generate in grafana/: change the Go there, not this file.\n"

// Dashboards are all pages.
func Dashboards() []Dashboard {
	return []Dashboard{overview(), operators(), optimizer(), master()}
}

// Files are all files by their path in this folder.
func Files() (map[string][]byte, error) {
	boards := Dashboards()
	files := map[string][]byte{
		"compose.yaml":        []byte(head + composeText()),
		"influxdb/10-dbrp.sh": []byte(mappingText),
	}
	for _, d := range boards {
		text, err := dashboardJSON(d)
		if err != nil {
			return nil, err
		}
		files["dashboards/"+d.UID+".json"] = text
	}
	for path, content := range map[string]any{
		"provisioning/datasources/cosim.yaml":       dataSources(),
		"provisioning/dashboards/cosim.yaml":        providers(),
		"provisioning/alerting/rules.yaml":          rules(boards),
		"provisioning/alerting/contact-points.yaml": contactPoints(),
	} {
		var b bytes.Buffer
		b.WriteString(head)
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(content); err != nil {
			return nil, fmt.Errorf("grafana: %s: %w", path, err)
		}
		files[path] = b.Bytes()
	}
	return files, nil
}

func dashboardJSON(d Dashboard) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("grafana: dashboard %s: %w", d.UID, err)
	}
	return b.Bytes(), nil
}

// dataSources names the database. Grafana fills in the variables of its
// environment.
func dataSources() any {
	type source struct {
		Name           string         `yaml:"name"`
		UID            string         `yaml:"uid"`
		Type           string         `yaml:"type"`
		Access         string         `yaml:"access"`
		OrgID          int            `yaml:"orgId"`
		URL            string         `yaml:"url"`
		Editable       bool           `yaml:"editable"`
		JSONData       map[string]any `yaml:"jsonData"`
		SecureJSONData map[string]any `yaml:"secureJsonData"`
	}
	return struct {
		APIVersion  int      `yaml:"apiVersion"`
		Datasources []source `yaml:"datasources"`
	}{1, []source{{
		Name: "cosim", UID: dataSource.UID, Type: dataSource.Type, Access: "proxy", OrgID: 1, URL: "${INFLUX_URL}",
		JSONData:       map[string]any{"dbName": "${INFLUX_BUCKET}", "version": "InfluxQL", "httpMode": "POST", "timeInterval": "100ms", "httpHeaderName1": "Authorization"},
		SecureJSONData: map[string]any{"httpHeaderValue1": "Token ${INFLUX_TOKEN}"},
	}}}
}

// providers say where the dashboards are.
func providers() any {
	type provider struct {
		Name                  string         `yaml:"name"`
		OrgID                 int            `yaml:"orgId"`
		Type                  string         `yaml:"type"`
		Folder                string         `yaml:"folder"`
		AllowUIUpdates        bool           `yaml:"allowUiUpdates"`
		UpdateIntervalSeconds int            `yaml:"updateIntervalSeconds"`
		Options               map[string]any `yaml:"options"`
	}
	return struct {
		APIVersion int        `yaml:"apiVersion"`
		Providers  []provider `yaml:"providers"`
	}{1, []provider{{
		Name: "cosim", OrgID: 1, Type: "file", Folder: "cosim", AllowUIUpdates: true, UpdateIntervalSeconds: 30,
		Options: map[string]any{"path": "/etc/grafana/cosim-dashboards"},
	}}}
}

// contactPoints send every alert by e-mail and to Slack.
func contactPoints() any {
	type receiver struct {
		UID      string         `yaml:"uid"`
		Type     string         `yaml:"type"`
		Settings map[string]any `yaml:"settings"`
	}
	type point struct {
		OrgID     int        `yaml:"orgId"`
		Name      string     `yaml:"name"`
		Receivers []receiver `yaml:"receivers"`
	}
	return struct {
		APIVersion    int     `yaml:"apiVersion"`
		ContactPoints []point `yaml:"contactPoints"`
	}{1, []point{{1, contactPoint, []receiver{
		{"cosim-email", "email", map[string]any{"addresses": "${ALERT_EMAIL}"}},
		{"cosim-slack", "slack", map[string]any{"url": "${SLACK_WEBHOOK_URL}"}},
	}}}}
}

// mappingText gives InfluxDB 2 the name of the bucket as a database, for
// questions in InfluxQL.
const mappingText = `#!/bin/sh
# Made by go generate in grafana/: change the Go there, not this file.
set -e
influx v1 dbrp create --db "$DOCKER_INFLUXDB_INIT_BUCKET" --rp autogen --default \
  --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" --org "$DOCKER_INFLUXDB_INIT_ORG"
`

// composeText starts InfluxDB and Grafana on this machine alone.
func composeText() string {
	return `# docker compose -f grafana/compose.yaml up -d
# INFLUX_TOKEN=cosim-token cosim run S-3 --influx http://127.0.0.1:8086 --influx-org cosim
# then http://127.0.0.1:3000
#
# Of the environment: INFLUX_TOKEN, ALERT_EMAIL, SLACK_WEBHOOK_URL, SMTP_HOST.
services:
  influxdb:
    image: ` + influxdbImage + `
    ports: ["127.0.0.1:8086:8086"]
    environment:
      DOCKER_INFLUXDB_INIT_MODE: setup
      DOCKER_INFLUXDB_INIT_USERNAME: cosim
      DOCKER_INFLUXDB_INIT_PASSWORD: ${INFLUX_PASSWORD:-cosim-password}
      DOCKER_INFLUXDB_INIT_ORG: cosim
      DOCKER_INFLUXDB_INIT_BUCKET: ` + defaultBucket + `
      DOCKER_INFLUXDB_INIT_ADMIN_TOKEN: ${INFLUX_TOKEN:-cosim-token}
    volumes:
      - influxdb:/var/lib/influxdb2
      - ./influxdb:/docker-entrypoint-initdb.d:ro
    healthcheck:
      test: ["CMD", "influx", "ping"]
      interval: 5s
      retries: 24
  grafana:
    image: ` + grafanaImage + `
    ports: ["127.0.0.1:3000:3000"]
    depends_on:
      influxdb: {condition: service_healthy}
    environment:
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_AUTH_ANONYMOUS_ORG_ROLE: Editor
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /etc/grafana/cosim-dashboards/cosim-run.json
      GF_SMTP_ENABLED: ${SMTP_ENABLED:-false}
      GF_SMTP_HOST: ${SMTP_HOST:-localhost:25}
      INFLUX_URL: http://influxdb:8086
      INFLUX_BUCKET: ` + defaultBucket + `
      INFLUX_TOKEN: ${INFLUX_TOKEN:-cosim-token}
      ALERT_EMAIL: ${ALERT_EMAIL:-cosim@localhost}
      SLACK_WEBHOOK_URL: ${SLACK_WEBHOOK_URL:-http://localhost/no-slack-webhook-given}
    volumes:
      - grafana:/var/lib/grafana
      - ./provisioning:/etc/grafana/provisioning:ro
      - ./dashboards:/etc/grafana/cosim-dashboards:ro
volumes:
  influxdb: {}
  grafana: {}
`
}

const defaultBucket = influx.DefaultBucket
