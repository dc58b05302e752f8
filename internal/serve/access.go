package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// operator is the name of who may command runs and chains.
const operator = "operator"

// identify is the name that a caller has proven: by a token, or else by the
// common name of its certificate; empty: none.
func (r *secured) identify(req *http.Request) string {
	if header := req.Header.Get("Authorization"); header != "" {
		return r.bearer(header)
	}
	if req.TLS != nil && len(req.TLS.VerifiedChains) > 0 {
		return req.TLS.PeerCertificates[0].Subject.CommonName
	}
	return ""
}

// bearer is whose token a header carries.
func (r *secured) bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	name := ""
	for n, t := range r.tokens { // all, so that the time tells nothing
		if want := sha256.Sum256([]byte(t)); subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			name = n
		}
	}
	return name
}

// guarded lets only the operator in where callers can prove who they are, and
// otherwise only programs of this machine: a page in a browser that was lured
// here shows by its Host, or by its Origin.
func (r *secured) guarded(next http.Handler) http.Handler {
	return r.local(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.proves() && r.identify(req) != operator {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "expected the operator's token, Authorization: Bearer ..., or a certificate with the common name operator")
			return
		}
		next.ServeHTTP(w, req)
	}))
}

// proves says that callers can prove who they are.
func (r *secured) proves() bool { return r.mutual || len(r.tokens) > 0 }

// local lets only pages and programs of this machine in where nobody can prove
// who they are.
func (r *secured) local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.proves() && !isLoopback(hostOf(req.Host)) {
			refuse(w, http.StatusForbidden, "expected a Host of this machine, found "+req.Host)
			return
		}
		next.ServeHTTP(w, req)
	})
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]")
	}
	return host
}
