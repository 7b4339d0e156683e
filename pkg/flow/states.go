package flow

// facts are what the state of a query depends on.
type facts struct {
	values     bool // public values are stored
	failed     bool // the computation failed for good
	expired    bool
	answers    int
	refusals   int // keyholders that refused and have not answered
	unchecked  int // of these, those that published no check of a private parameter
	checked    int // keyholders that published a check of a private parameter
	threshold  int
	checks     int // checks that are needed, 0 without a private parameter
	keyholders int
	unapproved int // parties whose approval is needed and has not come
	declined   int // parties that were asked, or not, and refused the query
}

// next is the query state machine; the table is in the package comment.
func next(s QueryState, f facts) QueryState {
	switch s {
	case QueryRefused, QueryFailed, QueryExpired, QueryReady:
		return s
	}
	switch {
	case f.values && f.answers >= f.threshold:
		return QueryReady
	case f.failed:
		return QueryFailed
	case f.declined > 0, f.refusals > f.keyholders-f.threshold, f.unchecked > f.keyholders-f.checks:
		return QueryRefused
	case f.expired:
		return QueryExpired
	case f.unapproved > 0:
		return QueryWaiting
	case f.values:
		return QueryReleasing
	}
	return QueryComputing
}

// over reports whether nothing about the query will change any more.
func over(s QueryState, f facts) bool {
	switch s {
	case QueryRefused, QueryFailed, QueryExpired:
		return true
	case QueryReady:
		return f.expired || f.answers+f.refusals >= f.keyholders
	}
	return false
}

// takesAnswers reports whether keyholders may still answer or refuse.
func takesAnswers(s QueryState) bool {
	return s == QueryWaiting || s == QueryComputing || s == QueryReleasing || s == QueryReady
}

// open lists the states in which a query is worked on or waits for somebody.
var open = []QueryState{QueryWaiting, QueryComputing, QueryReleasing}
