package influx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
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
	host   string // host:port of the URL, which may hold more than people should see
}

// Host is host:port of the database, as messages name it.
func (d *Database) Host() string { return d.host }

// answerTimeout is how long an answer may take; after that the same points are
// sent again.
const answerTimeout = 30 * time.Second

// quiet silences the client, once for all: what goes wrong is told here.
var quiet sync.Once

// New checks a target. It does not connect.
func New(t Target) (*Database, error) {
	u, err := url.Parse(t.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("influx: URL is %q, expected http://host:port", t.URL)
	}
	if t.Bucket == "" {
		return nil, errors.New("influx: bucket is empty, expected a name")
	}
	quiet.Do(func() { log.Log = nil })
	dialer := net.Dialer{Timeout: 5 * time.Second}
	options := influxdb2.DefaultOptions().SetApplicationName("cosim").SetHTTPClient(&http.Client{
		Timeout: answerTimeout,
		// A redirected request would be repeated without its points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: dialer.DialContext, Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second},
	})
	client := influxdb2.NewClientWithOptions(t.URL, t.Token, options)
	return &Database{t, client, client.WriteAPIBlocking(t.Org, t.Bucket), u.Host}, nil
}

// Close frees the connections.
func (d *Database) Close() {
	d.client.Close()
	d.client.Options().HTTPClient().CloseIdleConnections()
}

// Prepare says whether the database can be written to, and makes the bucket if
// there is none. An error that Away knows is none of the settings; others go on
// the name of the database.
func (d *Database) Prepare(ctx context.Context) error {
	err := d.write(ctx, "")
	if status(err) == http.StatusNotFound {
		if err := d.create(ctx); err != nil {
			return fmt.Errorf("has no bucket %q, and it cannot be made: %w", d.target.Bucket, err)
		}
		err = d.write(ctx, "")
	}
	switch status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("refuses the token for bucket %q: %w", d.target.Bucket, err)
	case http.StatusBadRequest: // of no points
		return nil
	}
	return err
}

// create makes the bucket: by its own interface where there is an
// organisation, else as a database.
func (d *Database) create(ctx context.Context) error {
	if d.target.Org != "" {
		org, err := d.client.OrganizationsAPI().FindOrganizationByName(ctx, d.target.Org)
		if err != nil {
			return inShort(err)
		}
		_, err = d.client.BucketsAPI().CreateBucketWithName(ctx, org, d.target.Bucket)
		return inShort(err)
	}
	name, policy, _ := strings.Cut(d.target.Bucket, "/")
	if policy != "" && policy != "autogen" {
		return fmt.Errorf("%w: make the retention policy %q of database %q first", errSetting, policy, name)
	}
	form := url.Values{"q": {"CREATE DATABASE " + `"` + strings.ReplaceAll(name, `"`, `\"`) + `"`}}
	err := d.client.HTTPService().DoPostRequest(ctx, strings.TrimSuffix(d.target.URL, "/")+"/query", strings.NewReader(form.Encode()), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}, func(r *http.Response) error { return r.Body.Close() })
	if err != nil { // of its own type, which may be a nil pointer
		return inShort(err)
	}
	return nil
}

// write sends lines. It returns nil, or why the database did not take them.
func (d *Database) write(ctx context.Context, lines string) error {
	return inShort(d.writes.WriteRecord(ctx, lines))
}
