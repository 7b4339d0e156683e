package bundle

import (
	"archive/zip"
	"bytes"
	"hash/crc32"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// epoch is 1 January 1980 as ZIP writes dates, the first one it has.
const epoch = 1<<5 | 1

// Encode writes the bundle. Its parts have to be in their order, see Sort.
func (b *Bundle) Encode() ([]byte, error) {
	ms, err := b.members()
	if err != nil {
		return nil, err
	}
	data, err := pack(ms)
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes || len(ms) > MaxMembers {
		return nil, carnet.E(carnet.Exhausted, "BUNDLE_TOO_LARGE", "the bundle would have %d bytes in %d parts, the limits are %d and %d", len(data), len(ms), MaxBytes, MaxMembers).
			Fix("export it without hashes of pieces")
	}
	return data, nil
}

// pack stores members one after the other, without compression, comments, extra fields
// or times, so that there is one archive of them.
func pack(ms []member) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range ms {
		f, err := w.CreateRaw(&zip.FileHeader{
			Name: m.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(m.data),
			ModifiedDate:     epoch, //nolint:staticcheck // CreateRaw writes this field and no other
			CompressedSize64: uint64(len(m.data)), UncompressedSize64: uint64(len(m.data)),
		})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// headerBytes is the length of a member's header without its name.
const headerBytes = 30

// where names the part of an archive that an offset lies in.
func where(ms []member, offset int) string {
	at := 0
	for _, m := range ms {
		start := at + headerBytes + len(m.name)
		switch at = start + len(m.data); {
		case offset < start:
			return m.name + " (its header in the archive)"
		case offset < at:
			return m.name
		}
	}
	return "the directory at the end of the archive"
}
