package alert

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Log is a receiver that prints a line an alert.
type Log func(line string)

// Send implements Receiver.
func (l Log) Send(_ context.Context, alerts []Alert) error {
	for _, a := range alerts {
		l("alert: " + a.String())
	}
	return nil
}

func (l Log) String() string { return "log" }

// Parse makes the receiver that text names:
//
//	log                         lines, printed by print
//	https://host/path           a webhook: POST of JSON
//	slack+https://host/path     a webhook of Slack; hooks.slack.com needs no slack+
//	smtp://user:password@host:587/?from=a@b&to=c@d    mail, with STARTTLS where the server has it
//	smtps://…:465/…             mail over TLS
func Parse(text string, print func(line string)) (Receiver, error) {
	if text == "log" {
		return Log(print), nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no receiver of alerts, expected log, https://…, slack+https://… or smtp://…", text)
	}
	scheme, slack := strings.CutPrefix(u.Scheme, "slack+")
	switch {
	case scheme == "http" || scheme == "https":
		u.Scheme = scheme
		return &webhook{url: u, slack: slack || u.Hostname() == "hooks.slack.com"}, nil
	case (scheme == "smtp" || scheme == "smtps") && !slack:
		return parseMail(u)
	}
	return nil, fmt.Errorf("%s://%s is no receiver of alerts, expected log, https://…, slack+https://… or smtp://…", u.Scheme, u.Host)
}
