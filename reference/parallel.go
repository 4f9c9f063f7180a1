package reference

import (
	"runtime"
	"sync"
)

// inParallel calls do for every row, rows spread over all processors.
func inParallel(rows int, do func(row int)) {
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for worker := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for row := worker; row < rows; row += workers {
				do(row)
			}
		}()
	}
	group.Wait()
}
