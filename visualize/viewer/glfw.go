package viewer

import (
	"errors"
	"io"
	"log"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/go-gl/glfw/v3.3/glfw"
)

// The rest of the package is about windows; here is what GLFW's Go binding does
// otherwise than one would wish.

// sayings are what GLFW reports of its platform. The binding returns it from no
// function but prints it with package log, whose output they are meanwhile.
type sayings struct {
	last atomic.Pointer[string]
	to   io.Writer // for what others log
}

func overhear() *sayings {
	s := &sayings{to: log.Writer()}
	log.SetOutput(s)
	return s
}

func (s *sayings) stop() { log.SetOutput(s.to) }

func (s *sayings) Write(line []byte) (int, error) {
	if _, text, ok := strings.Cut(string(line), "PlatformError: "); ok {
		text = strings.TrimSpace(text)
		s.last.Store(&text)
		return len(line), nil
	}
	return s.to.Write(line)
}

// or returns what was said last, which tells more than an error that follows
// from it, or else that error.
func (s *sayings) or(err error) error {
	if last := s.last.Load(); last != nil {
		return errors.New(*last)
	}
	return err
}

// post wakes the window's thread from any other. The binding looks for errors
// wherever it is called: one of the window's thread is no reason to panic here.
func post() {
	defer func() {
		if caught := recover(); caught != nil {
			if _, ok := caught.(*glfw.Error); !ok {
				panic(caught)
			}
		}
	}()
	glfw.PostEmptyEvent()
}

// surface makes the window's Vulkan surface, for package vk.
func (w *Window) surface(instance any) (uintptr, error) {
	// The binding returns the address of a Go variable that holds the surface, as
	// a number that keeps nothing alive: no collection may begin before it is read.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	address, err := w.window.CreateWindowSurface(instance, nil)
	if err != nil {
		// It leaves the reason behind; of all functions this one, which does nothing a second time, returns it.
		if reason := glfw.Init(); reason != nil {
			err = reason
		}
		return 0, err
	}
	return **(**uintptr)(unsafe.Pointer(&address)), nil
}
