package vaultsecret

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// A file can be replaced by the one that was prepared for it: both are in one entry, so that
// Vault changes it in one step.

// ReadNext returns what is to replace a file, which the caller clears. Error: NotFound
// (NO_KEY_FILE) if nothing is.
func (f *Files) ReadNext(ctx context.Context, name string) ([]byte, error) {
	e, _, err := f.entry(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.Next == "" {
		return nil, carnet.E(carnet.NotFound, "NO_KEY_FILE", "nothing is prepared to replace %s", f.Where(name))
	}
	return f.transit.Decrypt(ctx, f.cfg.WrapKey(), f.next(name), e.Next)
}

// WriteNext keeps what is to replace a file, durably before it returns. Error: Exists
// (FILE_EXISTS) if there is something already.
func (f *Files) WriteNext(ctx context.Context, name string, data []byte) error {
	e, version, err := f.entry(ctx, name)
	if err != nil {
		return err
	}
	if e.Next != "" {
		return carnet.E(carnet.Exists, "FILE_EXISTS", "something is prepared to replace %s already", f.Where(name)).
			Fix("use it, or discard it first")
	}
	if len(data) > maxFile {
		return carnet.E(carnet.Invalid, "BAD_KEY_FILE", "%s would be too large for a key file", f.Where(name))
	}
	if e.Next, err = f.transit.Encrypt(ctx, f.cfg.WrapKey(), f.next(name), data); err != nil {
		return err
	}
	return f.put(ctx, name, version, e)
}

// Replace puts what was prepared, if anything was, in the place of a file, and destroys what was
// there before.
func (f *Files) Replace(ctx context.Context, name string) error {
	e, version, err := f.entry(ctx, name)
	if err != nil || e.Next == "" {
		return err
	}
	data, err := f.transit.Decrypt(ctx, f.cfg.WrapKey(), f.next(name), e.Next)
	if err != nil {
		return err
	}
	defer clear(data)
	e.Next = ""
	if e.Wrapped, err = f.transit.Encrypt(ctx, f.cfg.WrapKey(), f.place(name), data); err != nil {
		return err
	}
	if err := f.put(ctx, name, version, e); err != nil {
		return err
	}
	return f.kv.Erase(ctx, f.place(name), version)
}

// EraseOld destroys what a file was before, as Replace does unless it is interrupted.
func (f *Files) EraseOld(ctx context.Context, name string) error {
	_, version, err := f.entry(ctx, name)
	if err != nil {
		return err
	}
	return f.kv.Erase(ctx, f.place(name), version-1)
}

// DiscardNext destroys what was prepared.
func (f *Files) DiscardNext(ctx context.Context, name string) error {
	e, version, err := f.entry(ctx, name)
	if err != nil {
		return err
	}
	if e.Next == "" {
		return f.kv.Erase(ctx, f.place(name), version-1)
	}
	e.Next = ""
	if err := f.put(ctx, name, version, e); err != nil {
		return err
	}
	return f.kv.Erase(ctx, f.place(name), version)
}

func (f *Files) next(name string) string { return f.place(name) + "/next" }

// entry reads an entry and its version. Error: NotFound (NO_KEY_FILE).
func (f *Files) entry(ctx context.Context, name string) (e fileEntry, version int, err error) {
	if !carnet.ValidName(name) {
		return e, 0, carnet.BadName("a file in Vault", name)
	}
	version, err = f.kv.Get(ctx, f.place(name), &e)
	switch {
	case err != nil:
		return e, 0, err
	case version == 0:
		return e, 0, carnet.E(carnet.NotFound, "NO_KEY_FILE", "%s does not exist", f.Where(name)).
			Fix("check the name; carnet init makes identities, carnet deal makes dataset keys")
	case e.Format != fileFormat:
		return e, 0, Damaged(f.place(name))
	}
	return e, version, nil
}

func (f *Files) put(ctx context.Context, name string, version int, e fileEntry) error {
	in := map[string]any{"format": e.Format, "wrapped": e.Wrapped}
	if e.Next != "" {
		in["next"] = e.Next
	}
	return f.kv.Put(ctx, f.place(name), version, in)
}
