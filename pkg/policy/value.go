package policy

import (
	"encoding"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// value is the input as rules see it: what reading Bytes gives, without writing and
// reading them, which takes as long as a small decision. A test compares the two.
func (in *Input) value() ast.Value {
	c := *in
	c.fill()
	return termOf(reflect.ValueOf(&c).Elem()).Value
}

// inputKeys are the names of the fields of every type that an input is made of, in the
// order of the type.
var inputKeys = keysOf(reflect.TypeFor[Input](), map[reflect.Type][]*ast.Term{})

func keysOf(t reflect.Type, keys map[reflect.Type][]*ast.Term) map[reflect.Type][]*ast.Term {
	switch t.Kind() {
	case reflect.Slice:
		return keysOf(t.Elem(), keys)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() || keys[t] != nil {
			return keys
		}
		keys[t] = make([]*ast.Term, t.NumField())
		for i := range keys[t] {
			keys[t][i] = ast.StringTerm(t.Field(i).Tag.Get("json"))
			keysOf(t.Field(i).Type, keys)
		}
	}
	return keys
}

// noList is an empty list.
var noList = ast.ArrayTerm()

// termOf converts an addressable value of the types that Schema knows.
func termOf(v reflect.Value) *ast.Term {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		return ast.StringTerm(x.Format(time.RFC3339Nano))
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		if err != nil {
			panic(err) // hashes have a text
		}
		return ast.StringTerm(string(b))
	}
	switch v.Kind() {
	case reflect.String:
		return ast.InternedTerm(text(v.String()))
	case reflect.Bool:
		return ast.InternedTerm(v.Bool())
	case reflect.Int, reflect.Int64:
		return ast.InternedTerm(v.Int())
	case reflect.Slice:
		if v.Len() == 0 {
			return noList
		}
		list := make([]*ast.Term, v.Len())
		for i := range list {
			list[i] = termOf(v.Index(i))
		}
		return ast.ArrayTerm(list...)
	case reflect.Struct:
		keys := inputKeys[v.Type()]
		fields := make([][2]*ast.Term, len(keys))
		for i, k := range keys {
			fields[i] = [2]*ast.Term{k, termOf(v.Field(i))}
		}
		return ast.ObjectTerm(fields...)
	}
	panic("policy: no value for " + v.Type().String()) // every input has the same types
}

// text is a text as JSON has it: each byte that is no UTF-8 is replaced.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
