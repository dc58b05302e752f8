package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cosim/internal/experiment"
	"cosim/internal/serve"
	"cosim/internal/terminal"
	cosync "cosim/sync"
)

// webSink shows runs in a browser while they go on, and lets people take part.
type webSink struct {
	address  string
	security serve.Security

	server *serve.Server
	ended  chan error // of the server
	stop   context.CancelFunc
}

func (w *webSink) register(flags *pflag.FlagSet) {
	flags.StringVar(&w.address, "web", "", "address of the live page, for example :8080 (this machine only, unless certificate and tokens protect it)")
	flags.StringVar(&w.security.Certificate, "web-cert", "", "certificate (PEM) with which the page is encrypted")
	flags.StringVar(&w.security.Key, "web-key", "", "its private key (PEM)")
	flags.StringVar(&w.security.TokenFile, "web-token-file", "", "file with the name operator and the page's bearer token")
}

func (w *webSink) open(cmd *cobra.Command) (bool, error) {
	if w.address == "" {
		if w.security != (serve.Security{}) {
			return false, errors.New("--web-cert, --web-key and --web-token-file protect the live page: expected --web with an address such as :8080")
		}
		return false, nil
	}
	address, err := w.reach()
	if err != nil {
		return false, err
	}
	realTime, _ := cmd.Flags().GetFloat64("realtime")
	if w.server, err = serve.New(serve.Config{HTTP: address, Security: w.security, Guests: true, RealTime: realTime}); err != nil {
		return false, fmt.Errorf("--web: %w", err)
	}
	// The page outlives an interrupted run by as long as it takes to say so.
	ctx, stop := context.WithCancel(context.WithoutCancel(cmd.Context()))
	w.stop, w.ended = stop, make(chan error, 1)
	go func() { w.ended <- w.server.Serve(ctx, nil) }()
	fmt.Fprintf(cmd.ErrOrStderr(), "live page: %s\n", w.url())
	return true, nil
}

// reach is the address to listen on: without a host that of this machine,
// unless the page is protected.
func (w *webSink) reach() (string, error) {
	host, port, err := net.SplitHostPort(w.address)
	if err != nil {
		return "", fmt.Errorf("--web is %q, expected an address such as :8080 or 127.0.0.1:8080", w.address)
	}
	if host == "" && (w.security.Certificate == "" || w.security.TokenFile == "") {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func (w *webSink) url() string {
	scheme, address := "http", w.server.Addr()
	if w.security.Certificate != "" {
		scheme = "https"
	}
	if host, port, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).IsUnspecified() {
		address = net.JoinHostPort("localhost", port)
	}
	return scheme + "://" + address + "/"
}

func (w *webSink) watch(d *experiment.Definition) (cosync.Observer, error) {
	return w.server.Host(d), nil
}

// told is how long open pages have to hear how their runs ended.
const told = 2 * time.Second

func (w *webSink) close(*cobra.Command) error {
	w.server.Drain(told)
	return nil
}

// linger keeps the page of ended runs until Ctrl-C where a person is at the
// terminal; a script never waits.
func (w *webSink) linger(cmd *cobra.Command, err error) error {
	if err == nil && cmd.Context().Err() == nil && attended(cmd) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s shows the end until Ctrl-C\n", w.url())
		select {
		case <-cmd.Context().Done():
		case err = <-w.ended:
			return err
		}
	}
	w.stop()
	return <-w.ended
}

// attended says that a person reads what is printed and can end the program.
func attended(cmd *cobra.Command) bool {
	_, reads := terminal.IsTerminal(cmd.ErrOrStderr())
	stat, err := os.Stdin.Stat()
	return reads && err == nil && stat.Mode()&os.ModeCharDevice != 0
}
