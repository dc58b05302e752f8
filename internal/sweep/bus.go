package sweep

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The bus has two streams. Runs to be made wait as
// cosim.work.<program>.<sweep>.<run>, are given to one worker at a time and
// vanish with its acknowledgement; what they found waits as
// cosim.result.<sweep>.<run> until the sweep has it in its journal. The
// subject names the run, and a stream holds one message a subject: no run is
// queued twice, whatever was queued before the sweep was interrupted.
const (
	workStream   = "COSIM_WORK"
	resultStream = "COSIM_RESULT"
	workPrefix   = "cosim.work."
	resultPrefix = "cosim.result."
	helloSubject = "cosim.hello" // workers say who they are
)

// keepResults is how long results wait for a sweep that was interrupted.
const keepResults = 30 * 24 * time.Hour

// tag is the program's in subjects: workers take runs of their own version and
// architecture only.
func (p program) tag() string {
	sum := sha256.Sum256([]byte(p.Version + "\n" + p.Architecture))
	return fmt.Sprintf("%x", sum[:6])
}

// job is a run as it waits in the queue: everything that a worker needs.
type job struct {
	Run        string        `json:"run"`
	Sweep      string        `json:"sweep"` // its name
	Folder     string        `json:"folder"`
	Seed       uint64        `json:"seed"`
	KeepAll    bool          `json:"keep_all"`
	Hash       string        `json:"definition_sha256"`
	Definition []byte        `json:"definition"` // resolved YAML, compressed
	ReplyTo    string        `json:"reply_to"`   // subject of the result
	Lease      time.Duration `json:"lease"`
}

// compress packs a definition; the jobs of all seeds carry it.
func compress(text []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(text)
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}

func decompress(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// hello is what a worker says every helloEvery, and when it leaves.
type hello struct {
	Worker  string  `json:"worker"`
	Slots   int     `json:"slots"` // runs at a time
	Program program `json:"program"`
	Leaves  bool    `json:"leaves,omitempty"`
}

// welcome is a sweep's answer.
type welcome struct {
	Sweep   string `json:"sweep"`
	Refused string `json:"refused,omitempty"` // why
}

const helloEvery = 2 * time.Second

// publish sends a message in JSON, with the subject of an answer if any.
func publish(nc *nats.Conn, subject, reply string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return nc.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Data: data})
}

// bus is a sweep's end of it.
type bus struct {
	js      jetstream.JetStream
	work    jetstream.Stream
	results jetstream.Consumer
	sweep   string // its id
	tag     string
}

// openBus makes what is not there yet: the streams, and the consumers that give
// runs to workers and results to this sweep.
func openBus(ctx context.Context, nc *nats.Conn, sweep, tag string, lease time.Duration, storage jetstream.StorageType) (*bus, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	b := &bus{js: js, sweep: sweep, tag: tag}
	b.work, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: workStream, Subjects: []string{workPrefix + ">"}, Retention: jetstream.WorkQueuePolicy, Storage: storage,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgs: -1, MaxBytes: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", workStream, err)
	}
	// Deliveries are counted, not bounded: a message past a bound would stay in
	// the queue and nobody would hear of it. Workers look at the count.
	_, err = b.work.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: tag, FilterSubject: workPrefix + tag + ".>", AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: lease, MaxDeliver: -1, MaxAckPending: -1, InactiveThreshold: keepResults,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer of %s: %w", workStream, err)
	}
	results, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: resultStream, Subjects: []string{resultPrefix + ">"}, Retention: jetstream.WorkQueuePolicy, Storage: storage,
		MaxMsgsPerSubject: 1, MaxAge: keepResults,
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", resultStream, err)
	}
	b.results, err = results.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: sweep, FilterSubject: resultPrefix + sweep + ".>", AckPolicy: jetstream.AckExplicitPolicy,
		MaxAckPending: -1, InactiveThreshold: keepResults,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer of %s: %w", resultStream, err)
	}
	return b, nil
}

// offer puts a run into the queue, unless it waits there already.
func (b *bus) offer(ctx context.Context, j *job, token string) error {
	j.ReplyTo = resultPrefix + b.sweep + "." + token
	data, err := json.Marshal(j)
	if err != nil {
		return err
	}
	_, err = b.js.Publish(ctx, workPrefix+b.tag+"."+b.sweep+"."+token, data)
	if err != nil && strings.Contains(err.Error(), "maximum messages per subject") {
		return nil
	}
	return err
}

// withdraw takes the runs of this sweep that nobody has begun from the queue.
func (b *bus) withdraw(ctx context.Context) error {
	return b.work.Purge(ctx, jetstream.WithPurgeSubject(workPrefix+b.tag+"."+b.sweep+".>"))
}
