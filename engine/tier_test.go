package engine

import (
	"slices"
	"testing"

	"github.com/gazevk/gaze/vk"
)

// Which tier a device gets that nobody has asked: a CPU the one of texel buffers,
// where these reach as far as any storage buffer must and shuffles are quick, and
// then no binding is larger than they can be, nor at an offset that they cannot have.
func TestDefaultTier(t *testing.T) {
	const enough = 1 << 24 // texels, of 8 bytes 128 MiB
	for _, c := range []struct {
		kind     vk.Kind
		subgroup int
		texels   int64
		want     Tier
		reach    int64
	}{
		{vk.CPU, 8, enough, Texels, 128 << 20},
		{vk.CPU, 8, 2 * enough, Texels, 256 << 20},
		{vk.CPU, 8, 1 << 40, Texels, 1 << 30},
		{vk.CPU, 8, enough - 1, Lanes, 1 << 30},
		{vk.CPU, 4, enough, Lanes, 128 << 20},
		{vk.CPU, 4, 65536, Lanes, 1 << 30},
		{vk.CPU, 1, enough, Tiled, 1 << 30},
		{vk.Integrated, 32, enough, Tiled, 1 << 30},
	} {
		a := vk.Adapter{Kind: c.kind}
		a.Limits.StorageRange, a.Limits.StorageAlignment = 1<<30, 16
		a.Limits.Texels, a.Limits.TexelAlignment = c.texels, 64
		a.Limits.SubgroupSize, a.Features.SubgroupShuffle = c.subgroup, true
		traits := TraitsOf(a)
		alignment := int64(16)
		if traits.Texels {
			alignment = 64
		}
		if traits.Tier != c.want || !slices.Contains(traits.Tiers(), c.want) || traits.StorageRange != c.reach || traits.StorageAlignment != alignment {
			t.Errorf("%+v: tier %s of %s, bindings of %d bytes at multiples of %d", c, traits.Tier, traits.Tiers(), traits.StorageRange, traits.StorageAlignment)
		}
		if offered := slices.Contains(traits.Tiers(), Texels); offered != traits.Texels {
			t.Errorf("%+v: texel buffers %v, tiers %s", c, traits.Texels, traits.Tiers())
		}
	}
}
