"""What a template becomes: its SAM transform, if it asks for one, with parameters and conditions decided as CloudFormation would.

References to resources stay as they are, {"Ref": …} or {"Fn::GetAtt": …}: what matters of them here is where they point.
"""

import copy
import logging
import os
import re
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # the transform asks for a region and for nothing else of AWS

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

logging.getLogger("samtranslator").setLevel(logging.ERROR)

PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::StackName": "edgeauth",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/edgeauth/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
}
NO_VALUE = object()


class NoManagedPolicies:
    """The transform's way to look up AWS-managed policies by name; the template names none."""

    def load(self):
        return {}


class Stack:
    """A template, transformed, for one choice of parameters. A parameter of a nested stack may be a reference of the stack around it."""

    def __init__(self, text, folder=Path("."), **parameters):
        self.text, self.folder = text, Path(folder)
        self.source = yaml_parse(text)
        self.raw = self.source
        if "Transform" in self.source:
            built = copy.deepcopy(self.source)
            for resource in built["Resources"].values():
                if resource["Type"] == "AWS::Serverless::Function":
                    resource.setdefault("Properties", {})["CodeUri"] = "s3://bucket/key"  # as `sam package` leaves it
            self.raw = transform(built, {k: v for k, v in parameters.items()}, NoManagedPolicies())
        declared = self.source.get("Parameters", {})
        unknown = set(parameters) - set(declared)
        if unknown:
            raise ValueError(f"the template has no parameter {sorted(unknown)}")
        self.given = parameters
        self.parameters = {n: parameters.get(n, d.get("Default")) for n, d in declared.items()}
        self.conditions = self.raw.get("Conditions", {})
        self.resources = {
            name: {**r, "Properties": self.resolve(r.get("Properties", {}))}
            for name, r in self.raw["Resources"].items()
            if "Condition" not in r or self.holds(r["Condition"])
        }
        self.outputs = {n: self.resolve(o["Value"]) for n, o in self.raw.get("Outputs", {}).items() if "Condition" not in o or self.holds(o["Condition"])}

    # ---- looking things up

    def of(self, kind):
        """Resources of a type, by logical id, each as its properties."""
        return {n: r["Properties"] for n, r in self.resources.items() if r["Type"] == kind}

    def one(self, kind):
        found = list(self.of(kind).values())
        if len(found) != 1:
            raise AssertionError(f"{len(found)} resources of type {kind}, want one")
        return found[0]

    def again(self, **parameters):
        """The same template under other parameters as well."""
        return Stack(self.text, self.folder, **{**self.given, **parameters})

    def nested(self):
        """(logical id, file, parameters) of every stack inside this one whose template is a file."""
        for name, properties in self.of("AWS::CloudFormation::Stack").items():
            location = properties.get("TemplateURL")
            if isinstance(location, str) and "://" not in location:
                yield name, self.folder / location, properties.get("Parameters", {})

    def variables(self, function):
        return self.of("AWS::Lambda::Function")[function].get("Environment", {}).get("Variables", {})

    # ---- deciding parameters and conditions

    def holds(self, name):
        return self.decide(self.conditions[name])

    def decide(self, c):
        ((name, args),) = c.items()
        if name == "Condition":
            return self.holds(args)
        if name == "Fn::Equals":
            a, b = (str(self.resolve(x)) for x in args)
            return a == b
        if name == "Fn::Not":
            return not self.decide(args[0])
        if name == "Fn::And":
            return all(self.decide(x) for x in args)
        if name == "Fn::Or":
            return any(self.decide(x) for x in args)
        raise ValueError(f"{name} as a condition")

    def resolve(self, v):
        if isinstance(v, list):
            return [x for x in map(self.resolve, v) if x is not NO_VALUE]
        if not isinstance(v, dict):
            return v
        if len(v) == 1:
            ((name, args),) = v.items()
            if name == "Ref":
                return self.ref(args)
            if name == "Fn::If":
                return self.resolve(args[1] if self.holds(args[0]) else args[2])
            if name == "Fn::Sub":
                return self.substitute(args)
            if name == "Fn::Split":
                return args[1] if not isinstance(self.resolve(args[1]), str) else self.resolve(args[1]).split(args[0])
            if name == "Fn::Select":
                return self.resolve(args[1])[int(args[0])]
            if name == "Fn::Join":
                return args[0].join(map(str, self.resolve(args[1])))
        resolved = {k: self.resolve(x) for k, x in v.items()}
        return {k: x for k, x in resolved.items() if x is not NO_VALUE}

    def ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            value = self.parameters[name]
            if value is None:
                return {"Ref": name}  # whoever deploys says it
            if self.source["Parameters"][name]["Type"] == "CommaDelimitedList" and isinstance(value, (str, int)):
                return [x.strip() for x in str(value).split(",")]
            return value
        return {"Ref": name}

    def substitute(self, args):
        text, given = (args, {}) if isinstance(args, str) else args
        given = {k: self.resolve(x) for k, x in given.items()}

        def value(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            found = given[name] if name in given else self.ref(name)
            if isinstance(found, dict) and "Ref" in found:
                return "${" + found["Ref"] + "}"
            return str(found)

        return re.sub(r"\$\{([^}]+)\}", value, text)


def references(v):
    """The logical ids that a value of the transformed template depends on."""
    if isinstance(v, list):
        for x in v:
            yield from references(x)
    elif isinstance(v, dict):
        for key, x in v.items():
            if key == "Ref" and isinstance(x, str):
                yield x
            elif key == "Fn::GetAtt":
                yield x[0] if isinstance(x, list) else x.split(".")[0]
            elif key == "Fn::Sub":
                text, given = (x, {}) if isinstance(x, str) else x
                yield from (n.split(".")[0] for n in re.findall(r"\$\{([^!}][^}]*)\}", text) if n not in given)
                yield from references(given)
            else:
                yield from references(x)


def graph(stack):
    """What each resource waits for, whatever the parameters: every branch of every condition counts."""
    resources = stack.raw["Resources"]
    edges = {}
    for name, r in resources.items():
        waits = set(references(r.get("Properties", {})))
        depends = r.get("DependsOn", [])
        waits.update([depends] if isinstance(depends, str) else depends)
        edges[name] = {w for w in waits if w in resources}
    return edges
