package plan

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// Limits of one plan.
const (
	MaxProducts = 2       // products that one query is about
	MaxOpenings = 65_536  // numbers opened by one query
	maxTerms    = 1 << 22 // terms of all functionals together
	maxFactors  = 1 << 25 // columns that their products list
	maxAdds     = 1 << 34 // cells that they add up, about a minute of one core
	maxCells    = 1 << 25 // cells in the lists that they share, 128 MiB
)

// Plan is a compiled query. It is immutable and may be shared between goroutines.
type Plan struct {
	Select    *query.Select
	Product   carnet.ProductID // the first one
	Sources   []Source         // what is aggregated, in the order of FROM; two for a join
	Layout    carnet.Layout    // of the first product
	Profile   *he.Profile
	Committee share.Committee
	Datasets  []Dataset // those that contribute to an opening, ascending by hash

	Private     *Private  // nil without a private parameter
	Across      bool      // all openings multiply columns of different keys, scheme §8
	Openings    []Opening // what is opened, in the order of the values of Evaluate
	Groups      []Group   // in the order of the GROUP BY columns; one without GROUP BY
	Columns     []ColumnInfo
	Certificate Certificate
	Cost        Cost
	Spendings   []Spending // of datasets with privacy terms, ascending
	Work        Work

	// Those of all sources.
	Aggregates []string
	GroupBy    []string
	Filters    []string

	steps  []string
	recipe *recipe
}

// Source is what a query aggregates of one product: all of it, or one side of a join.
// Two sides may be over one product. The owners' terms are judged on the names, which
// ascend.
type Source struct {
	Product    carnet.ProductID
	Alias      string // of a side of a join
	Layout     carnet.Layout
	Encoding   *schema.Encoding // what the columns of its files are
	Datasets   []Dataset        // those of the product that the plan reads, ascending by hash
	Aggregates []string         // SQL aggregates used anywhere, aliases resolved; "count" for GROUP BY without any
	GroupBy    []string         // columns grouped by: dimensions, partitions, jurisdiction, owner
	Filters    []string         // columns that decide which rows count
}

// Opening is one number to be opened.
type Opening struct {
	F           *functional.Functional   // nil with a private parameter
	Choices     []*functional.Functional // with one, instead: one for each of its codes, of one degree and over the same keys
	Digest      carnet.Hash              // F.Digest for the profile's N; of all choices
	Degree      int
	FloodBits   int // k: floods are uniform in [-2^k, 2^k)
	NoiseBits   int // log2 of the noise bound B, rounded up
	ReleaseBits int // 2^ReleaseBits openings of a key stay hidden
	Bound       *big.Int
	Min, Max    int64            // bounds of the number, with its noise; 2*max(|Min|, |Max|) < T
	Rows        int64            // rows of the files it reads
	Owners      []carnet.PartyID // distinct owners of those files, ascending
	Variance    *big.Int         // of the privacy noise that each part adds; nil without any
	// A difference of two sums is judged as both of them, and so is a sum of products of
	// two sides: Less are the files that are subtracted, or those of the second side, Sides
	// how many owners the one sum or side and the other combine.
	Less  map[carnet.Nonce]bool
	Sides [2]int

	row    *big.Int // most that one row moves the number by
	noises int64    // parts that add noise
}

// Group is one row of the result before HAVING, ORDER BY and LIMIT.
type Group struct {
	Keys []Value // one per GROUP BY column
	// Quantities are the totals that aggregates are computed from, those of the first
	// source first, in an order that is the same for all groups. A quantity without parts
	// is zero.
	Quantities [][]Part

	sides []groupSide // per source
}

// groupSide is a group as one source has it.
type groupSide struct {
	keys  []Value
	codes []int // per key: position in its domain, or among the values of its expression
	first int   // of its quantities

	counted bool // the first of them is its number of rows
}

// Part says that a quantity contains the value of an opening, Times x 2^Shift times.
type Part struct {
	Opening int
	Shift   uint
	Times   int64
}

// Certificate is the worst case over all openings, in exact integers. It is zero for
// a plan without openings.
type Certificate struct {
	Degree      int
	FloodBits   int      // the least k
	NoiseBits   int      // log2 of the largest noise bound, rounded up
	ReleaseBits int      // the least
	Bound       *big.Int // the largest noise bound B
	MaxResult   *big.Int // the largest magnitude a result can have
	T           uint64   // plaintext modulus; 2*MaxResult < T
}

// Cost is what running the plan takes.
type Cost struct {
	Openings    int
	Functionals int // computed for the openings: as many, or one for each code of a private parameter
	Groups      int
	Blocks      int64 // distinct ciphertext blocks read
	Bytes       int64 // their size: what an evaluation reads, such as that of a keyholder that attests
	// GatewayBytes is what the gateway reads of them: columns that are only summed whole, in
	// slot encoding, it reads as constants stored beside them.
	GatewayBytes int64
	AnswerBytes  int64 // what one keyholder sends, without the home part and sealing
	Rows         int64 // rows of the files read
	Files        int
	// Releases is how many openings each key is used for. MaxReleases is how many its
	// keyholders grant in all at the least ReleaseBits of these openings.
	Releases    map[carnet.KeyID]int
	MaxReleases int64
}

// Inputs returns the statement hashes of the datasets that contribute, ascending.
// Compiling over these alone gives the same plan.
func (p *Plan) Inputs() []carnet.Hash {
	hs := make([]carnet.Hash, len(p.Datasets))
	for i := range p.Datasets {
		hs[i] = p.Datasets[i].Hash
	}
	return hs
}

// Describe tells, step by step, what the plan does. The text is for people.
func (p *Plan) Describe() []string { return append([]string(nil), p.steps...) }
