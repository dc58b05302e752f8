package influx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/domain"
	"github.com/influxdata/influxdb-client-go/v2/log"
)

// DefaultBucket is where points go unless something else is said.
const DefaultBucket = "cosim"

// Target is a database and who writes to it.
type Target struct {
	URL string // "http://127.0.0.1:8086"
	// Token is an API token of InfluxDB 2 and 3, or "user:password" of 1.8.
	Token string
	// Org is the organisation of InfluxDB 2; empty means InfluxDB 1.8 or 3.
	Org string
	// Bucket is the bucket, or "database" or "database/retention policy" of 1.8.
	Bucket string
}

// Database is an InfluxDB server. It is for concurrent use.
type Database struct {
	target Target
	client influxdb2.Client
	writes api.WriteAPIBlocking
}

// answerTimeout is how long an answer may take; after that the same points are
// sent again.
const answerTimeout = 30 * time.Second

// New checks a target. It does not connect.
func New(t Target) (*Database, error) {
	u, err := url.Parse(t.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("influx: URL is %q, expected http://host:port", t.URL)
	}
	if t.Bucket == "" {
		return nil, errors.New("influx: bucket is empty, expected a name")
	}
	log.Log = nil // the client's; what goes wrong is told here
	dialer := net.Dialer{Timeout: 5 * time.Second}
	options := influxdb2.DefaultOptions().SetApplicationName("cosim").SetHTTPClient(&http.Client{
		Timeout: answerTimeout,
		// A redirected request would be repeated without its points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: dialer.DialContext, Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second},
	})
	client := influxdb2.NewClientWithOptions(t.URL, t.Token, options)
	return &Database{t, client, client.WriteAPIBlocking(t.Org, t.Bucket)}, nil
}

// Close frees the connections.
func (d *Database) Close() {
	d.client.Close()
	d.client.Options().HTTPClient().CloseIdleConnections()
}

// Prepare says whether the database can be written to, and makes the bucket if
// there is none. An error that Away knows is none of the settings.
func (d *Database) Prepare(ctx context.Context) error {
	health, err := d.client.Health(ctx)
	var unreached *url.Error
	switch {
	case errors.As(err, &unreached):
		return fmt.Errorf("influx: %w", err)
	case err == nil && health.Status == domain.HealthCheckStatusFail:
		return fmt.Errorf("influx: %s says that it is not ready", d.target.URL)
	}
	err = d.write(ctx, "")
	if status(err) == http.StatusNotFound {
		if err := d.create(ctx); err != nil {
			return fmt.Errorf("influx: %s has no bucket %q, and it cannot be made: %w", d.target.URL, d.target.Bucket, err)
		}
		err = d.write(ctx, "")
	}
	switch status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("influx: %s refuses the token for bucket %q: %w", d.target.URL, d.target.Bucket, err)
	case http.StatusBadRequest: // of no points
		return nil
	}
	if err != nil {
		return fmt.Errorf("influx: %s: %w", d.target.URL, err)
	}
	return nil
}

// create makes the bucket: by its own interface where there is an
// organisation, else as a database.
func (d *Database) create(ctx context.Context) error {
	if d.target.Org != "" {
		org, err := d.client.OrganizationsAPI().FindOrganizationByName(ctx, d.target.Org)
		if err != nil {
			return err
		}
		_, err = d.client.BucketsAPI().CreateBucketWithName(ctx, org, d.target.Bucket)
		return err
	}
	name, policy, _ := strings.Cut(d.target.Bucket, "/")
	if policy != "" && policy != "autogen" {
		return fmt.Errorf("make the retention policy %q of database %q first", policy, name)
	}
	form := url.Values{"q": {"CREATE DATABASE " + `"` + strings.ReplaceAll(name, `"`, `\"`) + `"`}}
	err := d.client.HTTPService().DoPostRequest(ctx, strings.TrimSuffix(d.target.URL, "/")+"/query", strings.NewReader(form.Encode()), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}, func(r *http.Response) error { return r.Body.Close() })
	if err != nil {
		return err
	}
	return nil
}

// write sends lines. It returns nil, or why the database did not take them.
func (d *Database) write(ctx context.Context, lines string) error {
	return d.writes.WriteRecord(ctx, lines)
}

// Away reports whether an error of Prepare is one of reaching the database, or
// one that it has with itself, which may pass.
func Away(err error) bool {
	s := status(err)
	return err != nil && (s == 0 || s == http.StatusTooManyRequests || s >= 500)
}

// refused reports whether the database will never take what it was sent.
func refused(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// status of an answer; 0 if there was none.
func status(err error) int {
	var answer *influxhttp.Error
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// retryAfter is how long the database asks to be left alone.
func retryAfter(err error) time.Duration {
	var answer *influxhttp.Error
	if errors.As(err, &answer) {
		return time.Duration(answer.RetryAfter) * time.Second
	}
	return 0
}
