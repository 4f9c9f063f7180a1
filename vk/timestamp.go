package vk

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// Timestamp marks the moment when everything recorded so far has ended.
// [Commands.Timestamps] returns the marks. It does nothing on a device without
// Features.Timestamps.
func (r *Recorder) Timestamp() {
	c := r.c
	if !r.ready() || !c.d.adapter.Features.Timestamps {
		return
	}
	index := c.marks % timestampsPerPool
	if index == 0 {
		info := vulkan.QueryPoolCreateInfo{SType: vulkan.StructureTypeQueryPoolCreateInfo, QueryType: vulkan.QueryTypeTimestamp, QueryCount: timestampsPerPool}
		defer info.Free()
		pool, err := obtain(c.d, "vkCreateQueryPool", func(out *vulkan.QueryPool) vulkan.Result {
			return vulkan.CreateQueryPool(c.d.handle, &info, nil, out)
		})
		if err != nil {
			r.err = err
			return
		}
		c.timestamps = append(c.timestamps, pool)
		vulkan.CmdResetQueryPool(c.buffer, pool, 0, timestampsPerPool)
	}
	vulkan.CmdWriteTimestamp(c.buffer, vulkan.PipelineStageBottomOfPipeBit, c.timestamps[len(c.timestamps)-1], uint32(index))
	c.marks++
}

// Timestamps returns the time from the first mark to each, in order, of the last
// run; it waits for that if it is in flight. It is empty on a device without
// Features.Timestamps.
func (c *Commands) Timestamps() ([]time.Duration, error) {
	if err := c.closed(); err != nil {
		return nil, err
	}
	if err := c.Wait(context.Background()); err != nil {
		return nil, err
	}
	if c.marks == 0 {
		return nil, nil
	}
	if !c.ran {
		return nil, fmt.Errorf("vk: timestamps of commands that have not run")
	}
	ticks := make([]uint64, c.marks)
	for i, pool := range c.timestamps {
		part := ticks[i*timestampsPerPool : min((i+1)*timestampsPerPool, c.marks)]
		err := c.d.call("vkGetQueryPoolResults", func() vulkan.Result {
			return vulkan.GetQueryPoolResults(c.d.handle, pool, 0, uint32(len(part)), uint(8*len(part)), unsafe.Pointer(&part[0]), 8,
				vulkan.QueryResultFlags(vulkan.QueryResult64Bit|vulkan.QueryResultWaitBit))
		})
		if err != nil {
			return nil, err
		}
	}
	return elapsed(ticks, uint32(c.d.adapter.raw.timestamp_bits), float64(c.d.adapter.raw.timestamp_period)), nil
}

// elapsed returns the time from the first tick to each. A tick counts period
// nanoseconds and has so many valid bits; the rest is zero. The counter may
// wrap between two ticks, so the difference is masked.
func elapsed(ticks []uint64, bits uint32, period float64) []time.Duration {
	mask := ^uint64(0) >> (64 - bits)
	times := make([]time.Duration, len(ticks))
	for i, t := range ticks {
		times[i] = time.Duration(float64((t-ticks[0])&mask) * period)
	}
	return times
}
