package he

import (
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// builtin lists the profiles compiled into every program. Names are API: a changed
// profile gets a new name, and a new param id follows from that.
var builtin = []Literal{
	{Name: "cube", LogN: 14, Limbs: 3, LimbBits: 55, TBits: 45, MaxDegree: 1, Encoding: Coefficients},
	{Name: "cube-wide", LogN: 14, Limbs: 3, LimbBits: 60, TBits: 54, MaxDegree: 1, Encoding: Coefficients},
	{Name: "records", LogN: 14, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: Slots},
	{Name: "records-wide", LogN: 14, Limbs: 5, LimbBits: 55, TBits: 54, MaxDegree: 2, Encoding: Slots},
	{Name: "records-ifma", LogN: 14, Limbs: 4, LimbBits: 52, TBits: 42, MaxDegree: 2, Encoding: Slots},
	{Name: "records-3", LogN: 14, Limbs: 5, LimbBits: 55, TBits: 42, MaxDegree: 3, Encoding: Slots},
	{Name: "records-4", LogN: 14, Limbs: 6, LimbBits: 55, TBits: 40, MaxDegree: 4, Encoding: Slots},
}

// build makes each profile on first use: its tables take some milliseconds.
var build = func() []func() *Profile {
	fs := make([]func() *Profile, len(builtin))
	for i := range builtin {
		fs[i] = sync.OnceValue(func() *Profile {
			p, err := NewProfile(builtin[i])
			if err != nil {
				panic(err) // a constant of the program is wrong
			}
			return p
		})
	}
	return fs
}()

// Profiles returns the compiled-in profiles, always in the same order.
func Profiles() []*Profile {
	ps := make([]*Profile, len(build))
	for i := range build {
		ps[i] = build[i]()
	}
	return ps
}

// Lookup returns the compiled-in profile of that name. Nothing else is accepted
// from outside.
func Lookup(name string) (*Profile, error) {
	for i := range builtin {
		if builtin[i].Name == name {
			return build[i](), nil
		}
	}
	return nil, carnet.E(carnet.Invalid, "UNKNOWN_PROFILE", "there is no parameter profile %q", name).
		Fix("use one of cube, cube-wide, records, records-wide, records-ifma, records-3, records-4")
}
