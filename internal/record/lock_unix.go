//go:build unix

package record

import (
	"os"
	"syscall"
)

// Lock holds a file against other processes that would write it, until it is
// closed or the process ends.
func Lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
