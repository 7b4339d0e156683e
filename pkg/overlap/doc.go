// Package overlap finds out what released numbers tell together about few owners: all of
// a union less all but one owner of it is that owner's own number, although neither of
// them is.
//
// A number is a vector: for every file, cell and quantity how often it is counted. Whatever
// can be computed from numbers by adding and subtracting is a combination of their vectors.
// A set of owners that is smaller than a dataset's terms demand must not be told about by
// itself, so no combination may be zero everywhere but in files of these owners, and not zero
// in the dataset's. That is a question of rank, and the Audit answers it exactly, in two
// steps: first for the vectors over files that occur in any cell, which are few and
// stay the same whatever is grouped by, and only where that is not enough for the numbers
// themselves.
//
// Both is asked in two views: every file has rows of its own, and all files of an owner's
// partition have the same ones, as a cube and records of one table.
//
//	Admit(plan) --patterns of files--> no combination is about few owners: admitted
//	            --numbers, cell by cell--> none really is: admitted; one is: refused
//
// Ranks are computed modulo a prime and at points that the judge draws and tells nobody:
// whoever knew them could choose questions whose combination vanishes there. Judges that draw
// differently come to the same verdict, but for a chance below 2^-30 in all.
package overlap
