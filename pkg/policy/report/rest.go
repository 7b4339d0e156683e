package report

import (
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/policy"
)

// Reported reports whether there is a report of an answer of the API.
func Reported(answer proto.Message) bool {
	switch answer.(type) {
	case *carnetv1.AssessRegistrationResponse, *carnetv1.AssessPublicationResponse, *carnetv1.AssessQueryResponse:
		return true
	}
	return false
}

// HTML writes the report of an answer as a page.
func HTML(w io.Writer, answer proto.Message) error {
	title, all, err := read(answer)
	if err != nil {
		return err
	}
	return Page(w, title, all)
}

// Plain writes the report of an answer as text.
func Plain(w io.Writer, answer proto.Message) error {
	_, all, err := read(answer)
	if err != nil {
		return err
	}
	Text(w, all)
	_, err = io.WriteString(w, NotAdvice+"\n")
	return err
}

// read takes assessments out of an answer of the API.
func read(m proto.Message) (title string, all []Assessed, err error) {
	add := func(name string, a *carnetv1.Assessment) {
		if err == nil {
			var x Assessed
			x, err = assessed(name, a)
			all = append(all, x)
		}
	}
	switch m := m.(type) {
	case *carnetv1.AssessRegistrationResponse:
		title = "Registration of an owner"
		for _, k := range m.GetKinds() {
			add(kind(k), k.GetAssessment())
		}
	case *carnetv1.AssessPublicationResponse:
		title = "Publication of a dataset"
		add("the dataset", m.GetAssessment())
	case *carnetv1.AssessQueryResponse:
		title = "Query"
		add("the query", m.GetAssessment())
	}
	return title, all, err
}

// kind names a kind of data by what would be declared about it.
func kind(k *carnetv1.KindAssessment) string {
	var classes []string
	for _, v := range k.GetDeclaration().GetFields()["classes"].GetListValue().GetValues() {
		classes = append(classes, v.GetStringValue())
	}
	return Kind(classes, int64(k.GetDeclaration().GetFields()["persons"].GetNumberValue()))
}

func assessed(title string, a *carnetv1.Assessment) (Assessed, error) {
	out := Assessed{Title: title, Allow: a.GetAllow()}
	for _, r := range a.GetRefusals() {
		out.Refusals = append(out.Refusals, Refusal{By: r.GetBy(), Reason: r.GetReason(), Message: r.GetMessage(), Remedy: r.GetRemedy()})
	}
	for _, f := range a.GetFlows() {
		r := &Ruled{Flow: policy.Flow(f.GetFlow()), Allow: f.GetAllow(), Bundle: f.GetBundle(), Name: f.GetName(), Version: f.GetVersion()}
		decision, err := protojson.Marshal(f.GetDecision())
		if err == nil {
			err = r.Read(decision)
		}
		if err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, r)
	}
	return out, nil
}

// Kind is the title of an assessment of a kind of data: its classes and how many persons.
func Kind(classes []string, persons int64) string {
	if len(classes) == 0 {
		return "data of which nothing is declared"
	}
	title := "classes " + strings.Join(classes, ", ")
	switch {
	case persons == 1:
		title += ", 1 person"
	case persons > 0:
		title += fmt.Sprintf(", %d persons", persons)
	}
	return title
}
