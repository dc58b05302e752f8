package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cosim/internal/experiment"
	"cosim/internal/record/web"
	"cosim/internal/serve/etsi014"
	cosync "cosim/sync"
)

// Config says what a server serves.
type Config struct {
	HTTP   string // address; empty: none
	IEC104 string // address of every run's outstation; empty: none
	// CommonAddr is the outstation's; 0 for 1.
	CommonAddr uint16
	Security   Security
	// Experiment names what runs are made from unless they say otherwise: one
	// that ships inside, or a file.
	Experiment string
	Overrides  experiment.Overrides
	Out        string  // folder of the runs' folders; empty writes no files
	RealTime   float64 // simulated seconds a second; 0 as fast as possible
	// Guests says that somebody else carries the runs out, see Host: none is
	// started here, and no key is delivered.
	Guests bool
	// Once ends the server with its first run.
	Once bool
	// Watch, if any, gives each run observers of its own before it starts.
	Watch func(*experiment.Definition) ([]cosync.Observer, error)
	// OnEnd hears of each run that has ended.
	OnEnd func(*experiment.Result, error)
	Log   *slog.Logger
}

// Server carries runs out, one at a time, and lets others take part.
type Server struct {
	cfg    Config
	access *secured
	http   net.Listener
	etsi   *etsi014.Handler
	// streams is how many pages are being served.
	streams atomic.Int64

	mu     sync.Mutex
	ctx    context.Context // of Serve
	runs   []*Run          // oldest first
	chains []byte          // uploaded, as a layer of the next runs
}

// New checks a configuration and opens its HTTP socket.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnEnd == nil {
		c.OnEnd = func(*experiment.Result, error) {}
	}
	if c.CommonAddr == 0 {
		c.CommonAddr = 1
	}
	access, err := c.Security.read()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: c, access: access}
	s.etsi = &etsi014.Handler{Keys: currentKeys{s}, Limits: etsi014.DefaultLimits(), Identify: access.identify}
	if c.IEC104 != "" {
		if err := access.checkIEC104(c.IEC104); err != nil {
			return nil, err
		}
	}
	if c.HTTP == "" {
		return s, nil
	}
	if err := access.checkHTTP(c.HTTP); err != nil {
		return nil, err
	}
	s.http, err = access.open(c.HTTP)
	return s, err
}

// Addr is where HTTP is served.
func (s *Server) Addr() string {
	if s.http == nil {
		return ""
	}
	return s.http.Addr().String()
}

// Serve answers until ctx ends; it then ends the run, whose results so far are
// kept, and closes all sockets. If first is set it is carried out at once.
func (s *Server) Serve(ctx context.Context, first *experiment.Definition) error {
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	ended := make(chan error, 1)
	web := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	if s.http != nil {
		go func() { ended <- web.Serve(s.http) }()
		defer web.Close()
	}
	var once chan struct{} // without an end unless asked for
	if first != nil {
		r, err := s.begin(first)
		if err != nil {
			return err
		}
		if s.cfg.Once {
			once = r.ended
		}
	}
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-once:
	case <-ctx.Done():
	}
	if r := s.current(); r != nil {
		<-r.ended
	}
	return nil
}

var errRunning = errors.New("serve: a run goes on; stop it first")

// begin starts a run.
func (s *Server) begin(d *experiment.Definition) (*Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.runs); n > 0 && !s.runs[n-1].hasEnded() {
		return nil, errRunning
	}
	var watchers []cosync.Observer
	if s.cfg.Watch != nil {
		var err error
		if watchers, err = s.cfg.Watch(d); err != nil {
			return nil, err
		}
	}
	r := s.newRun(d)
	if s.cfg.IEC104 != "" {
		var err error
		if r.listener, err = s.access.open(s.cfg.IEC104); err != nil {
			return nil, err
		}
		s.cfg.Log.Info("IEC 104 outstation", "address", r.listener.Addr(), "common address", r.commonAddr, "tls", s.access.tls != nil)
	}
	s.runs = slices.DeleteFunc(s.runs, func(x *Run) bool { return x.id == r.id }) // its folder is replaced too
	s.runs = append(s.runs, r)
	r.start(s.ctx, s.cfg.Out, watchers, s.cfg.OnEnd)
	return r, nil
}

