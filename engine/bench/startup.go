package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// startupArguments ask the built-in model for its first answer.
var startupArguments = []string{"fill-mask", "--model", "builtin", "--text", "Rome is the [MASK] of Italy.", "--top", "1"}

// coldSeconds bounds the time that first starts may take in all, fewestRuns of them at least.
const coldSeconds = 25

// startup measures how long gaze takes, as a process of its own, to load the
// built-in model and answer: with nothing cached, neither by gaze nor by the
// driver, and the second time.
func (r *runner) startup() error {
	if len(r.Program) == 0 {
		return nil
	}
	cold := &Case{Suite: "startup", Name: "first answer, nothing compiled before"}
	warm := &Case{Suite: "startup", Name: "first answer, kernels kept from before"}
	var answer string
	start := func(directory string) (Sample, error) {
		began := time.Now()
		text, err := r.answer(directory)
		took := time.Since(began).Seconds()
		if err == nil && answer != "" && text != answer {
			err = fmt.Errorf("it answered %q once and %q now", answer, text)
		}
		answer = text
		return Sample{Host: took}, err
	}
	budget := time.Now().Add(coldSeconds * time.Second)
	for i := range r.Runs {
		if r.Effort != Full && i >= fewestRuns && time.Now().After(budget) {
			break
		}
		directory, err := os.MkdirTemp("", "gaze-bench-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(directory)
		for _, c := range []*Case{cold, warm} {
			s, err := start(directory)
			if err != nil {
				return err
			}
			c.Samples = append(c.Samples, s)
		}
		r.tell("startup", float64(i+1)/float64(r.Runs))
	}
	r.add(cold)
	r.add(warm)
	return nil
}

// answer starts gaze with its caches, and those of drivers that keep one, in a directory.
func (r *runner) answer(directory string) (string, error) {
	ctx, stop := context.WithTimeout(r.ctx, 10*time.Minute)
	defer stop()
	arguments := append(r.Program[1:len(r.Program):len(r.Program)], startupArguments...)
	if r.Device != "" {
		arguments = append(arguments, "--device", r.Device)
	}
	c := exec.CommandContext(ctx, r.Program[0], arguments...)
	c.Env = os.Environ()
	for _, name := range []string{"XDG_CACHE_HOME", "LocalAppData", "MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH"} {
		c.Env = append(c.Env, name+"="+directory)
	}
	if runtime.GOOS == "darwin" { // where the cache is in the home directory, whatever else is set
		c.Env = append(c.Env, "HOME="+directory)
	}
	var failure strings.Builder
	c.Stderr = &failure
	out, err := c.Output()
	switch {
	case r.ctx.Err() != nil:
		return "", r.ctx.Err()
	case err != nil:
		return "", fmt.Errorf("%s: %w\n%s", c, err, strings.TrimSpace(failure.String()))
	case !strings.Contains(string(out), "Rome is the"):
		return "", errors.New(c.String() + " gave no answer")
	}
	return string(out), nil
}
