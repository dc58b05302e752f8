package influx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// answer is what became of a request, said as people would.
type answer struct {
	text string
	err  error // as the client gave it
}

func (a *answer) Error() string { return a.text }
func (a *answer) Unwrap() error { return a.err }

// inShort says what an error of the client comes to; the URL with its query, of
// no use to who reads it, is left out.
func inShort(err error) error {
	var short *answer
	if err == nil || errors.As(err, &short) {
		return err
	}
	return &answer{shortText(err), err}
}

func shortText(err error) string {
	var timeout net.Error
	var lookup *net.DNSError
	var system syscall.Errno
	var unreached *url.Error
	switch code := status(err); {
	case code != 0:
		return fmt.Sprintf("%d %s%s", code, http.StatusText(code), said(err))
	case errors.As(err, &lookup):
		return "the host is not known"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer"
	case errors.As(err, &system):
		return system.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was cut"
	case errors.As(err, &unreached):
		return unreached.Err.Error()
	}
	return err.Error()
}

// said is the text of an answer, if it has a short one.
func said(err error) string {
	var a *influxhttp.Error
	if !errors.As(err, &a) {
		return ""
	}
	text, _, _ := strings.Cut(strings.TrimSpace(a.Message), "\n")
	if text == "" || strings.HasPrefix(text, "<") { // a page of some proxy
		return ""
	}
	if most := 200; len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return ": " + text
}

// Away reports whether an error of Prepare is one of reaching the database, or
// one that it has with itself, which may pass.
func Away(err error) bool {
	s := status(err)
	return err != nil && !errors.Is(err, errSetting) && (s == 0 || s == http.StatusTooManyRequests || s >= 500)
}

// errSetting is a setting that no request can mend.
var errSetting = errors.New("wrong setting")

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
	var a *influxhttp.Error
	if errors.As(err, &a) {
		return a.StatusCode
	}
	return 0
}

// retryAfter is how long the database asks to be left alone.
func retryAfter(err error) time.Duration {
	var a *influxhttp.Error
	if errors.As(err, &a) {
		return time.Duration(a.RetryAfter) * time.Second
	}
	return 0
}
