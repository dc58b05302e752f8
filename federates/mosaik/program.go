package mosaik

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// program is a simulator that was started here.
type program struct {
	cmd   *exec.Cmd
	said  tail
	ended chan struct{}
}

// startProgram starts a command in which %(addr)s is where it is to connect.
func startProgram(command, addr string) (*program, error) {
	words, err := Words(command)
	if err != nil {
		return nil, err
	}
	for i, w := range words {
		words[i] = strings.NewReplacer("%(addr)s", addr, "%(python)s", "python3", "%%", "%").Replace(w)
	}
	p := &program{cmd: exec.Command(words[0], words[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.WaitDelay = time.Second // for what its own children still print
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	return p, nil
}

// how says how the program ended and what it printed last.
func (p *program) how() string {
	how := "the program ended with " + p.cmd.ProcessState.String()
	if last := p.said.lastLine(); last != "" {
		how += fmt.Sprintf(" (its last words: %s)", last)
	}
	return how
}

// end waits for the program and kills it if it goes on.
func (p *program) end(patience time.Duration) {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-p.ended:
	case <-wait.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// accept starts a command and waits until it connects.
func accept(ctx context.Context, command string, within time.Duration) (*program, net.Conn, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	if err := listener.SetDeadline(time.Now().Add(within)); err != nil {
		return nil, nil, err
	}
	p, err := startProgram(command, listener.Addr().String())
	if err != nil {
		return nil, nil, faultf(CodeConnection, "its command cannot be started: %v", err)
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-p.ended:
		case <-ctx.Done():
		case <-done:
		}
		_ = listener.Close()
	}()
	conn, err := listener.Accept()
	if err == nil {
		return p, conn, nil
	}
	select {
	case <-p.ended:
		return nil, nil, faultf(CodeConnection, "%s before it connected", p.how())
	default:
		p.end(0)
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, nil, faultf(CodeDeadline, "expected the program to connect to %v within %v", listener.Addr(), within)
	}
	return nil, nil, err
}

// Words parts a command where a shell would: at spaces outside of quotes.
func Words(command string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if begun {
				words = append(words, word.String())
				word.Reset()
			}
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("the command is empty")
	}
	return words, nil
}

// tail keeps the end of what a program prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4096

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(b), nil
}

func (t *tail) lastLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lastLine(bytes.ToValidUTF8(t.text, []byte("?")))
}

// lastLine is the last line that is not empty: of a Python traceback, what
// went wrong.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return excerpt300(strings.TrimSpace(lines[len(lines)-1]))
}

func excerpt300(s string) string {
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return s
}
