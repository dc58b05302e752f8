package experiment

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// checkProgram is a federate that was started for a check.
type checkProgram struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // once ended
}

func startProgram(o *CheckOptions, url string) (*checkProgram, error) {
	args := make([]string, len(o.Program))
	for i, a := range o.Program {
		args[i] = strings.ReplaceAll(a, "{url}", url)
	}
	p := &checkProgram{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "COSIM_URL="+url)
	if o.Token != "" {
		p.cmd.Env = append(p.cmd.Env, "COSIM_TOKEN="+o.Token)
	}
	if o.CA != "" {
		// The first is ours; the others are where OpenSSL, hence Python and Go,
		// and Node look.
		p.cmd.Env = append(p.cmd.Env, "COSIM_CA="+o.CA, "SSL_CERT_FILE="+o.CA, "NODE_EXTRA_CA_CERTS="+o.CA)
	}
	p.cmd.Stdout, p.cmd.Stderr = o.Output, o.Output
	p.cmd.WaitDelay = time.Second // for what its own children still print
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *checkProgram) hasEnded() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// how it ended.
func (p *checkProgram) how() string { return p.cmd.ProcessState.String() }

// wait says what is wrong with how it ended, if anything.
func (p *checkProgram) wait(within time.Duration) error {
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("expected the program to end with exit status 0 after stop, got %s", p.how())
		}
		return nil
	case <-time.After(within):
		return errors.New("expected the program to end after stop; it goes on after " + within.String())
	}
}

// kill ends it, if it has not ended.
func (p *checkProgram) kill() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}
