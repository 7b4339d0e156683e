package policy

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// readTerm reads what rules said into v: as reading JSON does, with known fields only and
// sets as lists, and without writing JSON first.
func readTerm(t *ast.Term, v reflect.Value) error {
	if v.Type() == reflect.TypeFor[*ast.Term]() {
		v.Set(reflect.ValueOf(t))
		return nil
	}
	wrong := func() error { return fmt.Errorf("want %s, have %s", v.Type(), ast.ValueName(t.Value)) }
	switch x := t.Value.(type) {
	case ast.Null:
		return nil // as if it were not there
	case ast.String:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			return at.UnmarshalText([]byte(x))
		}
		if v.Kind() != reflect.String {
			return wrong()
		}
		v.SetString(text(string(x)))
	case ast.Boolean:
		if v.Kind() != reflect.Bool {
			return wrong()
		}
		v.SetBool(bool(x))
	case ast.Number:
		n, err := strconv.ParseInt(string(x), 10, 64)
		if !v.CanInt() || err != nil || v.OverflowInt(n) {
			return wrong()
		}
		v.SetInt(n)
	case *ast.Array:
		return readList(v, x.Len(), x.Foreach, wrong)
	case ast.Set:
		return readList(v, x.Len(), x.Foreach, wrong)
	case ast.Object:
		if v.Kind() != reflect.Struct {
			return wrong()
		}
		return x.Iter(func(key, value *ast.Term) error {
			f, err := fieldOf(v, key)
			if err != nil {
				return err
			}
			if err := readTerm(value, f); err != nil {
				return fmt.Errorf("%v: %w", key, err)
			}
			return nil
		})
	default:
		return wrong()
	}
	return nil
}

func readList(v reflect.Value, n int, each func(func(*ast.Term)), wrong func() error) error {
	if v.Kind() != reflect.Slice {
		return wrong()
	}
	list := reflect.MakeSlice(v.Type(), n, n)
	var faults []error
	i := 0
	each(func(t *ast.Term) {
		if err := readTerm(t, list.Index(i)); err != nil {
			faults = append(faults, err)
		}
		i++
	})
	v.Set(list)
	return errors.Join(faults...)
}

// fieldOf is the field of v that JSON knows by a key.
func fieldOf(v reflect.Value, key *ast.Term) (reflect.Value, error) {
	if name, ok := key.Value.(ast.String); ok {
		if i, ok := saidFields[v.Type()][string(name)]; ok {
			return v.FieldByIndex(i), nil
		}
	}
	return reflect.Value{}, fmt.Errorf("unknown field %v", key)
}

// saidFields are the fields of every type that a decision is made of, by what JSON calls
// them.
var saidFields = fieldsOf(reflect.TypeFor[raw](), map[reflect.Type]map[string][]int{})

func fieldsOf(t reflect.Type, all map[reflect.Type]map[string][]int) map[reflect.Type]map[string][]int {
	switch {
	case t.Kind() == reflect.Slice:
		return fieldsOf(t.Elem(), all)
	case t.Kind() != reflect.Struct || all[t] != nil:
		return all
	}
	names := map[string][]int{}
	all[t] = names
	for i := range t.NumField() {
		f := t.Field(i)
		fieldsOf(f.Type, all)
		if !f.Anonymous {
			names[f.Tag.Get("json")] = []int{i}
			continue
		}
		for name, at := range all[f.Type] {
			if names[name] == nil { // one of the struct's own goes before
				names[name] = append([]int{i}, at...)
			}
		}
	}
	return all
}
