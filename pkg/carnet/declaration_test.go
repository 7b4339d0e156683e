package carnet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeclarationCheck(t *testing.T) {
	good := Instrument{Kind: "legal_ruling", Number: "1", Jurisdiction: "KZ", Destinations: []Jurisdiction{"*"}, Flows: []string{"*"}, Expires: time.Unix(1, 0)}
	unfinished := good
	unfinished.Number = ""
	for name, c := range map[string]struct {
		d  Declaration
		at string // the field at fault; "" accepts
	}{
		"none":                       {Declaration{Classes: []DataClass{ClassNone}}, ""},
		"personal":                   {Declaration{Classes: []DataClass{ClassPersonal}, Persons: 5, Instruments: []Instrument{good}}, ""},
		"sensitive":                  {Declaration{Classes: []DataClass{ClassSensitive}, Persons: 5, Sensitive: 5}, ""},
		"important alone":            {Declaration{Classes: []DataClass{ClassImportant}}, ""},
		"collected abroad":           {Declaration{Classes: []DataClass{ClassNone}, Collected: []Jurisdiction{"KZ"}, DomesticAdded: true}, ""},
		"nothing":                    {Declaration{}, "classes"},
		"an unknown class":           {Declaration{Classes: []DataClass{"secret"}}, "classes"},
		"a class twice":              {Declaration{Classes: []DataClass{ClassImportant, ClassImportant}}, "classes"},
		"none and another":           {Declaration{Classes: []DataClass{ClassNone, ClassImportant}}, "classes"},
		"persons are not counted":    {Declaration{Classes: []DataClass{ClassPersonal}}, "persons"},
		"persons of no class":        {Declaration{Classes: []DataClass{ClassNone}, Persons: 5}, "persons"},
		"fewer than none":            {Declaration{Classes: []DataClass{ClassPersonal}, Persons: -5}, "persons"},
		"more sensitive than all":    {Declaration{Classes: []DataClass{ClassSensitive}, Persons: 5, Sensitive: 6}, "persons"},
		"sensitive is not counted":   {Declaration{Classes: []DataClass{ClassGenetic}, Persons: 5}, "sensitive_persons"},
		"sensitive of no class":      {Declaration{Classes: []DataClass{ClassPersonal}, Persons: 5, Sensitive: 1}, "sensitive_persons"},
		"added to nothing":           {Declaration{Classes: []DataClass{ClassNone}, DomesticAdded: true}, "domestic_added"},
		"an instrument without name": {Declaration{Classes: []DataClass{ClassNone}, Instruments: []Instrument{unfinished}}, "instruments"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.d.Check()
			if c.at == "" {
				require.NoError(t, err)
				return
			}
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "BAD_DECLARATION", e.Reason)
			require.Equal(t, c.at, e.Violations[0].Field)
			require.NotEmpty(t, e.Remedy)
		})
	}
}
