//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package checkpoint

import (
	"io/fs"
	"os"
	"syscall"
)

// load maps size bytes of f into memory, or reads them where f is not the
// system's, and returns how to give the memory back. Pages of a mapping are read
// when they are first touched.
func load(f fs.File, size int) (data []byte, unload func() error, err error) {
	file, ok := f.(*os.File)
	if !ok || size == 0 { // which mmap refuses
		return read(f, size)
	}
	data, err = syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return data, func() error { return os.NewSyscallError("munmap", syscall.Munmap(data)) }, nil
}
