package share

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestBundleRoundTrip(t *testing.T) {
	for _, nt := range committees {
		s := newSystem(t, smallRecords, nt[0], nt[1], 1)
		for i := 1; i <= nt[0]; i++ {
			b := s.owners[0].deal.Bundle(s.c, i, 1)
			require.Equal(t, i == 1, b.Home != nil)
			data := b.Append([]byte("before"))
			got, err := ParseBundle(data[len("before"):])
			require.NoError(t, err)
			require.Equal(t, b, got)
		}
	}
}

func TestParseBundleRefuses(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 1)
	good := s.owners[0].deal.Bundle(s.c, 1, 1).Append(nil) // parts 010 and 100
	require.Len(t, good, 4+2*34+32)
	edit := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	set := func(at int, v byte) []byte { return edit(func(b []byte) []byte { b[at] = v; return b }) }
	for name, data := range map[string][]byte{
		"empty":            {},
		"header only":      good[:4],
		"truncated":        good[:len(good)-1],
		"extended":         append(bytes.Clone(good), 0),
		"version":          set(0, 2),
		"number 0":         set(1, 0),
		"number 13":        set(1, 13),
		"count":            set(2, 3),
		"home flag":        set(3, 2),
		"no home":          set(3, 0),
		"part not held":    set(5, 0b001),
		"repeated":         set(5, 0b100),
		"order":            edit(func(b []byte) []byte { b[5], b[39] = b[39], b[5]; return b }),
		"13th keyholder":   set(38, 0x10),
		"subset sizes":     set(39, 0b110),
		"home label":       edit(func(b []byte) []byte { b[38], b[39] = 0xff, 0xff; return b }),
		"other keyholders": set(1, 2),
	} {
		_, err := ParseBundle(data)
		requireReason(t, "BAD_BUNDLE", err, name)
	}
}

func TestCheckBundleRefuses(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 1)
	o := s.owners[0]
	check := func(reason string, edit func(b *Bundle, d *carnet.Dealing)) {
		t.Helper()
		b, d := o.deal.Bundle(s.c, 1, 1), o.dealing()
		edit(&b, d)
		requireReason(t, reason, CheckBundle(s.c, d, b))
	}
	require.NoError(t, CheckBundle(s.c, o.dealing(), o.deal.Bundle(s.c, 1, 1)))
	check("BAD_DEALING", func(_ *Bundle, d *carnet.Dealing) { d.Commitments = d.Commitments[:2] })
	check("BAD_DEALING", func(_ *Bundle, d *carnet.Dealing) { d.Home.Member = 4 })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Number = 4 })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Number = 2 })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { delete(b.Seeds, 0b100) })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Seeds[0b001] = o.deal.Seeds[0b001] })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Seeds[0b110] = [32]byte{} })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Seeds[0b100] = o.deal.Seeds[0b010] })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Home = nil })
	check("BAD_SEEDS", func(b *Bundle, _ *carnet.Dealing) { b.Home[0] ^= 1 })
	check("BAD_SEEDS", func(_ *Bundle, d *carnet.Dealing) { d.Home.Member = 2 })
	check("BAD_SEEDS", func(_ *Bundle, d *carnet.Dealing) { d.Home = nil })
	check("BAD_SEEDS", func(_ *Bundle, d *carnet.Dealing) { d.Nonce[0] ^= 1 })
}

func FuzzParseBundle(f *testing.F) {
	s := newSystem(f, smallRecords, 5, 3, 1)
	for i := 1; i <= 5; i++ {
		f.Add(s.owners[0].deal.Bundle(s.c, i, 1).Append(nil))
	}
	f.Add([]byte{1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if err != nil {
			requireReason(t, "BAD_BUNDLE", err)
			return
		}
		require.Equal(t, data, b.Append(nil))
		_ = CheckBundle(s.c, s.owners[0].dealing(), b)
	})
}
