//go:build darwin || dragonfly || freebsd || linux

package hub

import (
	"os"
	"syscall"
)

// freeSpace returns the bytes that this user may still write on the file system of path.
func freeSpace(path string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
