package schema

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// problem is one thing wrong with a schema. path says where, as in
// "dimensions[0].codes[3].value"; Parse turns it into line and column.
type problem struct {
	path, msg string
}

// checker collects problems, so that an author sees them together.
type checker struct {
	problems []problem
}

// maxProblems bounds what is reported of one schema.
const maxProblems = 50

func (c *checker) add(path, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, problem{path, fmt.Sprintf(format, args...)})
	}
}

// badSchema makes the error of Parse and Validate. locate turns a path into what the
// reader can find: "file:line:column"; nil leaves paths as they are.
func badSchema(problems []problem, locate func(path string) string) *carnet.Error {
	noun := "problems"
	if len(problems) == 1 {
		noun = "problem"
	}
	e := carnet.E(carnet.Invalid, "BAD_SCHEMA", "the schema has %d %s", len(problems), noun)
	for _, p := range problems {
		at := p.path
		if locate != nil {
			at = locate(p.path)
		}
		e.Violations = append(e.Violations, carnet.Violation{Field: at, Msg: p.msg})
	}
	return e
}
