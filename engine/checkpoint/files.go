package checkpoint

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxTextBytes bounds the JSON files of a model. The largest are indices of
// shards and lists of labels, of some megabytes.
const maxTextBytes = 64 << 20

// readText returns the contents of a regular file of at most maxTextBytes. A
// missing one is an error that wraps fs.ErrNotExist.
func readText(path string) ([]byte, error) {
	// Asked before it is opened, because opening a pipe would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTextBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTextBytes {
		return nil, fmt.Errorf("%s: it has more than %d bytes, which is too long for what it should be", path, maxTextBytes)
	}
	return data, nil
}

// exists reports whether there is anything at path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// within returns the path of a file or folder that another file in directory
// names with slashes. It must lie below directory; links there may lead away,
// as those of the Hugging Face cache do.
func within(directory, name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fmt.Errorf("names %.80q: expected a path below %s", name, directory)
	}
	return filepath.Join(directory, local), nil
}
