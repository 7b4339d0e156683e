package plan

import "time"

// Rates are what one core of a machine takes for a unit of Work, in nanoseconds. Package
// flow measures them.
type Rates struct {
	Fetch    float64    // a word of a stored half that a keyholder gets: packed, hashed and unpacked
	Linear   float64    // a word of a column that is summed: its public half is expanded, both are added up
	Column   float64    // a word of a column that is multiplied: expanded and loaded
	Products [5]float64 // by degree: a word of a product
	Factor   float64    // a word added to a factor
	Result   float64    // a word of a product's result: reduced and multiplied
	Digest   float64    // a word of a product's result that a keyholder hashes
	Setup    float64    // a word of a cube: expanded, multiplied and transformed, besides reading
	List     float64    // a cell of a list: read and labelled
	Hash     float64    // a cell of a list: hashed
	Cell     float64    // a cell added up
	Term     float64    // a linear term
	Flood    float64    // a flood drawn and added
	Cores    int        // that one query may use
}

// Estimate is how long a plan takes where nothing else runs. Waiting for the journal
// and the network is not in it.
type Estimate struct {
	Compile   time.Duration // by everybody, before anything else
	Gateway   time.Duration // the public values
	Keyholder time.Duration // an answer, with its attestation, on a machine like the gateway's
	Total     time.Duration // from compiling to the last of both, which work at the same time
	Kept      time.Duration // Total, where everybody has kept the cubes and sums of columns of earlier questions
}

// Estimate applies rates to the work of a plan. compile is how long compiling took.
// Cubes are taken to be set up and columns summed anew, but for Kept: whether they are
// depends on what others asked. Stored halves are taken to lie in the memory of the gateway's machine,
// where scanning them is all that reading costs; keyholders fetch them.
func (w *Work) Estimate(r Rates, compile time.Duration) Estimate {
	kept := w.Kept()
	e, again := w.estimate(r, compile), kept.estimate(r, compile)
	e.Kept = again.Total
	return e
}

// Kept is the work where cubes and sums of columns are kept from earlier questions.
func (w *Work) Kept() Work {
	kept := *w
	kept.Columns = w.Columns - w.Setups - (w.Linear - w.Both)
	kept.Setups, kept.Linear, kept.Both = 0, 0, 0
	return kept
}

func (w *Work) estimate(r Rates, compile time.Duration) Estimate {
	cores := float64(max(1, r.Cores))
	f := func(n int64, rate float64) float64 { return float64(n) * rate }
	// Cubes: labelling is done once for all columns, by one core.
	cells := f(w.Lists, r.List) + f(w.Terms, r.Term) + f(w.Cells, r.Cell)/cores
	share := cells + f(w.Setups, r.Setup)/cores
	// Records.
	slots := f(w.Linear, r.Linear) + f(w.Columns-w.Setups-w.Linear+w.Both, r.Column) +
		f(w.Factors, r.Factor) + f(w.Results, r.Result)
	for d, n := range w.Products {
		slots += f(n, r.Products[d])
	}
	gateway := share + slots/cores
	keyholder := gateway + f(w.Columns, r.Fetch)/cores + f(w.Lists, r.Hash) + f(w.Terms, r.Term) + f(w.Results, r.Digest) + f(w.Floods, r.Flood)
	if w.Lists > 0 || w.Linear > 0 { // the keyholder's part is a second pass over linear terms
		keyholder += share + f(w.Linear, r.Linear)/cores
	}
	e := Estimate{Compile: compile, Gateway: time.Duration(gateway), Keyholder: time.Duration(keyholder)}
	e.Total = compile + max(e.Gateway, e.Keyholder)
	return e
}
