package etsi014

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Limits of requests, told in Status. Sizes are in bits.
type Limits struct {
	KeySize       int // unless the request says otherwise
	MinKeySize    int
	MaxKeySize    int
	MaxPerRequest int
}

// DefaultLimits suit keys of AES and short one-time pads.
func DefaultLimits() Limits {
	return Limits{KeySize: 256, MinKeySize: 64, MaxKeySize: 8192, MaxPerRequest: 128}
}

// Handler serves the interface.
type Handler struct {
	Keys   Keys
	Limits Limits
	// Identify is the SAE ID that the caller has proven; empty: none.
	Identify func(*http.Request) string
}

// Prefix of all paths.
const Prefix = "/api/v1/keys/"

const maxBody = 64 << 10

// fault is an error with its status and details.
type fault struct {
	status int
	Failure
}

func (f *fault) Error() string { return f.Message }

func badRequest(message string) *fault {
	return &fault{http.StatusBadRequest, Failure{Message: message}}
}

// wrong names the field that is wrong, what was found and what is expected.
func wrong(field string, found any, expected string) *fault {
	return &fault{http.StatusBadRequest, Failure{
		Message: "invalid " + field,
		Details: []map[string]string{{"parameter": field, "found": fmt.Sprint(found), "expected": expected}},
	}}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer, err := h.serve(w, r)
	if err != nil {
		h.fail(w, err)
		return
	}
	write(w, http.StatusOK, answer)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (any, error) {
	other, method, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), Prefix), "/")
	serve := map[string]func(*http.Request, string, string) (any, error){
		"status": h.status, "enc_keys": h.encKeys, "dec_keys": h.decKeys,
	}[method]
	if !ok || serve == nil || other == "" {
		return nil, &fault{http.StatusNotFound, Failure{Message: "expected " + Prefix + "{SAE_ID}/status, enc_keys or dec_keys"}}
	}
	other, err := url.PathUnescape(other)
	if err != nil {
		return nil, badRequest("SAE ID: " + err.Error())
	}
	caller := h.Identify(r)
	if caller == "" {
		return nil, &fault{http.StatusUnauthorized, Failure{Message: "expected a client certificate or a bearer token that proves the caller's SAE ID"}}
	}
	if r.Method != http.MethodGet && (r.Method != http.MethodPost || method == "status") {
		allowed := "GET, POST"
		if method == "status" {
			allowed = "GET"
		}
		w.Header().Set("Allow", allowed)
		return nil, &fault{http.StatusMethodNotAllowed, Failure{Message: "expected " + allowed}}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return serve(r, caller, other)
}

func (h *Handler) fail(w http.ResponseWriter, err error) {
	var f *fault
	switch {
	case errors.As(err, &f):
	case errors.Is(err, ErrUnknownSAE), errors.Is(err, ErrUnknownKey):
		f = badRequest(err.Error())
	default:
		f = &fault{http.StatusServiceUnavailable, Failure{Message: err.Error()}}
		w.Header().Set("Retry-After", "1")
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	write(w, f.status, f.Failure)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller that has left hears nothing
}

func (h *Handler) status(r *http.Request, caller, slave string) (any, error) {
	s, err := h.Keys.Stock(r.Context(), caller, slave)
	if err != nil {
		return nil, err
	}
	size := int64(h.Limits.KeySize)
	return Status{
		SourceKME: s.SourceKME, TargetKME: s.TargetKME, MasterSAE: caller, SlaveSAE: slave,
		KeySize: h.Limits.KeySize, StoredKeys: s.StoredBits / size, MaxKeys: s.CapBits / size,
		MaxPerRequest: h.Limits.MaxPerRequest, MaxKeySize: h.Limits.MaxKeySize, MinKeySize: h.Limits.MinKeySize,
	}, nil
}

func (h *Handler) encKeys(r *http.Request, caller, slave string) (any, error) {
	q, err := h.request(r)
	if err != nil {
		return nil, err
	}
	number, size := 1, h.Limits.KeySize
	if q.Number != nil {
		number = *q.Number
	}
	if q.Size != nil {
		size = *q.Size
	}
	switch {
	case len(q.ExtensionMandatory) > 0:
		return nil, &fault{http.StatusBadRequest, Failure{Message: "not all extension_mandatory parameters are supported", Details: unsupported(q.ExtensionMandatory)}}
	case len(q.AdditionalSlaves) > 0:
		return nil, wrong("additional_slave_SAE_IDs", len(q.AdditionalSlaves), "none: max_SAE_ID_count is 0")
	case number < 1 || number > h.Limits.MaxPerRequest:
		return nil, wrong("number", number, fmt.Sprintf("1 to %d", h.Limits.MaxPerRequest))
	case size%8 != 0:
		f := wrong("size", size, "a multiple of 8")
		f.Message = "size shall be a multiple of 8"
		return nil, f
	case size < h.Limits.MinKeySize || size > h.Limits.MaxKeySize:
		return nil, wrong("size", size, fmt.Sprintf("%d to %d bits", h.Limits.MinKeySize, h.Limits.MaxKeySize))
	}
	keys, err := h.Keys.Draw(r.Context(), caller, slave, number, size/8)
	return Container{keys}, err
}

func unsupported(extensions []map[string]any) []map[string]string {
	var details []map[string]string
	for _, x := range extensions {
		for name := range x {
			details = append(details, map[string]string{"parameter": name, "expected": "no mandatory extension"})
		}
	}
	return details
}

// request reads what GET has in its query and POST in its body.
func (h *Handler) request(r *http.Request) (*Request, error) {
	q := &Request{}
	if r.Method == http.MethodPost {
		return q, decode(r.Body, q)
	}
	values := r.URL.Query()
	for name, into := range map[string]**int{"number": &q.Number, "size": &q.Size} {
		if !values.Has(name) {
			continue
		}
		n, err := strconv.Atoi(values.Get(name))
		if err != nil {
			return nil, wrong(name, values.Get(name), "a whole number")
		}
		*into = &n
	}
	return q, nil
}

func (h *Handler) decKeys(r *http.Request, caller, master string) (any, error) {
	var ids []string
	if r.Method == http.MethodPost {
		var body IDs
		if err := decode(r.Body, &body); err != nil {
			return nil, err
		}
		for _, id := range body.KeyIDs {
			ids = append(ids, id.KeyID)
		}
	} else {
		ids = r.URL.Query()["key_ID"]
	}
	switch {
	case len(ids) == 0:
		return nil, wrong("key_ID", "none", "the ID of a key")
	case len(ids) > h.Limits.MaxPerRequest:
		return nil, wrong("key_IDs", len(ids), fmt.Sprintf("1 to %d", h.Limits.MaxPerRequest))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			return nil, wrong("key_ID", id, "each ID once")
		}
		seen[id] = true
	}
	keys, err := h.Keys.Collect(r.Context(), master, caller, ids)
	return Container{keys}, err
}

// decode reads a JSON object; an empty body is one without fields.
func decode(body io.Reader, into any) error {
	data, err := io.ReadAll(body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &fault{http.StatusBadRequest, Failure{Message: fmt.Sprintf("the body is longer than %d bytes", large.Limit)}}
	case err != nil:
		return badRequest("the body cannot be read")
	case len(data) == 0:
		return nil
	}
	err = json.Unmarshal(data, into)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return wrong(kind.Field, kind.Value, kind.Type.String())
	case err != nil:
		return badRequest("the body is no JSON object: " + err.Error())
	}
	return nil
}
