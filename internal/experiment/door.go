package experiment

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// doorName is the file in the folder of a run that goes on, or was killed, from
// which a resumption opens the same door to external federates: where they find
// it, and the secret by which they and it know each other. It is no part of the
// run's record, and goes with the run's end.
const doorName = "attach.json"

type door struct {
	Listen string `json:"listen"` // where the run listened
	Secret string `json:"secret"` // of ws.Config, in hexadecimal digits
}

// readDoor reads that of a run that is resumed; one without values if there is
// none.
func (p *past) readDoor() (d door, secret []byte, err error) {
	if p == nil || !p.resume {
		return d, nil, nil
	}
	file := filepath.Join(p.dir, doorName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err == nil {
		secret, err = hex.DecodeString(d.Secret)
	}
	if err != nil {
		return d, nil, fmt.Errorf("experiment: %s cannot be read (without it, programs that outlived the run are not known again): %w", file, err)
	}
	return d, secret, nil
}

// address is where a run listens that may take any port: where it did before,
// as long as nobody else does.
func (d *door) address(configured string) string {
	if _, port, err := net.SplitHostPort(configured); err != nil || port != "0" || d.Listen == "" {
		return configured
	}
	l, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return configured
	}
	_ = l.Close()
	return d.Listen
}

// remember leaves the door's file in the run's folder.
func (a *attached) remember(dir string) error {
	if a == nil || a.server == nil {
		return nil
	}
	text, err := json.Marshal(door{a.address, hex.EncodeToString(a.server.Secret())})
	if err != nil {
		return err
	}
	file := filepath.Join(dir, doorName)
	partial := filepath.Join(dir, "."+doorName+".partial")
	if err := os.WriteFile(partial, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	return os.Rename(partial, file)
}

// forgetDoor removes the file of a run that is complete.
func forgetDoor(dir string) error {
	if err := os.Remove(filepath.Join(dir, doorName)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
