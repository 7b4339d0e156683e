// Package doctest keeps the documentation true. Its tests execute the commands of the
// tutorial and the how-to pages against programs built from this tree, compare what
// they print with what the pages say they print, follow every link, and compare pages
// that list something (statements, error reasons) with the code that has it.
//
// # What a page may contain
//
// Every fenced block marked sh is run, in order, one bash per page, with set -e. A
// fenced block marked text right after it holds lines that the block's output must
// contain, in that order; "…" stands for anything, and runs of blanks count as one.
// Blocks of other languages are not looked at.
//
// The tutorial builds the programs and starts a network. At the line
//
//	<!-- doctest: the how-to pages continue here -->
//
// it is paused while each how-to page runs with the tutorial's variables, directory
// and network; then the rest of the tutorial runs. The only thing changed in a block
// is port numbers, for ports that are free.
package doctest
