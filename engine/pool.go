package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/gazevk/gaze/vk"
)

// ErrElsewhere is in the error of a call that was given memory of another engine.
var ErrElsewhere = errors.New("memory of another engine")

// A Pool is device memory for cells of maps, of which rooms are taken and given
// back. A device of the same GPU that shows frames can read it: cells that
// [Capture.Place] puts there never come to the CPU. It must be closed before its
// engine is. Several goroutines may use it.
type Pool struct {
	engine    *Engine
	shared    *vk.Shared
	buffers   *Buffers // the pool's alone, for passes to bind
	alignment int64    // of a room's first byte

	lock   sync.Mutex // guards the rest, and what may change of rooms
	space  vk.Space
	users  int // calls under way
	closed bool
}

// A Room is a range of cells in a pool, f32 each, [HiddenWord] where no pair of a
// cell is visible. What it holds is undefined until something was placed there.
type Room struct {
	pool   *Pool
	offset int64 // in bytes of the pool's buffer
	cells  int

	users    int // calls under way
	released bool
}

// bufPool is the buffer of a pool.
const bufPool = "pool"

// NewPool takes memory for cells from the device, as much as one binding reaches at
// most. Where the device cannot share memory, or another does not find there what it
// should, the error wraps [vk.ErrNotSupported],
// where it has not as much [ErrOutOfMemory].
func (e *Engine) NewPool(bytes int64) (*Pool, error) {
	if bytes < 4 {
		return nil, fmt.Errorf("a pool of %d bytes: a cell takes 4", bytes)
	}
	shared, err := e.device.NewShared(bufPool, bytes)
	if err != nil {
		return nil, err
	}
	if err := shared.Check(context.Background()); err != nil {
		shared.Close()
		return nil, err
	}
	p := &Pool{engine: e, shared: shared, alignment: max(e.traits.StorageAlignment, 4), space: vk.NewSpace(bytes),
		buffers: &Buffers{engine: e, named: map[string]*vk.Buffer{bufPool: shared.Buffer()}, bytes: bytes}}
	if err := p.warm(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// warm runs the kernel that fills rooms while nothing is there: its very first use
// runs a workgroup twice (see [Engine.Execute]), and so would add something twice.
func (p *Pool) warm() error {
	one := Ref{Buffer: bufCells, Size: 4}
	buffers, err := p.engine.NewBuffers([]BufferSpec{{Name: one.Buffer, Bytes: one.Size}})
	if err != nil {
		return err
	}
	defer buffers.Close()
	_, err = p.engine.Execute(context.Background(), []Pass{{Bind: []Ref{one}, Bytes: one.Size},
		Cells{Planes: 1, Heads: 1, Rows: 1, Columns: 1, Fresh: true, From: one, To: Ref{Buffer: bufPool, Size: 4}}.Pass()}, nil, buffers, p.buffers)
	return err
}

// Room takes memory for so many cells, at least 1; nil says that there is none, or
// that the pool is closed.
func (p *Pool) Room(cells int) *Room {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.closed || cells < 1 || int64(cells) > p.buffers.bytes/4 {
		return nil
	}
	offset, ok := p.space.Cut(4*int64(cells), p.alignment)
	if !ok {
		return nil
	}
	return &Room{pool: p, offset: offset, cells: cells}
}

// Close frees the memory once the calls under way have ended; later calls fail, and
// rooms need not be released any more. Another device that shows the memory keeps it.
// A second call does nothing.
func (p *Pool) Close() error {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.closed = true
	return p.free()
}

// free frees the memory if nobody needs it any longer.
func (p *Pool) free() error {
	if p.closed && p.users == 0 {
		return p.shared.Close()
	}
	return nil
}

// Cells returns how many cells the room has.
func (r *Room) Cells() int { return r.cells }

// Memory returns where the room is: the pool's memory, and the room's first cell in
// it. It is the same after Release and Close, when others may have the memory.
func (r *Room) Memory() (shared *vk.Shared, first int) { return r.pool.shared, int(r.offset / 4) }

// Release gives the room back, once the calls under way have ended; later calls fail.
// Whoever shows its cells must have ended that. Any goroutine may call it. A second
// call does nothing.
func (r *Room) Release() {
	r.pool.lock.Lock()
	defer r.pool.lock.Unlock()
	if !r.released {
		r.released = true
		r.vacate()
	}
}

// vacate gives the range back if nobody needs it any longer.
func (r *Room) vacate() {
	if r.released && r.users == 0 {
		r.pool.space.Join(r.offset, 4*int64(r.cells))
	}
}

// hold keeps the room's memory for a call of e until release is called.
func (r *Room) hold(e *Engine) (release func(), err error) {
	if r == nil {
		return nil, errors.New("there is no room for cells: the pool that was asked had none left")
	}
	p := r.pool
	p.lock.Lock()
	defer p.lock.Unlock()
	switch {
	case p.engine != e:
		return nil, fmt.Errorf("a room for %d cells lies on %s, in %w: take it from a pool of the engine that uses it", r.cells, p.engine.traits.Device, ErrElsewhere)
	case p.closed:
		return nil, fmt.Errorf("a room for %d cells: the pool is %w", r.cells, vk.ErrClosed)
	case r.released:
		return nil, fmt.Errorf("a room for %d cells was released", r.cells)
	}
	p.users++
	r.users++
	return func() {
		p.lock.Lock()
		defer p.lock.Unlock()
		p.users--
		r.users--
		r.vacate()
		p.free()
	}, nil
}

// part returns what binds count cells of the room from first on, and the place of the
// first in it: bindings begin at aligned offsets.
func (r *Room) part(first, count int) (ref Ref, at int) {
	begin := r.offset + 4*int64(first)
	offset := begin / r.pool.alignment * r.pool.alignment
	return Ref{Buffer: bufPool, Offset: offset, Size: begin - offset + 4*int64(count)}, int(begin-offset) / 4
}

// Read returns rows x columns cells of the room, those of index first + r*rowStride +
// c*columnStride.
func (r *Room) Read(ctx context.Context, first, rowStride, columnStride, rows, columns int) ([]float32, error) {
	e := r.pool.engine
	release, err := r.hold(e)
	if err != nil {
		return nil, err
	}
	defer release()
	if first < 0 || rowStride < 0 || columnStride < 0 || rows < 1 || columns < 1 {
		return nil, fmt.Errorf("%d x %d cells from %d on, %d and %d apart: expected at least 1 x 1, and nothing below 0", rows, columns, first, rowStride, columnStride)
	}
	// In float64, for nothing is known of how large they are.
	if last := float64(first) + float64(rows-1)*float64(rowStride) + float64(columns-1)*float64(columnStride); last >= float64(r.cells) {
		return nil, fmt.Errorf("there is no cell %.0f in a room for %d", last, r.cells)
	}
	if most := e.traits.StorageRange / 4; int64(rows) > most/int64(columns) {
		return nil, fmt.Errorf("%d x %d cells at a time: %s binds %d at most", rows, columns, e.traits.Device, most)
	}
	cells := make([]float32, rows*columns)
	to := Ref{Buffer: bufCells, Size: 4 * int64(len(cells))}
	from, at := r.part(first, (rows-1)*rowStride+(columns-1)*columnStride+1)
	buffers, err := e.NewBuffers([]BufferSpec{{Name: bufCells, Bytes: to.Size, Memory: ReadbackMemory}})
	if err != nil {
		return nil, fmt.Errorf("%d cells of a map: %w", len(cells), err)
	}
	defer buffers.Close()
	pass := Cells{Planes: 1, Heads: 1, Rows: rows, Columns: columns, First: at, Row: rowStride, Column: columnStride,
		Factor: 1, Hidden: HiddenWord, Fresh: true, From: from, To: to}.Pass()
	if _, err := e.Execute(ctx, []Pass{pass}, nil, buffers, r.pool.buffers); err != nil {
		return nil, err
	}
	return cells, buffers.Download(ctx, Bytes(cells), bufCells, 0)
}

// A Mix says what becomes of a view's cells in a room.
type Mix struct {
	First  int     // the cell of the room that the view's first goes to
	Factor float32 // of each head's cells; negative to subtract
	Mean   bool    // cells are sums (View.Sum): divide each by its pairs, fewer at the rectangle's edges
	Fresh  bool    // forget what lay there; else add to it
	Apart  bool    // heads lie one behind the other instead of being added up
}

// Place recomputes the attention weights that a view shows, as [Capture.Heatmap]
// does, and puts its cells into a room: [rows, columns] of v.Rectangle.Cells(v.Cell),
// the sum of all heads' cells times the factor, or [heads, rows, columns] of them
// apart. A cell of which a head sees no pair adds nothing, and what nothing was added
// to is [HiddenWord]. After an error the cells there are undefined. A room in memory of
// another engine is an error that wraps [ErrElsewhere].
func (c *Capture) Place(ctx context.Context, v View, to *Room, mix Mix) (*Timing, error) {
	release, err := to.hold(c.Engine)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := c.check(v); err != nil {
		return nil, err
	}
	rows, columns := v.Rectangle.Cells(v.Cell)
	planes := 1
	if mix.Apart {
		planes = v.Heads.End - v.Heads.First
	}
	switch count := planes * rows * columns; {
	case mix.First < 0 || mix.First > to.cells-count:
		return nil, fmt.Errorf("%d cells from cell %d on of a room for %d", count, mix.First, to.cells)
	case mix.Mean && !v.Sum:
		return nil, errors.New("a mean of cells that are not sums: pool the view by the sum")
	case math.IsNaN(float64(mix.Factor)) || math.IsInf(float64(mix.Factor), 0):
		return nil, fmt.Errorf("cells times %v: expected a finite factor", mix.Factor)
	}
	exponents, err := c.measured(ctx, v.Measure)
	if err != nil {
		return nil, err
	}
	return c.draw(ctx, v, exponents, func(d drawing) (*Timing, error) {
		add := Cells{Planes: 1, Heads: d.heads.End - d.heads.First, Rows: rows, Columns: columns, Head: rows * columns, Row: columns, Column: 1,
			Factor: mix.Factor, Hidden: math.Float32bits(HiddenCell), Fresh: mix.Fresh, Mean: mix.Mean, Rectangle: v.Rectangle, Cell: v.Cell, From: d.cells}
		first := mix.First
		if before := d.heads.First - v.Heads.First; mix.Apart {
			add.Planes, add.Heads = add.Heads, 1
			first += before * rows * columns
		} else if before > 0 {
			add.Fresh = false
		}
		add.To, add.FirstTo = to.part(first, add.Planes*rows*columns)
		return c.Engine.Execute(ctx, append(d.passes, add.Pass()), nil, append(d.buffers, to.pool.buffers)...)
	})
}
