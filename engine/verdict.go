package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/vk"
)

// A Verdict is what tuning one device came to. Its file is one for each device and
// driver, and holds while the driver and the kernels stay as they were.
type Verdict struct {
	Device  string `json:"device"` // and Driver: in words, for those who read the file
	Driver  string `json:"driver"`
	Build   string `json:"build"`   // of device and driver, see [vk.Adapter.Build]
	Kernels string `json:"kernels"` // SHA-256 of the SPIR-V that was tuned
	Date    string `json:"date"`    // RFC 3339
	Tuning
}

// NewVerdict returns the verdict t on a device that runs the kernels of set (nil:
// those embedded).
func NewVerdict(a vk.Adapter, set *shaders.Set, date string, t Tuning) (*Verdict, error) {
	kernels, err := tunedKernels(set)
	if err != nil {
		return nil, err
	}
	return &Verdict{Device: a.Name, Driver: a.Driver, Build: a.Build(), Kernels: kernels, Date: date, Tuning: t}, nil
}

// tunedKernels returns the SHA-256 of all kernels that have shapes to choose from.
func tunedKernels(set *shaders.Set) (string, error) {
	if set == nil {
		set = shaders.Embedded
	}
	h := sha256.New()
	for _, name := range set.Names() {
		if !strings.HasPrefix(name, "matmul_") && !strings.HasPrefix(name, "attention_") {
			continue
		}
		k, err := set.Kernel(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, name, len(k.SPIRV))
		h.Write(k.SPIRV)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// VerdictPath returns where the verdict on a device lies in a directory. The name
// has no version, so that a new driver finds the old one's verdict and can say so.
func VerdictPath(directory string, a vk.Adapter) string {
	first, _, _ := strings.Cut(a.Driver, " ")
	driver := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, first)
	return filepath.Join(directory, fmt.Sprintf("%04x-%04x-%s.tuning.json", a.Vendor, a.Device, driver))
}

// largestVerdict bounds what is read: a verdict takes a few kilobytes.
const largestVerdict = 1 << 20

// ReadVerdict returns the verdict on a device that runs the kernels of set, nil if
// there is none. One that does not hold is an error that says why and what to do.
func ReadVerdict(directory string, a vk.Adapter, set *shaders.Set) (*Verdict, error) {
	path := VerdictPath(directory, a)
	data, err := readVerdict(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	v := &Verdict{}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err = d.Decode(v); err == nil && d.More() {
			err = errors.New("something follows the verdict")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read and is ignored (%w): gaze tune writes it anew", path, err)
	}
	kernels, err := tunedKernels(set)
	switch {
	case err != nil:
		return nil, err
	case v.Build != a.Build():
		return nil, fmt.Errorf("%s is ignored: it was made with another driver or another build of it, %s: run gaze tune again", path, v.Driver)
	case v.Kernels != kernels:
		return nil, fmt.Errorf("%s is ignored: it was made with other kernels than this gaze has: run gaze tune again", path)
	}
	if err := v.validate(TraitsOf(a)); err != nil {
		return nil, fmt.Errorf("%s is ignored: %w: gaze tune writes it anew", path, err)
	}
	return v, nil
}

func readVerdict(path string) ([]byte, error) {
	about, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !about.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case about.Size() > largestVerdict:
		return nil, fmt.Errorf("it has %d bytes, and no verdict has more than %d", about.Size(), largestVerdict)
	}
	return os.ReadFile(path)
}

// Write keeps v for engines that are opened with [Options.TuningDir], readable by
// the user alone, and returns its path.
func (v *Verdict) Write(directory string, a vk.Adapter) (string, error) {
	path := VerdictPath(directory, a)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return path, fmt.Errorf("cannot write %s: %w", path, err)
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return path, err
	}
	err = gaze.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	return path, err
}

// ForgetVerdict removes the verdict on a device, and reports whether there was one.
func ForgetVerdict(directory string, a vk.Adapter) (path string, existed bool, err error) {
	path = VerdictPath(directory, a)
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, false, nil
	}
	return path, err == nil, err
}
