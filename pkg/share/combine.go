package share

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// Answer is keyholder Number's scalar for one opening.
type Answer struct {
	Number int
	Value  he.Scalar
}

// Combine checks that the answers lie on one polynomial of degree t-1, leaves out
// and names liars where that is certain (see Guarantees), and returns the value at 0:
// the committee's part of the total, to which the buyer adds home scalars and the
// public value z. Errors: TOO_FEW_ANSWERS, INCONSISTENT_ANSWERS, BAD_ANSWERS.
func Combine(r *he.Ring, c Committee, answers []Answer) (value he.Scalar, liars []int, err error) {
	numbers, values := make([]int, len(answers)), make([][]he.Scalar, len(answers))
	for i, a := range answers {
		numbers[i], values[i] = a.Number, []he.Scalar{a.Value}
	}
	sums, liars, _, _, err := CombineAll(r, c, numbers, values)
	if err != nil {
		return he.Scalar{}, nil, err
	}
	return sums[0], liars, nil
}

// Guarantees returns what m answers are worth: a wrong total is never returned if at
// most detected of them are lies, and the right one always is, with every liar named,
// if at most corrected of them are.
//
// A code of m answers can correct e liars and detect d >= e if e+d <= m-t. As up to
// t-1 keyholders may collude, nothing is corrected at the expense of detecting t-1:
// fewer than 2t-1 answers detect m-t, 2t-1 detect t-1, from there on each further
// answer corrects one more, 3t-2 correct t-1, and beyond that floor((m-t)/2).
func (c Committee) Guarantees(m int) (detected, corrected int) { return c.guarantees(c.T, m) }

// SelectedGuarantees is Guarantees for openings with a selection, whose answers lie on
// a polynomial of degree 2(t-1): 2t-1 are needed, m-(2t-1) lies are detected, 3t-2 detect
// t-1, and 4t-3 correct t-1.
func (c Committee) SelectedGuarantees(m int) (detected, corrected int) {
	return c.guarantees(2*c.T-1, m)
}

// guarantees is for polynomials that the given number of points fixes.
func (c Committee) guarantees(points, m int) (detected, corrected int) {
	if m < points {
		return 0, 0
	}
	corrected = min((m-points)/2, max(0, m-points-c.T+1))
	return m - points - corrected, corrected
}

// CombineAll is Combine for whole answers: values[a][o] is what keyholder numbers[a]
// answered to opening o. A keyholder that lies in one opening is left out of all.
// detected and corrected are those of Guarantees for this number of answers.
func CombineAll(r *he.Ring, c Committee, numbers []int, values [][]he.Scalar) (sums []he.Scalar, liars []int, detected, corrected int, err error) {
	return combineAll(r, c, c.T, numbers, values)
}

// CombineSelected is CombineAll for openings with a selection. The sums are the
// committee's part of the totals, to which the buyer adds SelectedPublic.
func CombineSelected(r *he.Ring, c Committee, numbers []int, values [][]he.Scalar) (sums []he.Scalar, liars []int, detected, corrected int, err error) {
	return combineAll(r, c, 2*c.T-1, numbers, values)
}

// SelectedPublic returns the sum of the public values of the selected codes.
func SelectedPublic(r *he.Ring, codes []int, public []he.Scalar) (sum he.Scalar) {
	for _, g := range codes {
		sum = r.ScalarAdd(sum, public[g])
	}
	return sum
}

func combineAll(r *he.Ring, c Committee, points int, numbers []int, values [][]he.Scalar) (sums []he.Scalar, liars []int, detected, corrected int, err error) {
	if err := checkAnswers(c, points, numbers, values); err != nil {
		return nil, nil, 0, 0, err
	}
	detected, corrected = c.guarantees(points, len(numbers))
	d := newDecoder(r, points, numbers, 0)
	sums = make([]he.Scalar, len(values[0]))
	for o := range sums {
		at := func(a int) he.Scalar { return values[a][o] }
		var ok bool
		for sums[o], ok = d.decode(at); !ok; sums[o], ok = d.decode(at) {
			if d = d.withoutLiars(corrected, at); d == nil {
				return nil, nil, detected, corrected, carnet.E(carnet.Refused, "INCONSISTENT_ANSWERS",
					"the keyholders' answers contradict each other, and %d answers do not say who is wrong", len(numbers)).
					Fix("collect more answers: with %d, up to %d wrong ones are found and left out", points+2*(c.T-1), c.T-1)
			}
		}
	}
	for a, number := range numbers {
		if d.out>>a&1 == 1 {
			liars = append(liars, number)
		}
	}
	slices.Sort(liars)
	return sums, liars, detected, corrected, nil
}

func checkAnswers(c Committee, points int, numbers []int, values [][]he.Scalar) error {
	bad := func(format string, args ...any) error {
		return carnet.E(carnet.Invalid, "BAD_ANSWERS", format, args...)
	}
	if len(values) != len(numbers) {
		return bad("there are answers of %d keyholders and %d numbers", len(values), len(numbers))
	}
	for a, number := range numbers {
		if number < 1 || number > c.N {
			return bad("the committee has no keyholder %d", number)
		}
		if slices.Contains(numbers[:a], number) {
			return bad("keyholder %d answered twice", number)
		}
		if len(values[a]) != len(values[0]) {
			return bad("keyholder %d answered %d openings, keyholder %d answered %d", number, len(values[a]), numbers[0], len(values[0]))
		}
	}
	if len(numbers) < points {
		return carnet.E(carnet.Precondition, "TOO_FEW_ANSWERS", "%d keyholders answered, %d are needed", len(numbers), points).
			Fix("wait for more keyholders to answer")
	}
	return nil
}

// AddHome adds the home keyholders' scalars to the combined sums, in place: home[i]
// is what keyholder i sent, one scalar for every opening. members are the distinct
// home keyholders of the dealings involved; nothing opens while one is missing.
func AddHome(r *he.Ring, sums []he.Scalar, members []int, home map[int][]he.Scalar) error {
	for _, m := range members {
		if len(home[m]) != len(sums) {
			return carnet.E(carnet.Precondition, "HOME_MISSING", "keyholder %d holds the home part of a dataset and has not answered", m).
				Fix("wait for keyholder %d", m)
		}
	}
	for _, m := range members {
		for o := range sums {
			sums[o] = r.ScalarAdd(sums[o], home[m][o])
		}
	}
	return nil
}
