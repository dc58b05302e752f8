package client

import (
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// briefly is how long a read waits in the kernel before it waits in Go's
// poller: longer than a step of most federations.
const briefly = 2 * time.Millisecond

// patient is a connection whose reads wait briefly in the kernel. A program
// with one federate does nothing between two steps; each time that all of it
// sleeps in the poller, the runtime puts its watching thread to sleep and wakes
// it with the next step, which costs more than the step itself. While a read
// waits here it holds one of the processors that Go counts with, so that it
// does so only where there is another one and where the program has no other
// such connection. A collection of garbage that begins meanwhile interrupts it,
// for ppoll ends with every signal.
type patient struct {
	*net.TCPConn
	raw  syscall.RawConn
	gone sync.Once
}

// open counts the connections of this program.
var open atomic.Int32

// beingPatient returns c, with such reads if they can be had.
func beingPatient(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	open.Add(1)
	return &patient{TCPConn: tcp, raw: raw}
}

// Close implements net.Conn.
func (c *patient) Close() error {
	c.gone.Do(func() { open.Add(-1) })
	return c.TCPConn.Close()
}

// Read implements net.Conn.
func (c *patient) Read(b []byte) (n int, err error) {
	if len(b) == 0 || open.Load() != 1 || runtime.GOMAXPROCS(0) == 1 {
		return c.TCPConn.Read(b)
	}
	waited := false
	if outer := c.raw.Read(func(fd uintptr) bool {
		if !waited { // what follows waits in the poller
			waitReadable(fd, briefly)
			waited = true
		}
		for {
			if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
				return err != syscall.EAGAIN
			}
		}
	}); outer != nil {
		return 0, outer
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(0, n), err
}

// waitReadable returns when there is something to read, or a time has passed,
// or a signal came.
func waitReadable(fd uintptr, within time.Duration) {
	const pollIn = 1
	poll := struct {
		fd              int32
		events, revents int16
	}{int32(fd), pollIn, 0}
	limit := syscall.NsecToTimespec(int64(within))
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
}
