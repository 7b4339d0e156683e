package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Terminal reports whether somebody sees what is written to w as it is drawn.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Bar draws on a terminal how far long work is, with rate and time left, until end. Elsewhere
// progress is nil. unit is Bytes or Counts.
func Bar(w io.Writer, what string, unit progressbar.Option) (progress func(done, total int64), end func()) {
	if !Terminal(w) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	progress = func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), unit, progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(30),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(done)
	}
	return progress, func() {
		if bar != nil {
			_ = bar.Exit()
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}

// Units of Bar.
var (
	Bytes  = progressbar.OptionShowBytes(true)
	Counts = progressbar.OptionShowCount()
)
