package main

// This file holds the nested template of a release to what an application that takes it in needs.

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestPartIsForCodeThatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../edgeauth.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, architecture := range []string{"arm64", "x86_64"} {
		part, err := partFor(string(text), architecture)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Metadata   map[string]any `yaml:"Metadata"`
				Properties struct {
					Code          yaml.Node `yaml:"Code"`
					Architectures []string  `yaml:"Architectures"`
				} `yaml:"Properties"`
			} `yaml:"Resources"`
		}
		if err := yaml.Unmarshal([]byte(part), &template); err != nil {
			t.Fatal(err)
		}
		f := template.Resources["AuthorizerFunction"]
		if f.Properties.Code.Value != "authorizer.zip" || len(f.Properties.Architectures) != 1 || f.Properties.Architectures[0] != architecture || f.Metadata["BuildMethod"] != nil {
			t.Errorf("%s: %+v", architecture, f)
		}
	}
	for _, line := range []string{"      Code: .\n", "      Architectures: [arm64]\n", "BuildMethod: makefile, "} {
		if _, err := partFor(strings.ReplaceAll(string(text), line, ""), "arm64"); err == nil {
			t.Errorf("without %q: made all the same", line)
		}
	}
}
