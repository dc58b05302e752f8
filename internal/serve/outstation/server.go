package outstation

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"cosim/scada/iec104"
)

// Server serves a station to masters.
type Server struct {
	Station *Station
	// MaxMasters is how many may be connected at a time; 0 for 16.
	MaxMasters int
	// Log hears of masters that come and go; nil for nobody.
	Log *slog.Logger

	mu      sync.Mutex
	masters map[net.Conn]bool
}

// Masters is how many masters are connected.
func (sv *Server) Masters() int {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return len(sv.masters)
}

// Serve accepts masters until ctx ends, and then closes the listener and all
// connections.
func (sv *Server) Serve(ctx context.Context, l net.Listener) error {
	if sv.Log == nil {
		sv.Log = slog.New(slog.DiscardHandler)
	}
	if sv.MaxMasters == 0 {
		sv.MaxMasters = 16
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of descriptors, or one that has left already
			time.Sleep(10 * time.Millisecond)
			continue
		case !sv.admit(conn):
			sv.Log.Warn("IEC 104: too many masters", "from", conn.RemoteAddr(), "most", sv.MaxMasters)
			_ = conn.Close()
			continue
		}
		all.Go(func() {
			defer sv.dismiss(conn)
			sv.Log.Info("IEC 104: master connected", "from", conn.RemoteAddr())
			err := sv.attend(ctx, conn)
			sv.Log.Info("IEC 104: master left", "from", conn.RemoteAddr(), "why", err)
		})
	}
}

func (sv *Server) admit(conn net.Conn) bool {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if len(sv.masters) >= sv.MaxMasters {
		return false
	}
	if sv.masters == nil {
		sv.masters = map[net.Conn]bool{}
	}
	sv.masters[conn] = true
	return true
}

func (sv *Server) dismiss(conn net.Conn) {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	delete(sv.masters, conn)
}

// attend runs the session of one connection.
func (sv *Server) attend(ctx context.Context, conn net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	if secure, ok := conn.(*tls.Conn); ok {
		shake, done := context.WithTimeout(ctx, iec104.T0)
		defer done()
		if err := secure.HandshakeContext(shake); err != nil {
			return fmt.Errorf("outstation: TLS: %w", err)
		}
	}
	frames, left := make(chan []byte), make(chan error, 1)
	go func() { left <- readFrames(ctx, conn, frames) }()
	s := newSession(sv.Station, conn.RemoteAddr().String(), time.Now())
	defer s.close()
	timer := time.NewTimer(iec104.T3)
	defer timer.Stop()
	for {
		news := sv.Station.cfg.Image.news()
		if err := errors.Join(s.advance(time.Now()), s.flush(conn)); err != nil {
			return err
		}
		timer.Reset(time.Until(s.due()))
		var err error
		select {
		case f := <-frames:
			err = s.receive(time.Now(), f)
		case id := <-s.finished:
			err = s.terminate(time.Now(), id)
		case <-news:
		case <-timer.C:
		case err = <-left:
			return err
		}
		if err != nil {
			return errors.Join(err, s.flush(conn))
		}
	}
}

// flush writes what the session has for its master.
func (s *session) flush(conn net.Conn) error {
	if len(s.out) == 0 {
		return nil
	}
	if err := conn.SetWriteDeadline(time.Now().Add(iec104.T1)); err != nil {
		return err
	}
	_, err := conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// readFrames cuts the stream into frames. What comes while the session is busy
// waits in the socket.
func readFrames(ctx context.Context, r io.Reader, frames chan<- []byte) error {
	for {
		b := make([]byte, 2, 2+iec104.MaxLength)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		n, err := iec104.FrameLen(b)
		if err != nil {
			return err
		}
		b = b[:n]
		if _, err := io.ReadFull(r, b[2:]); err != nil {
			return err
		}
		select {
		case frames <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
