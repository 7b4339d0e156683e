package policy

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Schema is the JSON Schema of Input, made from the types and their doc tags. Bundles
// are compiled against it, so that a rule that looks at a field that does not exist is
// refused when it is loaded.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Input](), "")
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "Input of policy decisions"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // maps of strings
	}
	return append(b, '\n')
}

func schemaOf(t reflect.Type, doc string) map[string]any {
	s := map[string]any{}
	if doc != "" {
		s["description"] = doc
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		s["type"], s["format"] = "string", "date-time"
	case reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()):
		s["type"] = "string"
	case t.Kind() == reflect.String:
		s["type"] = "string"
	case t.Kind() == reflect.Bool:
		s["type"] = "boolean"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		s["type"] = "integer"
	case t.Kind() == reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem(), "")
	case t.Kind() == reflect.Struct:
		properties, required := map[string]any{}, []string{}
		for i := range t.NumField() {
			f := t.Field(i)
			p := schemaOf(f.Type, f.Tag.Get("doc"))
			if values := f.Tag.Get("enum"); values != "" {
				p["enum"] = strings.Split(values, ",")
			}
			properties[f.Tag.Get("json")] = p
			required = append(required, f.Tag.Get("json"))
		}
		s["type"], s["properties"], s["required"], s["additionalProperties"] = "object", properties, required, false
	default:
		panic("policy: no schema for " + t.String()) // a test makes the schema
	}
	return s
}
