package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxTextBytes bounds the JSON files of a model. The largest are indices of
// shards and lists of labels, of some megabytes.
const maxTextBytes = 64 << 20

// A folder is where files of a model are: a directory, or what a program carries.
type folder struct {
	fs.FS
	path string // what errors call it
}

// directory returns the folder that is the directory at path.
func directory(path string) folder { return folder{os.DirFS(path), path} }

// file returns what errors call the file of that name.
func (f folder) file(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// within checks the name, with slashes, of a file or folder that another file in
// f names. It must lie below f; links there may lead away, as those of the
// Hugging Face cache do.
func (f folder) within(name string) error {
	if _, err := filepath.Localize(name); err != nil {
		return fmt.Errorf("names %.80q: expected a path below %s", name, f.path)
	}
	return nil
}

// below returns the folder of that name, with slashes, within f.
func (f folder) below(name string) (folder, error) {
	if err := f.within(name); err != nil {
		return folder{}, err
	}
	files, err := fs.Sub(f.FS, name)
	return folder{files, f.file(name)}, err
}

// exists reports whether there is anything of that name.
func (f folder) exists(name string) bool {
	_, err := fs.Stat(f.FS, name)
	return err == nil
}

// open opens a regular file. A missing one is an error that wraps fs.ErrNotExist.
func (f folder) open(name string) (fs.File, error) {
	// Asked before it is opened, because opening a pipe would wait for a writer.
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, f.named(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a regular file", f.file(name))
	}
	file, err := f.Open(name)
	return file, f.named(name, err)
}

// named gives an error of the file system the whole path.
func (f folder) named(name string, err error) error {
	if inner := new(fs.PathError); errors.As(err, &inner) {
		inner.Path = f.file(name)
	}
	return err
}

// text returns the contents of a regular file of at most maxTextBytes. A missing
// one is an error that wraps fs.ErrNotExist.
func (f folder) text(name string) ([]byte, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTextBytes+1))
	if err != nil {
		return nil, f.named(name, err)
	}
	if len(data) > maxTextBytes {
		return nil, fmt.Errorf("%s: it has more than %d bytes, which is too long for what it should be", f.file(name), maxTextBytes)
	}
	return data, nil
}
