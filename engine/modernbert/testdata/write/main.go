// Command write makes the checkpoints of all golden cases, each in a directory
// of its number: go run ./testdata/write DIRECTORY
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: write DIRECTORY")
		os.Exit(2)
	}
	for i, c := range golden.Cases() {
		if err := c.Write(filepath.Join(os.Args[1], strconv.Itoa(i))); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, err)
			os.Exit(1)
		}
	}
}
