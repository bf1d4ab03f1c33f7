package main

// This file writes what a shell needs to complete commands and flags: from the commands themselves, so that it cannot differ.

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func completionCommand() command {
	f := flag.NewFlagSet("completion", flag.ContinueOnError)
	return command{
		name: "completion", does: "write completion for a shell", arguments: "bash | zsh | fish", flags: f,
		page: `
Writes a script that completes commands and flags.

Examples:
  edgeauth completion bash >/etc/bash_completion.d/edgeauth
  edgeauth completion zsh >"${fpath[1]}/_edgeauth"
  edgeauth completion fish >~/.config/fish/completions/edgeauth.fish`,
		do: func(_ context.Context, c console, args []string) error {
			writers := map[string]func(io.Writer, []command){"bash": writeBash, "zsh": writeZsh, "fish": writeFish}
			if len(args) != 1 || writers[args[0]] == nil {
				return usage{fmt.Errorf("say bash, zsh or fish")}
			}
			writers[args[0]](c.stdout, commands())
			return nil
		},
	}
}

// names are the commands, and flagsOf the flags of one, as they are typed.
func names(all []command) string {
	var list []string
	for _, one := range all {
		list = append(list, one.name)
	}
	return strings.Join(list, " ")
}

func flagsOf(one command) string {
	var list []string
	one.flags.VisitAll(func(f *flag.Flag) { list = append(list, "-"+f.Name) })
	return strings.Join(append(list, "-h"), " ")
}

func writeBash(w io.Writer, all []command) {
	fmt.Fprintf(w, "_edgeauth() {\n  local words='%s'\n  if ((COMP_CWORD > 1)); then\n    case ${COMP_WORDS[1]} in\n", names(all))
	for _, one := range all {
		fmt.Fprintf(w, "    %s) words='%s' ;;\n", one.name, flagsOf(one))
	}
	fmt.Fprint(w, "    *) words= ;;\n    esac\n  fi\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\ncomplete -o default -F _edgeauth edgeauth\n")
}

func writeZsh(w io.Writer, all []command) {
	fmt.Fprintf(w, "#compdef edgeauth\nif ((CURRENT == 2)); then\n  compadd -- %s\nelse\n  case ${words[2]} in\n", names(all))
	for _, one := range all {
		fmt.Fprintf(w, "  %s) compadd -- %s; _files ;;\n", one.name, flagsOf(one))
	}
	fmt.Fprint(w, "  esac\nfi\n")
}

func writeFish(w io.Writer, all []command) {
	for _, one := range all {
		fmt.Fprintf(w, "complete -c edgeauth -n __fish_use_subcommand -f -a %s -d '%s'\n", one.name, strings.ReplaceAll(one.does, "'", `\'`))
		one.flags.VisitAll(func(f *flag.Flag) {
			fmt.Fprintf(w, "complete -c edgeauth -n '__fish_seen_subcommand_from %s' -o %s\n", one.name, f.Name)
		})
	}
}
