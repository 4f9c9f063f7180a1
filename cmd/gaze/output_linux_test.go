package main

import (
	"fmt"
	"os"
	"testing"
)

// A directory that takes no files is named, and no file that nobody asked for. A pipe
// needs no such directory.
func TestPrepareOutputs(t *testing.T) {
	var made directories
	if err := made.prepare([]string{"/proc/map.png"}); err == nil || err.Error() != "cannot write into /proc: no such file or directory" {
		t.Errorf("into /proc: %v", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if err := made.prepare([]string{fmt.Sprintf("/proc/self/fd/%d", write.Fd())}); err != nil {
		t.Errorf("a pipe: %v", err)
	}
}
