"""Lints what each choice makes of the templates: every value that a parameter may have, and every set of parameters that belongs together. cfn-lint itself looks
at a template with its conditions undecided; here they are decided first, so that what a choice leaves behind is what is looked at."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import demo
import part
from hazards import Application

ROOT = Path(__file__).parent.parent
TOGETHER = {
    "existing-pool": part.POOL,
    "existing-pool-classic": {**part.POOL, "ExistingLoginVersion": "CLASSIC", "ExistingIssuerType": "UPDATED", "ExistingProviders": "COGNITO,Okta"},
    "oidc": part.OIDC,
    "saml": part.SAML,
    "saml-alone": {**part.SAML, "LocalUsers": "NONE", "EmailVerifiedAttribute": "verified"},
    "login-prefix": {"LoginDomain": "acme"},
    "login-host": part.LOGIN,
    "login-host-zone": {**part.LOGIN, "HostedZoneId": "Z1234567890ABC"},
    "mail": {"MailFrom": "no-reply@example.com"},
    "triggers": {f"{n}Arn": part.FUNCTION for n in ["PreSignUp", "PostConfirmation", "TokenGeneration", "UserMigration"]},
    "machine": {"MachineScope": "reports/read", "UserBearer": "true", "BearerClientIds": "abc"},
    "claims": {"Scopes": "openid email profile", "MoreClaims": "custom:tenant", "WritableAttributes": "email,name"},
    "web-acl": {"WebAclArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"},
    "brand": {"BrandName": "Acme", "BrandLogo": "https://example.com/logo.svg", "BrandSupport": "mailto:help@example.com"},
    "session": {"SessionMinutes": 5, "RefreshDays": 3650, "SessionMax": "12h", "SessionIdle": "90m", "RefreshTokenRotation": "ENABLED", "DeviceBinding": "require"},
    "alarms": {"AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:on-call", "ApiName": "", "CallbackLogGroup": ""},
    "sister-apis": {"BaseUrl": "https://app.example.com", "LoginPath": "/auth"},
}


def choices():
    """(name, what is left of the template) for every choice."""
    source = (ROOT / "edgeauth.yaml").read_text()
    first = part.part(source)
    for name, p in first.source["Parameters"].items():
        for value in p.get("AllowedValues", []):
            yield f"{name}={value}", first.again(**{name: value})
    for name, parameters in TOGETHER.items():
        yield name, first.again(**parameters)
    source = (ROOT / "template.yaml").read_text()
    for name, p in Application(source, ROOT).stack.source["Parameters"].items():
        for value in p.get("AllowedValues", []):
            yield f"demo-{name}={value}", Application(source, ROOT, **{name: value}).stack
    yield "demo-domain", Application(source, ROOT, **demo.DOMAIN).stack
    yield "demo-domain-zone", Application(source, ROOT, **demo.DOMAIN, HostedZoneId="Z1234567890ABC").stack


def left(stack):
    """A template without parameters and conditions. Names of resources that a substitution left stay substitutions."""

    def back(v):
        if isinstance(v, list):
            return [back(x) for x in v]
        if isinstance(v, dict):
            return {k: back(x) for k, x in v.items()}
        return {"Fn::Sub": v} if isinstance(v, str) and "${" in v else v

    resources = {}
    for name, r in stack.resources.items():
        resources[name] = {k: v for k, v in r.items() if k != "Condition"}
        resources[name]["Properties"] = back(r["Properties"])
        if "UpdatePolicy" in r:
            resources[name]["UpdatePolicy"] = stack.resolve(r["UpdatePolicy"])
            if not isinstance(resources[name]["UpdatePolicy"], dict):
                del resources[name]["UpdatePolicy"]
        if r["Type"] == "AWS::Lambda::Function" and isinstance(r["Properties"].get("Code"), str):
            resources[name]["Properties"]["Code"] = {"S3Bucket": "code", "S3Key": "key"}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def main():
    with tempfile.TemporaryDirectory() as folder:
        count = 0
        nested = Path(folder) / "edgeauth.yaml"  # which the lint looks for, and does not look into
        nested.write_text((ROOT / "edgeauth.yaml").read_text())
        for name, stack in choices():
            (Path(folder) / f"{name}.json").write_text(json.dumps(left(stack)))
            count += 1
        done = subprocess.run(["cfn-lint", "--ignore-checks", "W", "--", *map(str, sorted(f for f in Path(folder).iterdir() if f != nested))], check=False)
        print(f"{count} choices")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
