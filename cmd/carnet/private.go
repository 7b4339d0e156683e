package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// privateFlags are the values of private parameters.
type privateFlags struct {
	Private []string `help:"Value of PRIVATE($$N): N=@FILE reads it from a file, N=- from standard input. N=VALUE is visible to other users of this machine while the command runs." placeholder:"N=VALUE" sep:"none"`
}

// maxPrivateValue bounds one value; codes are short.
const maxPrivateValue = 1 << 10

// read returns the values of $1, $2 and so on. taken says that standard input is used up.
func (f *privateFlags) read(a *app, taken bool) ([]string, error) {
	values := make([]string, len(f.Private))
	seen := make([]bool, len(values))
	for _, p := range f.Private {
		name, value, ok := strings.Cut(p, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
		if !ok || err != nil || n < 1 || n > query.MaxPrivate {
			return nil, usage("--private is not of the form N=VALUE").Fix("write --private 1=@FILE for the value of PRIVATE($1)")
		}
		if n > len(values) || seen[n-1] {
			return nil, usage("the values of private parameters are those of $1 to $%d, each once", len(values)).
				Fix("repeat --private for each parameter of the query")
		}
		seen[n-1] = true
		switch {
		case value == "-" && taken:
			return nil, usage("standard input is read twice").Fix("read the value from a file, with --private %d=@FILE", n)
		case value == "-":
			taken = true
			data, err := io.ReadAll(io.LimitReader(a.in, maxPrivateValue))
			if err != nil {
				return nil, err
			}
			value = string(data)
		case strings.HasPrefix(value, "@"):
			data, err := readInput("value of a private parameter", value[1:])
			if err != nil {
				return nil, err
			}
			value = string(data)
		}
		values[n-1] = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	}
	return values, nil
}
