package alert

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"strings"
	"time"
)

// mailer sends alerts as mail, several in one.
type mailer struct {
	host, port     string
	tls            bool // from the first octet on
	user, password string
	from           string
	to             []string
	now            func() time.Time
}

func parseMail(u *url.URL) (*mailer, error) {
	m := &mailer{host: u.Hostname(), port: u.Port(), tls: u.Scheme == "smtps", from: u.Query().Get("from"), to: u.Query()["to"], now: time.Now}
	if m.port == "" {
		m.port = map[bool]string{false: "587", true: "465"}[m.tls]
	}
	if u.User != nil {
		m.user = u.User.Username()
		m.password, _ = u.User.Password()
	}
	var errs []error
	for _, a := range append([]string{m.from}, m.to...) {
		if parsed, err := mail.ParseAddress(a); err != nil || parsed.Address != a {
			errs = append(errs, fmt.Errorf("%q is no address of mail", a))
		}
	}
	if len(m.to) == 0 {
		errs = append(errs, errors.New("nobody is named to get it"))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s://%s: %w; expected ?from=sender@example.org&to=receiver@example.org", u.Scheme, u.Host, errors.Join(errs...))
	}
	return m, nil
}

func (m *mailer) String() string { return "mail to " + strings.Join(m.to, ", ") }

func (m *mailer) Send(ctx context.Context, alerts []Alert) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if limit, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(limit)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	config := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	if m.tls {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return err
	}
	if has, _ := c.Extension("STARTTLS"); has && !m.tls {
		if err := c.StartTLS(config); err != nil {
			return err
		}
	}
	if m.user != "" {
		// PlainAuth refuses to send a password in the clear.
		if err := c.Auth(smtp.PlainAuth("", m.user, m.password, m.host)); err != nil {
			return err
		}
	}
	if err := c.Mail(m.from); err != nil {
		return err
	}
	for _, to := range m.to {
		if err := c.Rcpt(to); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(m.message(alerts)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// message after RFC 5322, its text quoted-printable.
func (m *mailer) message(alerts []Alert) []byte {
	subject := "cosim: " + alerts[0].String()
	if n := len(alerts) - 1; n > 0 {
		subject += fmt.Sprintf(" and %d more", n)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nDate: %s\r\nSubject: %s\r\n", m.from, strings.Join(m.to, ", "), m.now().Format(time.RFC1123Z), mime.QEncoding.Encode("utf-8", subject))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	for _, a := range alerts {
		fmt.Fprintf(q, "%s\r\n", a)
	}
	_ = q.Close() // writes to a buffer
	return b.Bytes()
}
