package main

import "github.com/carnet-network/carnet/pkg/cells"

// printLoss tells what a minimum group costs.
func printLoss(a *app, l *cells.Loss) {
	if l == nil {
		return
	}
	a.printf("groups for the minimum of the terms:\n")
	for _, d := range l.Dimensions {
		switch d.Groups {
		case d.Codes:
			a.printf("  %s: every code (%d)\n", d.Dimension, d.Codes)
		case 1:
			a.printf("  %s: not told apart (%s)\n", d.Dimension, plural(d.Codes, "code"))
		default:
			a.printf("  %s: %d groups of %d codes\n", d.Dimension, d.Groups, d.Codes)
		}
	}
	share := 0
	if l.Cells > 0 {
		share = 100 * l.Alone / l.Cells
	}
	a.printf("of %s of codes that have rows, %d (%d %%) can be asked about by themselves, the others in %s\n",
		plural(l.Cells, "combination"), l.Alone, share, plural(l.Groups-l.Alone, "group"))
}
