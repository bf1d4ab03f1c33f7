"""Writes parameters.yaml: every parameter of edgeauth.yaml with its meaning and its default, to be copied from."""

from pathlib import Path

from stack import yaml_parse

ROOT = Path(__file__).parent.parent
HEAD = """# Every parameter of edgeauth.yaml, with its meaning and its default. Copy the lines that you change below EdgeAuth, Parameters of your template, and
# remove the mark before them. `make parameters` writes this file from edgeauth.yaml.
"""


def preset(text):
    lines, section = [HEAD], None
    parameters = yaml_parse(text)["Parameters"]
    for line in text[text.index("\nParameters:") : text.index("\nRules:")].splitlines():
        if line.startswith("  # ---"):
            section = line.strip("# -")
            lines.append(f"\n# ---- {section}\n")
        name = line.strip().removesuffix(":")
        if line.startswith("  ") and not line.startswith("   ") and name in parameters:
            p = parameters[name]
            for sentence in [p["Description"]]:
                lines.append(f"\n# {sentence}\n")
            if "AllowedValues" in p:
                lines.append(f"# One of {', '.join(map(str, p['AllowedValues']))}.\n")
            if "MinValue" in p:
                lines.append(f"# From {p['MinValue']} to {p['MaxValue']}.\n")
            value = p.get("Default")
            if value is None:
                lines.append(f"#{name}: # yours to say\n")
            else:
                quoted = f"'{value}'" if isinstance(value, str) and (value in ("", "true", "false", "OFF", "ON") or ":" in value) else value
                lines.append(f"#{name}: {quoted}\n")
    return "".join(lines)


if __name__ == "__main__":
    (ROOT / "parameters.yaml").write_text(preset((ROOT / "edgeauth.yaml").read_text()))
