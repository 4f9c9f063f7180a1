package vk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// A pipelineCache keeps compiled pipelines from one start to the next. Its file
// is a header that names device and driver and carries a checksum, then the
// driver's own data: drivers have crashed on what they wrote half.
type pipelineCache struct {
	handle vulkan.PipelineCache
	path   string // "" where nothing is kept
	loaded [sha256.Size]byte
}

func openPipelineCache(d *Device) (*pipelineCache, error) {
	c := &pipelineCache{}
	info := vulkan.PipelineCacheCreateInfo{SType: vulkan.StructureTypePipelineCacheCreateInfo}
	var data []byte
	if d.options.cacheDir != "" {
		a := &d.adapter
		c.path = filepath.Join(d.options.cacheDir, fmt.Sprintf("%04x-%04x-%08x-%x.cache", a.Vendor, a.Device, a.DriverVersion, a.cacheUUID[:4]))
		data = c.read(a)
	}
	var pin runtime.Pinner // the binding keeps the address in C memory
	defer pin.Unpin()
	if len(data) > 0 {
		pin.Pin(&data[0])
		info.InitialDataSize, info.PInitialData = uint(len(data)), unsafe.Pointer(&data[0])
		c.loaded = sha256.Sum256(data)
	}
	create := func(out *vulkan.PipelineCache) vulkan.Result {
		return vulkan.CreatePipelineCache(d.handle, &info, nil, out)
	}
	var err error
	c.handle, err = obtain(d, "vkCreatePipelineCache", create)
	if err != nil && len(data) > 0 && !d.lost.Load() {
		// The driver does not want it after all.
		info.Free()
		c.loaded = [sha256.Size]byte{}
		info.InitialDataSize, info.PInitialData = 0, nil
		c.handle, err = obtain(d, "vkCreatePipelineCache", create)
	}
	info.Free()
	return c, err
}

func (c *pipelineCache) header(a *Adapter, data []byte) []byte {
	sum := sha256.Sum256(data)
	h := binary.LittleEndian.AppendUint32([]byte("gaze cache 1\n\x00\x00\x00"), a.Vendor)
	h = binary.LittleEndian.AppendUint32(h, a.Device)
	h = binary.LittleEndian.AppendUint32(h, a.DriverVersion)
	h = append(h, a.cacheUUID[:]...)
	return append(h, sum[:]...)
}

// largestCache bounds what is read: caches of this package's kernels take a few megabytes.
const largestCache = 256 << 20

// read returns the driver's data, or nothing where the file is missing, cut
// short, changed, or another device's.
func (c *pipelineCache) read(a *Adapter) []byte {
	if about, err := os.Stat(c.path); err != nil || !about.Mode().IsRegular() || about.Size() > largestCache {
		return nil
	}
	file, err := os.ReadFile(c.path)
	size := len(c.header(a, nil))
	if err != nil || len(file) < size {
		return nil
	}
	if data := file[size:]; bytes.Equal(file[:size], c.header(a, data)) {
		return data
	}
	return nil
}

// save writes the cache if it has changed since it was read.
func (c *pipelineCache) save(d *Device) error {
	if c.path == "" {
		return nil
	}
	var data []byte
	err := d.call("vkGetPipelineCacheData", func() vulkan.Result {
		var size uint
		result := vulkan.GetPipelineCacheData(d.handle, c.handle, &size, nil)
		if result < 0 || size == 0 {
			return result
		}
		data = make([]byte, size)
		result = vulkan.GetPipelineCacheData(d.handle, c.handle, &size, unsafe.Pointer(&data[0]))
		data = data[:size]
		return result
	})
	if err != nil || len(data) == 0 || sha256.Sum256(data) == c.loaded {
		return err
	}
	return c.write(append(c.header(&d.adapter, data), data...))
}

// write replaces the file in one step: what reads or dies meanwhile finds the
// old one or the new one.
func (c *pipelineCache) write(content []byte) error {
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.path), ".cache")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (c *pipelineCache) close(d *Device) {
	if c.handle != nil {
		vulkan.DestroyPipelineCache(d.handle, c.handle, nil)
		c.handle = nil
	}
}
