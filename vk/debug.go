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
	sink := &logSink{logger: o.logger, messages: o.messages}
	if sink.logger == nil {
		sink.logger = slog.Default()
	}
	logs.open[logs.next] = sink
	return logs.next
}

func unregisterLog(id uintptr) {
	logs.Lock()
	delete(logs.open, id)
	logs.Unlock()
}

// gazeDebugMessage is called by the driver or a layer, on any thread.
//
//export gazeDebugMessage
func gazeDebugMessage(id C.uintptr_t, severity C.int, name, text *C.char) {
	logs.Lock()
	sink := logs.open[uintptr(id)]
	logs.Unlock()
	if sink == nil {
		return
	}
	level := slog.LevelWarn
	if severity&C.VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT != 0 {
		level = slog.LevelError
	}
	if sink.messages != nil {
		sink.messages.Add(1)
	}
	sink.logger.Log(context.Background(), level, C.GoString(text), "id", C.GoString(name))
}
