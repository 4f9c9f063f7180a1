package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// logs finds the sink of a message: C code may keep a number, not a Go pointer.
var logs struct {
	sync.Mutex
	next uintptr
	open map[uintptr]*logSink
}

// A logSink receives one instance's debug messages.
type logSink struct {
	logger   *slog.Logger
	messages *atomic.Int64
}

// registerLog returns the number of a new sink, or 0 where nobody listens.
func registerLog(o options) uintptr {
	if !o.validation && o.logger == nil {
		return 0
	}
	logs.Lock()
	defer logs.Unlock()
	if logs.open == nil {
		logs.open = map[uintptr]*logSink{}
	}
	logs.next++
	logs.open[logs.next] = &logSink{logger: o.logger, messages: o.messages}
	return logs.next
}

func unregisterLog(id uintptr) {
	logs.Lock()
	delete(logs.open, id)
	logs.Unlock()
}

// gazeDebugMessage is called by the loader, the driver or a layer, on any thread.
//
//export gazeDebugMessage
func gazeDebugMessage(id C.uintptr_t, severity, kind C.int, name, text *C.char) {
	logs.Lock()
	sink := logs.open[uintptr(id)]
	logs.Unlock()
	if sink == nil {
		return
	}
	// The loader and drivers send messages of the general kind, such as that
	// another GPU's driver is broken: those say nothing of what this program does.
	const fromValidation = C.VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | C.VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT
	if sink.messages != nil && kind&fromValidation != 0 {
		sink.messages.Add(1)
	}
	if sink.logger == nil {
		return
	}
	level := slog.LevelWarn
	if severity&C.VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT != 0 {
		level = slog.LevelError
	}
	sink.logger.Log(context.Background(), level, C.GoString(text), "id", C.GoString(name))
}
