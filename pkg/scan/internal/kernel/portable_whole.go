package kernel

// whole is a group of a full chunk. With its length known to the compiler the loops need
// no checks and fewer registers; four rows a turn are as many as fit.
type whole = [MaxRows * Lanes]uint64

func multiplyWhole(sums *[3 * Sum]uint64, x0, x1, y0, y1 *whole) {
	for lane := range Lanes {
		h0, l0 := innerWhole(x0, y0, lane)
		h2, l2 := innerWhole(x1, y1, lane)
		h1, l1 := innerSumsWhole(x0, x1, y0, y1, lane)
		add3(sums, lane, h0, l0, h1, l1, h2, l2)
	}
}

func dotWhole(sums *[Sum]uint64, a, b *whole) {
	for lane := range Lanes {
		hi, lo := innerWhole(a, b, lane)
		add(sums[:], lane, lo, hi)
	}
}

// innerWhole is inner of one lane.
func innerWhole(a, b *whole, lane int) (hi, lo uint64) {
	_, _ = a[0], b[0] // the loop need not look for nil
	for i := lane & (Lanes - 1); i < len(a)-3*Lanes; i += 4 * Lanes {
		hi, lo = multiplyAdd(hi, lo, a[i], b[i])
		hi, lo = multiplyAdd(hi, lo, a[i+Lanes], b[i+Lanes])
		hi, lo = multiplyAdd(hi, lo, a[i+2*Lanes], b[i+2*Lanes])
		hi, lo = multiplyAdd(hi, lo, a[i+3*Lanes], b[i+3*Lanes])
	}
	return hi, lo
}

// innerSumsWhole is innerSums of one lane.
func innerSumsWhole(a, b, x, y *whole, lane int) (hi, lo uint64) {
	_, _, _, _ = a[0], b[0], x[0], y[0]
	for i := lane & (Lanes - 1); i < len(a)-3*Lanes; i += 4 * Lanes {
		hi, lo = multiplyAdd(hi, lo, a[i]+b[i], x[i]+y[i])
		hi, lo = multiplyAdd(hi, lo, a[i+Lanes]+b[i+Lanes], x[i+Lanes]+y[i+Lanes])
		hi, lo = multiplyAdd(hi, lo, a[i+2*Lanes]+b[i+2*Lanes], x[i+2*Lanes]+y[i+2*Lanes])
		hi, lo = multiplyAdd(hi, lo, a[i+3*Lanes]+b[i+3*Lanes], x[i+3*Lanes]+y[i+3*Lanes])
	}
	return hi, lo
}
