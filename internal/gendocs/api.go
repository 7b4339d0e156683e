package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
)

// protoFiles in the order of the page: first who takes part, last how it is released.
var protoFiles = []protoreflect.FileDescriptor{
	carnetv1.File_carnet_v1_registry_proto,
	carnetv1.File_carnet_v1_dealing_proto,
	carnetv1.File_carnet_v1_dataset_proto,
	carnetv1.File_carnet_v1_catalogue_proto,
	carnetv1.File_carnet_v1_query_proto,
	carnetv1.File_carnet_v1_keyholder_proto,
	carnetv1.File_carnet_v1_policy_proto,
	carnetv1.File_carnet_v1_common_proto,
}

const apiIntro = `The gateway serves every method twice: as gRPC, package ` + "`carnet.v1`" + `, and as REST with JSON
bodies. Both need TLS 1.3 and a client certificate of the network that names a registered party
as ` + "`carnet:party/<id>`" + `. The definitions are in [protos/carnet/v1](../../protos/carnet/v1), an
OpenAPI document is in [pkg/api/openapi.json](../../pkg/api/openapi.json) and at ` + "`/openapi.json`" + ` of a
running gateway.

In JSON, ` + "`bytes`" + ` are base64, 64-bit integers are strings, field names are lowerCamelCase, and a
stream is a sequence of objects, each ` + "`{\"result\": …}`" + ` or ` + "`{\"error\": …}`" + `. Statements inside envelopes are
described in [formats/statements.md](../formats/statements.md), errors in [errors.md](errors.md).
`

// api describes services, methods and messages.
func api(root string) (string, error) {
	comments, err := protoComments(root)
	if err != nil {
		return "", err
	}
	callers, err := access(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# gRPC and REST\n\n" + generated + apiIntro)
	for _, f := range protoFiles {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			if err := service(&b, s, comments, callers); err != nil {
				return "", err
			}
		}
	}
	b.WriteString("\n## Messages\n")
	for _, f := range protoFiles {
		for i := range f.Messages().Len() {
			message(&b, f.Messages().Get(i), comments)
		}
		for i := range f.Enums().Len() {
			enum(&b, f.Enums().Get(i), comments)
		}
	}
	return b.String(), nil
}

func service(b *strings.Builder, s protoreflect.ServiceDescriptor, comments, callers map[string]string) error {
	fmt.Fprintf(b, "\n## %s\n\n", s.Name())
	if c := comments[string(s.Name())]; c != "" {
		fmt.Fprintf(b, "%s\n\n", wrap(c))
	}
	b.WriteString("| method | REST | takes | returns | who |\n|---|---|---|---|---|\n")
	var notes []string
	for i := range s.Methods().Len() {
		m := s.Methods().Get(i)
		key := string(s.Name()) + "." + string(m.Name())
		who := callers[key]
		if who == "" {
			return fmt.Errorf("pkg/server/methods.go does not say who may call %s", key)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", m.Name(), strings.Join(rest(m), "<br>"),
			typeLink(m.Input(), m.IsStreamingClient()), typeLink(m.Output(), m.IsStreamingServer()), who)
		if c := comments[key]; c != "" {
			notes = append(notes, "- "+wrap(strings.Replace(c, string(m.Name()), "**"+string(m.Name())+"**", 1)))
		}
	}
	if len(notes) > 0 {
		fmt.Fprintf(b, "\n%s\n", strings.Join(notes, "\n"))
	}
	return nil
}

// rest lists the paths of a method.
func rest(m protoreflect.MethodDescriptor) []string {
	rule, ok := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return []string{"none"}
	}
	var out []string
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		switch p := r.GetPattern().(type) {
		case *annotations.HttpRule_Get:
			out = append(out, "`GET "+p.Get+"`")
		case *annotations.HttpRule_Post:
			out = append(out, "`POST "+p.Post+"`")
		case *annotations.HttpRule_Put:
			out = append(out, "`PUT "+p.Put+"`")
		case *annotations.HttpRule_Delete:
			out = append(out, "`DELETE "+p.Delete+"`")
		case *annotations.HttpRule_Patch:
			out = append(out, "`PATCH "+p.Patch+"`")
		}
	}
	return out
}

func typeLink(m protoreflect.MessageDescriptor, stream bool) string {
	link := fmt.Sprintf("[%s](#%s)", m.Name(), strings.ToLower(string(m.Name())))
	if stream {
		return "stream of " + link
	}
	return link
}

func message(b *strings.Builder, m protoreflect.MessageDescriptor, comments map[string]string) {
	fmt.Fprintf(b, "\n### %s\n\n", m.Name())
	if c := comments[string(m.Name())]; c != "" {
		fmt.Fprintf(b, "%s\n\n", wrap(c))
	}
	if m.Fields().Len() == 0 {
		b.WriteString("No fields.\n")
		return
	}
	b.WriteString("| field | type | |\n|---|---|---|\n")
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		note := comments[string(m.Name())+"."+string(f.Name())]
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
			note = strings.TrimSpace("One of " + string(o.Name()) + ". " + note)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name(), fieldType(f), strings.ReplaceAll(note, "|", `\|`))
	}
}

func fieldType(f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		return "map of " + fieldType(f.MapKey()) + " to " + fieldType(f.MapValue())
	}
	t := f.Kind().String()
	if m := f.Message(); m != nil {
		t = string(m.FullName())
		if strings.HasPrefix(t, "carnet.v1.") {
			t = typeLink(m, false)
		}
	}
	if e := f.Enum(); e != nil {
		t = fmt.Sprintf("[%s](#%s)", e.Name(), strings.ToLower(string(e.Name())))
	}
	if f.IsList() {
		return "list of " + t
	}
	return t
}

func enum(b *strings.Builder, e protoreflect.EnumDescriptor, comments map[string]string) {
	fmt.Fprintf(b, "\n### %s\n\n| value | number | |\n|---|---|---|\n", e.Name())
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		fmt.Fprintf(b, "| `%s` | %d | %s |\n", v.Name(), v.Number(), comments[string(e.Name())+"."+string(v.Name())])
	}
}

// wrap breaks a paragraph into lines of at most 100 characters.
func wrap(text string) string {
	const width = 100
	var lines []string
	line := ""
	for _, w := range slices.Collect(strings.FieldsSeq(text)) {
		if line != "" && len(line)+1+len(w) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return strings.Join(append(lines, line), "\n")
}
