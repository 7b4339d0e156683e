// Package cells says what released numbers select, exactly and independent of how the
// planner came to it, and which selections an owner's groups allow.
//
// What an opening opens is a sum over files of quantities (products of measures) of the
// rows that it selects. A selection depends on the codes of a row alone, so it is a
// function of the cells, the combinations of codes. Weights keeps such functions as
// decision diagrams: one level for each dimension, equal parts once, so that two of them
// are equal exactly if they are the same node.
//
//	functional + encoding --Reader--> parts: file, quantity, weight of every cell
//	parts + groups of the file --Told--> nil, or codes that the number tells apart
//	rows of the owner --Census.Groups--> the finest groups in which nobody is alone
//
// Everything but the census is a function of public facts.
package cells
