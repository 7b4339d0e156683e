package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/verify"
)

// pass reads what is new, compares what others have, and saves. Others are asked also if the
// gateway fails or falls silent: it would else keep its monitor from hearing of another history.
func (w *watch) pass() error {
	err := w.follow()
	if w.a.ctx.Err() != nil {
		return w.save()
	}
	before := len(w.found)
	if err == nil {
		w.take(w.m.Settle())
	}
	w.compare()
	w.print(w.found[before:])
	for _, e := range []error{w.prove(w.m.Splits()), w.save()} {
		if err == nil {
			err = e
		}
	}
	return err
}

// silence is how long a gateway, or another view of the log, may say nothing.
const silence = time.Minute

// follow reads the log to its present end.
func (w *watch) follow() error {
	ctx, stop := context.WithCancelCause(w.a.ctx)
	defer stop(nil)
	quiet := time.AfterFunc(silence, func() {
		stop(carnet.E(carnet.Unavailable, "GATEWAY_SILENT", "the gateway has said nothing for %s", silence).
			Fix("ask its operator; what was read so far is kept, and the monitor goes on from there"))
	})
	defer quiet.Stop()
	err := w.read(ctx, func() { quiet.Reset(silence) })
	if cause := context.Cause(ctx); cause != nil && w.a.ctx.Err() == nil {
		return cause
	}
	return err
}

// read takes in what the gateway sends and calls heard whenever something came.
func (w *watch) read(ctx context.Context, heard func()) error {
	cp, err := w.client.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if cp == nil {
		cp = &evidence.SignedCheckpoint{}
	}
	before := len(w.found)
	w.take(w.m.Served(cp.Size, w.gateway))
	w.print(w.found[before:])
	return w.client.FollowLog(ctx, w.m.Size(), true, func(e *evidence.Entry, cp *evidence.SignedCheckpoint) error {
		defer heard()
		before := len(w.found)
		if e != nil {
			w.take(w.m.Entry(e))
		} else {
			w.take(w.m.Noted(cp, w.gateway))
		}
		w.print(w.found[before:]) // now: the rest may take long, or never come
		return nil
	})
}

// compare takes in what others have: saved checkpoints, once, and other gateways.
func (w *watch) compare() {
	for _, file := range w.Compare {
		cp, err := readCheckpoint(file)
		if err != nil {
			w.a.notef("%s: %v\n", file, err)
			continue
		}
		w.take(w.m.Noted(cp, file))
	}
	for _, address := range w.Also {
		if err := w.ask(address); err != nil {
			w.a.notef("%s can't be asked now: %v\n", address, err)
		}
	}
}

// ask compares another view of the log with the one that is followed. One that is ahead has
// to prove that it goes on from there.
func (w *watch) ask(address string) error {
	o := w.others[address]
	ctx, cancel := context.WithTimeout(w.a.ctx, silence)
	defer cancel()
	cp, err := o.Checkpoint(ctx)
	if err != nil || cp == nil {
		return err
	}
	w.take(w.m.Served(cp.Size, address))
	w.take(w.m.Noted(cp, address))
	if own := w.m.Newest(); own != nil && cp.Size > w.m.Size() {
		root, path, err := o.prove(ctx, own.Checkpoint, cp.Checkpoint)
		if err != nil {
			return err
		}
		w.take(w.m.Ahead(cp, path, root, address))
	}
	return nil
}

// prove writes proofs of two histories, each once.
func (w *watch) prove(list []*evidence.Split) error {
	for _, s := range list {
		data, err := verify.EncodeSplit(s)
		if err != nil {
			return err
		}
		name := filepath.Join(w.Proofs, fmt.Sprintf("split-%d-%x.json", s.Older.Size, s.Older.Head[:4]))
		if slices.Contains(w.proofs, name) {
			continue
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
		w.proofs = append(w.proofs, name)
		w.a.notef("%s proves it to others: carnet verify %s\n", name, filepath.Base(name))
	}
	return nil
}
