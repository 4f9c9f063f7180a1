package gaze

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WriteFile writes what fill writes to a temporary file beside path and then
// renames it, so that path is only ever absent, old or complete. On any error,
// fill's own included, the temporary file is removed and path is left as it was.
//
// Where path leads to something that is no regular file, such as /dev/stdout or a
// pipe, there is nothing to keep whole: it is written to directly. A symbolic
// link is followed, not replaced.
func WriteFile(path string, fill func(io.Writer) error) error {
	err := writeFile(path, fill)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// nameless drops the path from an error of the file system: nobody asked for that of
// the temporary file, and WriteFile names the other.
func nameless(err error) error {
	switch e := err.(type) {
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// A namelessFile is a file without its name in the errors of writing it.
type namelessFile struct{ file *os.File }

func (f namelessFile) Write(data []byte) (int, error) {
	n, err := f.file.Write(data)
	return n, nameless(err)
}

func writeFile(path string, fill func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return errors.New("it is a directory")
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nameless(err)
		}
		err = fillBuffered(f, fill)
		if closed := f.Close(); err == nil {
			err = nameless(closed)
		}
		return err
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) { // links that lead to themselves, among others
		return nameless(err)
	}
	for range 40 { // links at most, as on Linux
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) { // not by Join, which takes "link/.." for nothing
			directory, _ := filepath.Split(path)
			target = directory + target
		}
		directory, name := filepath.Split(target)
		if directory, err = filepath.EvalSymlinks(directory); err != nil {
			return nameless(err)
		}
		path = filepath.Join(directory, name)
	}
	// Not os.CreateTemp: its files are readable by their owner alone. A name that
	// nobody can guess, and O_EXCL, keep writers of one path out of each other's way.
	name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%016x.tmp", filepath.Base(path), rand.Uint64()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nameless(err)
	}
	err = fillBuffered(f, fill)
	if err == nil {
		err = nameless(f.Sync())
	}
	if closed := f.Close(); err == nil {
		err = nameless(closed)
	}
	if err == nil {
		err = nameless(os.Rename(name, path))
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}

func fillBuffered(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriterSize(namelessFile{f}, 1<<20)
	if err := fill(w); err != nil {
		return err
	}
	return w.Flush()
}
