package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// webhook posts alerts as JSON: {"alerts": [...]}, or as Slack's incoming
// webhooks want it: {"text": "..."}.
type webhook struct {
	url   *url.URL
	slack bool
}

func (w *webhook) String() string { return w.url.Scheme + "://" + w.url.Host } // the path is the secret

func (w *webhook) Send(ctx context.Context, alerts []Alert) error {
	type told struct {
		Alert
		Text string `json:"text"`
	}
	var body any
	if w.slack {
		var lines []string
		for _, a := range alerts {
			sign := ":rotating_light: "
			if a.Over {
				sign = ":white_check_mark: "
			}
			lines = append(lines, sign+escape.Replace(a.String()))
		}
		body = map[string]string{"text": strings.Join(lines, "\n")}
	} else {
		list := make([]told, len(alerts))
		for i, a := range alerts {
			list[i] = told{a, a.String()}
		}
		body = map[string]any{"alerts": list}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 200))
		return fmt.Errorf("answered %s %s", res.Status, strings.TrimSpace(string(said)))
	}
	return nil
}

// escape is for Slack, which gives &, < and > a meaning.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// withoutURL keeps the URL, which may hold a secret, out of messages.
func withoutURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
