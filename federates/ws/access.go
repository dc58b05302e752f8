package ws

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// bearer is the token of a request's Authorization header.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// sameToken compares in a time that tells nothing of either token.
func sameToken(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// originAllowed guards against pages in a browser: programs send no Origin,
// pages that this machine serves may come, others only if they are listed. A
// request's Host says nothing here, for a hostile page can have it be its own.
func originAllowed(r *http.Request, allowed []string) bool {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	for _, a := range allowed {
		if strings.EqualFold(origins[0], a) {
			return true
		}
	}
	u, err := url.Parse(origins[0])
	return err == nil && IsLoopback(u.Hostname())
}

// IsLoopback reports whether a host is this machine and nobody else can be meant.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bucket lets burst events pass at once and rate a second from then on.
type bucket struct {
	rate, burst float64
	level       float64 // events that have not drained yet
	at          time.Time
}

// pass counts an event, if there is room for it.
func (b *bucket) pass(now time.Time) bool {
	b.drain(now)
	if b.level+1 > b.burst {
		return false
	}
	b.level++
	return true
}

func (b *bucket) full(now time.Time) bool {
	b.drain(now)
	return b.level+1 > b.burst
}

func (b *bucket) drain(now time.Time) {
	b.level = max(0, b.level-b.rate*now.Sub(b.at).Seconds())
	b.at = now
}

// Refused attempts that one address has to itself: enough for a person who
// tries, too few for a program that guesses.
const (
	refusalsPerS  = 2
	refusalsBurst = 20
	addresses     = 1024 // remembered at most
)

// refusals counts those that were not let in, by address.
type refusals struct {
	mu sync.Mutex
	by map[string]*bucket
}

// tooMany reports whether an address has had too many refusals of late.
func (r *refusals) tooMany(address string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.by[address]
	return b != nil && b.full(now)
}

func (r *refusals) add(address string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil || len(r.by) >= addresses {
		r.by = map[string]*bucket{}
	}
	b := r.by[address]
	if b == nil {
		b = &bucket{rate: refusalsPerS, burst: refusalsBurst}
		r.by[address] = b
	}
	b.pass(now)
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
