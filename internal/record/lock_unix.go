//go:build unix

package record

import (
	"os"
	"syscall"
)

// lock holds a file against other processes that would write it, until it is
// closed or the process ends.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
