//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package checkpoint

import "io/fs"

// load reads size bytes of f, where the standard library cannot map files.
func load(f fs.File, size int) (data []byte, unload func() error, err error) { return read(f, size) }