func (s *Server) newRun(d *experiment.Definition) *Run {
	r := &Run{
		id: d.RunName(), definition: d, realTime: s.cfg.RealTime, log: s.cfg.Log, commonAddr: s.cfg.CommonAddr,
		desk: newDesk(), ended: make(chan struct{}), gauges: newGauges(),
	}
	r.vault = &vault{run: r, delivered: map[string]delivered{}}
	return r
}

func (r *Run) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// current is the newest run, nil before the first.
func (s *Server) current() *Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.runs) == 0 {
		return nil
	}
	return s.runs[len(s.runs)-1]
}

func (s *Server) run(id string) *Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// handler routes requests.
func (s *Server) handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /v1/runs", s.listRuns)
	if !s.cfg.Guests {
		api.HandleFunc("POST /v1/runs", s.postRun)
	}
	api.HandleFunc("GET /v1/runs/{id}", s.withRun(s.getRun))
	api.HandleFunc("GET /v1/runs/{id}/stream", s.stream)
	api.HandleFunc("POST /v1/runs/{id}/{action}", s.withRun(s.actOnRun))
	api.HandleFunc("POST /v1/runs/{id}/pace", s.withRun(s.setPace))
	api.HandleFunc("POST /v1/runs/{id}/disturbances", s.withRun(s.disturb))
	api.HandleFunc("GET /v1/chains", s.listChains)
	api.HandleFunc("POST /v1/chains", s.postChains)
	api.HandleFunc("GET /v1/chains/{id}", s.getChain)
	api.HandleFunc("PUT /v1/chains/{id}", s.putChain)
	api.HandleFunc("GET /v1/iec104/points", s.listPoints)
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "nothing at "+r.Method+" "+r.URL.Path+"; there is /v1/runs, /v1/chains, /v1/iec104/points and "+etsi014.Prefix+"{SAE_ID}/status")
	})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.access.guarded(s.metrics()))
	if !s.cfg.Guests {
		mux.Handle(etsi014.Prefix, s.etsi)
	}
	page := s.access.local(web.Assets())
	mux.Handle("GET /{$}", page)
	mux.Handle("GET /page/", page)
	mux.Handle("/", s.access.guarded(http.NewCrossOriginProtection().Handler(api)))
	return mux
}

// currentKeys is the key of the run that goes on.
type currentKeys struct{ *Server }

func (c currentKeys) vault() (*vault, error) {
	r := c.current()
	if r == nil {
		return nil, fmt.Errorf("%w: no run goes on", etsi014.ErrUnavailable)
	}
	return r.vault, nil
}

// Stock implements etsi014.Keys.
func (c currentKeys) Stock(ctx context.Context, master, slave string) (etsi014.Stock, error) {
	v, err := c.vault()
	if err != nil {
		return etsi014.Stock{}, err
	}
	return v.Stock(ctx, master, slave)
}

// Draw implements etsi014.Keys.
func (c currentKeys) Draw(ctx context.Context, master, slave string, number, size int) ([]etsi014.Key, error) {
	v, err := c.vault()
	if err != nil {
		return nil, err
	}
	return v.Draw(ctx, master, slave, number, size)
}

// Collect implements etsi014.Keys.
func (c currentKeys) Collect(ctx context.Context, master, slave string, ids []string) ([]etsi014.Key, error) {
	v, err := c.vault()
	if err != nil {
		return nil, err
	}
	return v.Collect(ctx, master, slave, ids)
}

// Refusal is the body of an error of REST.
type Refusal struct {
	Message string `json:"message"`
	Details []any  `json:"details,omitempty"`
}

func refuse(w http.ResponseWriter, status int, message string, details ...any) {
	answer(w, status, Refusal{message, details})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(body) // a caller that has left hears nothing
}

// maxBody is the longest body that is read: the chains of a large case.
const maxBody = 4 << 20

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body cannot be read, or is longer than %d bytes", maxBody))
		return nil, false
	}
	return data, true
}
