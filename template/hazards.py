"""What may go wrong with an application that takes in edgeauth.yaml. One small function for each hazard takes the application and fails when it is there.

    python hazards.py template.yaml [--config-env prod] [--parameter-overrides AppDomain=app.example.com …]

says of any application's template, in a sentence each, what would go wrong; it needs `pip install aws-sam-translator` and nothing of AWS. Parameters have the
values that `sam deploy` would give them: what the command says, what samconfig.toml beside the template says, the default. cfn-lint and `sam validate` look at
one template at a time, and so see no circle through a nested one.

The hazards of the part itself are in part.py, those of the demo in demo.py. docs/hazards.md lists every function with what settles it; test_template.py
breaks the templates in the way that each function is to notice.
"""

import argparse
import graphlib
import io
import json
import re
import shlex
import struct
import sys
import zipfile
from functools import cached_property
from pathlib import Path

from stack import Stack, graph, references, yaml_parse

SIGN_IN = "/auth/{proxy+}"
ALL = []  # every check of an application, in the order of this file


def into(checks):
    def hazard(check):
        checks.append(check)
        return check

    return hazard


hazard = into(ALL)


def want(condition, message):
    if not condition:
        raise AssertionError(message)


def is_the_part(text):
    """Whatever its file is called and whoever has packaged it."""
    return {"Name", "ApiId", "BaseUrl", "CallbackRole"} <= set((yaml_parse(text) or {}).get("Parameters", {}))


def written(v):
    """A reference as it would stand in a substitution; other values as they are."""
    return f"${{{v['Ref']}}}" if isinstance(v, dict) and "Ref" in v else v


class Application:
    """A template, the part that it takes in, and the API that stands behind the part's authorizer."""

    def __init__(self, text, folder=Path("."), **parameters):
        self.stack = Stack(text, folder, **parameters)

    def again(self, **parameters):
        return Application(self.stack.text, self.stack.folder, **{**self.stack.given, **parameters})

    @cached_property
    def _taken(self):
        nested = list(self.stack.nested())
        gone = [str(file) for _, file, _ in nested if not file.is_file()]
        found = [(name, file, given) for name, file, given in nested if file.is_file() and is_the_part(file.read_text())]
        want(len(found) == 1, f"The template takes in edgeauth.yaml {len(found)} times and not once{'; ' + ', '.join(gone) + ' is not there' if gone else ''}.")
        return found[0]

    @property
    def name_of_part(self):
        return self._taken[0]

    @property
    def given(self):
        """What the part is given, by name."""
        return self._taken[2]

    @cached_property
    def part(self):
        file = self._taken[1]
        return Stack(file.read_text(), file.parent, **self.given)

    @cached_property
    def api(self):
        """The logical id of the API."""
        reference = self.given.get("ApiId")
        want(isinstance(reference, dict) and reference.get("Ref") in self.stack.of("AWS::ApiGateway::RestApi"), f"ApiId is {reference}, which is no REST API of this template.")
        return reference["Ref"]

    @property
    def body(self):
        return self.stack.of("AWS::ApiGateway::RestApi")[self.api]["Body"]

    @property
    def responses(self):
        return self.body.get("x-amazon-apigateway-gateway-responses", {})

    def routes(self):
        """(path, method, operation) of every method of the API."""
        for path, item in self.body["paths"].items():
            for method, operation in item.items():
                yield path, method, operation

    @cached_property
    def schemes(self):
        return self.body.get("components", {}).get("securitySchemes") or self.body.get("securityDefinitions") or {}

    @property
    def authorizer(self):
        """(name, settings) of the one Lambda authorizer whose function is the part's."""
        named = f":function:{self.given.get('Name')}-authorizer:live"
        found = [(n, s.get("x-amazon-apigateway-authorizer", {})) for n, s in self.schemes.items()]
        ours = [(n, a) for n, a in found if named + "/" in json.dumps(a.get("authorizerUri", ""))]
        called = [json.dumps(a["authorizerUri"]).split(":function:")[-1].split("/")[0] for _, a in found if "authorizerUri" in a]
        want(len(ours) == 1, f"The API asks {called or 'no authorizer'}; with this Name its FunctionArn has to end in {named[1:]}.")
        return ours[0]

    @property
    def stages(self):
        return {n: p for n, p in self.stack.of("AWS::ApiGateway::Stage").items() if p.get("RestApiId") == {"Ref": self.api}}

    def functions_of(self, operation):
        """The logical ids of the functions that an operation calls, by ARN or by the alias that SAM publishes."""
        uri = json.dumps(operation.get("x-amazon-apigateway-integration", {}).get("uri", ""))
        return {arn or alias for arn, alias in re.findall(r"\$\{(?:(\w+)\.Arn|(\w+?)Alias\w+)\}", uri)}

    @cached_property
    def sign_in(self):
        """(API, path) of the sign-in: a route of the API, or an API of its own that a domain maps at auth."""
        apis = self.stack.of("AWS::ApiGateway::RestApi")
        for m in self.mappings():
            if m.get("BasePath") == "auth" and m["RestApiId"] != {"Ref": self.api} and "/{proxy+}" in apis[m["RestApiId"]["Ref"]]["Body"]["paths"]:
                return m["RestApiId"]["Ref"], "/{proxy+}"
        return self.api, SIGN_IN

    def mappings(self):
        """The base path mappings of the template's own APIs."""
        apis = self.stack.of("AWS::ApiGateway::RestApi")
        return [m for m in self.stack.of("AWS::ApiGateway::BasePathMapping").values() if isinstance(m.get("RestApiId"), dict) and m["RestApiId"].get("Ref") in apis]

    def signing_in(self):
        """The methods of the sign-in's route but preflights, each with its operation and what its API asks for by default."""
        api, path = self.sign_in
        body = self.stack.of("AWS::ApiGateway::RestApi")[api]["Body"]
        return {method: {"security": body.get("security", []), **o} for method, o in body["paths"].get(path, {}).items() if method != "options"}

    @cached_property
    def callback(self):
        """The logical id of the function that signs people in."""
        called = [f for o in self.signing_in().values() for f in self.functions_of(o) if f in self.stack.of("AWS::Lambda::Function")]
        want(called, f"No function has an event for {SIGN_IN}, where the sign-in is.")
        return called[0]

    @property
    def public(self):
        """The routes that may do without the authorizer: the sign-in, and what the list beside the template names."""
        file = self.stack.folder / "public.routes"
        lines = file.read_text().splitlines() if file.is_file() else []
        listed = {tuple(line.split("#")[0].split()) for line in lines if line.split("#")[0].strip()}
        for line in listed:
            want(len(line) == 2, f"public.routes has the line {' '.join(line)!r}, which is no method and path.")
        return {(method.lower(), path) for method, path in listed}


def header(response, name):
    return response.get("responseParameters", {}).get("gatewayresponse.header." + name)


def permitted(stack, function, api, source):
    """Whether a permission of a stack lets an API, given as text or reference, call a function."""
    for p in stack.of("AWS::Lambda::Permission").values():
        arn = json.dumps(p.get("SourceArn", ""))
        if p["FunctionName"] == function and p["Principal"] == "apigateway.amazonaws.com" and p["Action"] == "lambda:InvokeFunction":
            if (f"${{{api}}}" in arn or f":{api}/" in arn or "__ApiId__" in arn and api in json.dumps(p)) and source in arn:
                return True
    return False


# ---------------------------------------------------------------- one deploy


@hazard
def nothing_waits_for_itself(a):
    """The part waits for the API, and the API for every function with a route: none of those may wait for the part."""
    edges = graph(a.stack)
    try:
        list(graphlib.TopologicalSorter(edges).static_order())
    except graphlib.CycleError as e:
        circle = e.args[1][::-1]
        raise AssertionError("Each of these waits for the next, in a circle: " + " -> ".join(circle) + ". Take one reference out, such as one to an output of the part.") from None


@hazard
def the_parameters_are_the_parts(a):
    """A nested stack asks late: what is wrong with a value is cheaper to hear now."""
    declared = a.part.source["Parameters"]
    for name, p in declared.items():
        want(name in a.given or "Default" in p, f"{a.name_of_part} needs the parameter {name}.")
        value = a.given.get(name)
        if not isinstance(value, (str, int)) or "${" in str(value):
            continue
        if "AllowedPattern" in p and p["Type"] != "CommaDelimitedList":
            want(re.search(p["AllowedPattern"], str(value)), f"{name}: {value!r} does not match {p['AllowedPattern']}.")
        if "AllowedValues" in p:
            want(str(value) in map(str, p["AllowedValues"]), f"{name}: {value!r} is none of {', '.join(map(str, p['AllowedValues']))}.")
        if "MaxLength" in p:
            want(len(str(value)) <= p["MaxLength"], f"{name}: more than {p['MaxLength']} characters.")
        if "MinValue" in p:
            want(p["MinValue"] <= int(value) <= p["MaxValue"], f"{name}: {value} is not from {p['MinValue']} to {p['MaxValue']}.")
    host = a.given.get("LoginDomain", "")
    want("." not in str(host) or "LoginCertificateArn" in a.given, f"LoginDomain: {host} is a host name of your own, which needs LoginCertificateArn.")


@hazard
def what_belongs_together_is_there(a):
    """The rules of a nested stack are asked late too, and those of the application when it is deployed."""
    for stack in [a.stack, a.part]:
        for name, rule in stack.source.get("Rules", {}).items():
            if set(re.findall(r'"(Fn::\w+)"', json.dumps(rule))) - {"Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"}:
                continue  # of somebody's own, with what only CloudFormation can decide
            if "RuleCondition" not in rule or stack.decide(rule["RuleCondition"]):
                for assertion in rule["Assertions"]:
                    want(stack.decide(assertion["Assert"]), assertion.get("AssertDescription", f"The rule {name} does not hold."))


@hazard
def the_api_names_the_authorizer(a):
    want(a.authorizer, "no authorizer")


@hazard
def the_callback_knows_its_parameter(a):
    """As text: the parameter itself is made after the API, which waits for the callback."""
    told = a.stack.variables(a.callback).get("AUTH_PARAMETER")
    wanted = f"/{a.given['Name']}/auth"
    want(told == wanted, f"{a.callback} is told AUTH_PARAMETER={told}; with this Name it is {wanted}.")


@hazard
def the_callback_gets_its_rights(a):
    role = a.stack.of("AWS::Lambda::Function")[a.callback]["Role"]
    reference = a.given.get("CallbackRole")
    own = isinstance(reference, dict) and role == {"Fn::GetAtt": [reference.get("Ref"), "Arn"]}
    want(own, f"CallbackRole is {reference}, and {a.callback} has the role {role}: it could not read its parameter. Without a Role of your own it is !Ref {a.callback}Role.")


@hazard
def there_is_one_stage(a):
    names = [p["StageName"] for p in a.stages.values()]
    strays = [d for d in a.stack.of("AWS::ApiGateway::Deployment").values() if "StageName" in d]
    want(len(names) == 1 and not strays, 'The API has a second stage, "Stage": add OpenApiVersion: 3.0.1 to its properties, or below Globals: Api.')


@hazard
def the_base_url_is_the_apis(a):
    """Redirect URIs, cookies and return paths are made of it: it has to be the one address that browsers use."""
    url = a.given.get("BaseUrl")
    want(isinstance(url, str) and url.startswith("https://"), f"BaseUrl is {url}, which is no https URL.")
    host, _, path = url.removeprefix("https://").partition("/")
    want(not url.endswith("/") and not path.endswith("auth"), f"BaseUrl is {url}: it ends before the slash and before /auth.")
    if ".execute-api." in host:
        stages = [p["StageName"] for p in a.stages.values()]
        want(host.startswith(f"${{{a.api}}}.") and [path] == stages, f"BaseUrl is {url}, and the API is {a.api} with the stage {stages}.")
        return
    apart = a.sign_in[0] != a.api
    want(not apart or a.given.get("LoginPath") == "/auth", "The sign-in is an API of its own, at /auth of the domain: the part needs LoginPath: /auth, or the login would be looked for below each API.")
    for m in [m for m in a.mappings() if m["RestApiId"] == {"Ref": a.sign_in[0]}]:
        domain = m["DomainName"]
        if isinstance(domain, dict):
            domain = written(a.stack.of("AWS::ApiGateway::DomainName").get(domain.get("Ref"), {}).get("DomainName", domain))
        base = m.get("BasePath", "")
        base = "" if base == "(none)" or apart else base
        want(not isinstance(domain, str) or (host, path) == (domain, base), f"BaseUrl is {url}, and the API is mapped at https://{domain}/{base}.".replace("/.", "."))


@hazard
def there_is_one_origin(a):
    """A second address would be a second set of cookies, return paths and redirect URIs, and the sign-in is at the first alone."""
    if ".execute-api." in str(a.given.get("BaseUrl")):
        return
    for name in sorted({a.api, a.sign_in[0]}):
        api = a.stack.of("AWS::ApiGateway::RestApi")[name]
        closed = [x.get("x-amazon-apigateway-endpoint-configuration", {}).get("disableExecuteApiEndpoint") for x in api["Body"].get("servers", [])]
        closed.append(api.get("DisableExecuteApiEndpoint"))
        want(True in closed, f"BaseUrl is a host of your own, and the execute-api host of {name} still answers: add DisableExecuteApiEndpoint: true.")


# ---------------------------------------------------------------- who is asked


@hazard
def the_sign_in_is_open(a):
    """Behind the authorizer, the way to the login would lead to the login."""
    methods = a.signing_in()
    want(set(methods) == {"x-amazon-apigateway-any-method"}, f"{SIGN_IN} takes {sorted(methods) or 'nothing'}: its event needs Method: ANY.")
    for operation in methods.values():
        want(not any(option.get(a.authorizer[0]) is not None for option in operation["security"]), f"{SIGN_IN} is behind the authorizer, so nobody can sign in: its event needs Auth: {{ Authorizer: NONE }}.")


def asked(a, operation):
    """Whether the part's authorizer is asked before an operation."""
    names = [name for option in operation.get("security", a.body.get("security", [])) for name in option]
    return names == [a.authorizer[0]]


@hazard
def every_route_is_guarded_or_listed(a):
    open_ = a.public | {("any", SIGN_IN)}
    for path, method, operation in a.routes():
        method = "any" if method == "x-amazon-apigateway-any-method" else method
        if method == "options" and operation.get("x-amazon-apigateway-integration", {}).get("type") == "mock":
            continue
        want(asked(a, operation) or (method, path) in open_, f"{method.upper()} {path} is open to everybody: nothing asks the authorizer. If that is meant, write the line '{method.upper()} {path}' into public.routes beside the template.")


@hazard
def no_request_is_answered_before_the_authorizer(a):
    """With an identity source API Gateway answers 401 by itself when the source is missing, and nobody is led to the login."""
    name, settings = a.authorizer
    want(settings.get("type") == "request", f"{name} is no REQUEST authorizer: add FunctionPayloadType: REQUEST.")
    want("identitySource" not in settings, f"{name} has an identity source: without a cookie nobody would be led to the login. Leave Identity at {{ ReauthorizeEvery: 0 }}.")


@hazard
def no_decision_is_replayed(a):
    name, settings = a.authorizer
    ttl = settings.get("authorizerResultTtlInSeconds", 300)
    want(ttl == 0, f"{name} is cached for {ttl} seconds: one request's answer would serve another. Set Identity: {{ ReauthorizeEvery: 0 }}.")


@hazard
def preflights_need_no_session(a):
    for path, method, operation in a.routes():
        if method == "options" and operation.get("x-amazon-apigateway-integration", {}).get("type") == "mock":
            want(not operation.get("security"), f"The preflight of {path} asks the authorizer, and browsers send none a cookie: add AddDefaultAuthorizerToCorsPreflight: false.")


@hazard
def every_api_may_call_the_authorizer(a):
    """The part permits the one API that it is told of; another brings a permission of its own."""
    named = f":function:{a.given.get('Name')}-authorizer:live"
    for api, p in a.stack.of("AWS::ApiGateway::RestApi").items():
        body = p.get("Body", {})
        if named not in json.dumps(body):
            continue
        of_part = api == a.api and permitted(a.part, {"Ref": "AuthorizerAlias"}, api, "/authorizers/*")
        own = any(
            named in json.dumps(q["FunctionName"]) and f"${{{api}}}/authorizers/" in json.dumps(q.get("SourceArn", "")) for q in a.stack.of("AWS::Lambda::Permission").values()
        )
        want(of_part or own, f"{api} may not call the authorizer, so every request would be answered 500: give it an AWS::Lambda::Permission for {named[1:]} with SourceArn …:${{{api}}}/authorizers/*.")


# ---------------------------------------------------------------- what refusals look like


def response(a, kind):
    want(kind in a.responses, f"The gateway response {kind} is missing.")
    return a.responses[kind]


@hazard
def a_denial_goes_where_the_authorizer_says(a):
    r = response(a, "ACCESS_DENIED")
    want(str(r.get("statusCode")) == "302", f"ACCESS_DENIED has the status {r.get('statusCode')} and not 302: nobody is led to the login.")
    want(header(r, "Location") == "context.authorizer.location", "The Location of ACCESS_DENIED is not context.authorizer.location.")


@hazard
def a_program_gets_401(a):
    r = response(a, "UNAUTHORIZED")
    want(str(r.get("statusCode")) == "401" and header(r, "WWW-Authenticate") == "'Bearer'", "UNAUTHORIZED is not 401 with WWW-Authenticate: 'Bearer'.")


@hazard
def a_failing_authorizer_is_500_and_retryable(a):
    """Which of the two types an error raises is not documented: both say the same."""
    first, second = response(a, "AUTHORIZER_FAILURE"), response(a, "AUTHORIZER_CONFIGURATION_ERROR")
    want(first == second, "AUTHORIZER_FAILURE and AUTHORIZER_CONFIGURATION_ERROR differ, and which of the two comes is not documented.")
    want(str(first.get("statusCode")) == "500" and header(first, "Retry-After"), "AUTHORIZER_FAILURE is not 500 with Retry-After.")


@hazard
def no_refusal_is_kept(a):
    """A customised type does not get the defaults' headers."""
    for kind in ["ACCESS_DENIED", "UNAUTHORIZED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"]:
        want(header(response(a, kind), "Cache-Control") == "'no-store'", f"{kind} has no Cache-Control: 'no-store', so a cache may keep it for somebody else.")


MEANT_FOR_BODIES = {"$context.authorizer.reason", "$context.authorizer.location", "$context.extendedRequestId", "$context.requestId", "$context.error.responseType"}


@hazard
def bodies_echo_nothing_of_the_request(a):
    """Nothing escapes what is substituted: only values that we made, or API Gateway did, may stand in a body."""
    for kind, r in a.responses.items():
        for media, body in r.get("responseTemplates", {}).items():
            used = set(re.findall(r"\$[A-Za-z][A-Za-z.]*", body))
            want(used <= MEANT_FOR_BODIES, f"{kind} puts {', '.join(sorted(used - MEANT_FOR_BODIES))} into its body, which nothing escapes.")


@hazard
def set_cookie_is_left_to_the_callback(a):
    for kind, r in a.responses.items():
        want(header(r, "Set-Cookie") is None, f"{kind} sets a cookie; what a gateway response does with one is not documented.")


@hazard
def responses_are_deployed_with_the_api(a):
    want(not a.stack.of("AWS::ApiGateway::GatewayResponse"), "A gateway response is a resource of its own, and those stay undeployed: write it into GatewayResponses of the API.")


# ---------------------------------------------------------------- the callback


@hazard
def the_callback_reaches_cognito(a):
    """What Globals give to every function reaches the callback too."""
    f = a.stack.of("AWS::Lambda::Function")[a.callback]
    want("VpcConfig" not in f, f"{a.callback} is in a VPC, perhaps by Globals: without a way out it reaches neither SSM nor Cognito. Cognito's token endpoint needs a NAT gateway; or set VpcConfig on your own functions alone.")
    want(not f.get("Layers"), f"{a.callback} has layers, perhaps by Globals: it is one binary and needs none.")


@hazard
def the_callback_runs_its_binary(a):
    f = a.stack.of("AWS::Lambda::Function")[a.callback]
    want(f.get("Runtime") == "provided.al2023" and f.get("Handler") == "bootstrap", f"{a.callback} has Runtime {f.get('Runtime')} and Handler {f.get('Handler')}, and not provided.al2023 and bootstrap.")
    want(f.get("Timeout", 3) >= 10, f"{a.callback} has {f.get('Timeout', 3)} seconds; Cognito alone may take more: set Timeout: 10.")


MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine of ELF


@hazard
def code_is_for_its_processor(a):
    """A released zip is for one architecture."""
    functions = [(a.stack.folder, a.stack.source["Resources"][a.callback].get("Properties", {}).get("CodeUri"), a.stack.of("AWS::Lambda::Function")[a.callback], a.callback)]
    functions += [(a.part.folder, p.get("Code"), p, n) for n, p in a.part.of("AWS::Lambda::Function").items()]
    for folder, code, f, name in functions:
        if not isinstance(code, str) or not code.endswith(".zip"):
            continue
        want((folder / code).is_file(), f"{name}: {folder / code} is not there.")
        with zipfile.ZipFile(io.BytesIO((folder / code).read_bytes())) as z:
            want("bootstrap" in z.namelist(), f"{name}: {code} holds no bootstrap.")
            magic = z.open("bootstrap").read(20)
        found = MACHINES.get(struct.unpack("<H", magic[18:20])[0] if magic[:4] == b"\x7fELF" else 0, "no processor of Lambda's")
        declared = f.get("Architectures", ["x86_64"])[0]
        want(found == declared, f"{name} has Architectures: [{declared}], and {code} is built for {found}.")


def configured(folder, environment="default"):
    """The parameters that the SAM CLI's configuration file gives to `sam deploy`, by name."""
    file = folder / "samconfig.toml"
    if not file.is_file():
        return {}
    import tomllib  # of Python 3.11 and later

    tables = tomllib.loads(file.read_text()).get(environment, {})
    given = {}
    for table in ["global", "deploy"]:
        given |= overrides(tables.get(table, {}).get("parameters", {}).get("parameter_overrides", []))
    return given


def overrides(said):
    """Values by name, of what may follow --parameter-overrides: Name=value, or ParameterKey=Name,ParameterValue=value."""
    words = shlex.split(said) if isinstance(said, str) else said
    pairs = [re.fullmatch(r"(?s)(?:ParameterKey=(\w+),ParameterValue=|(\w+)=)(.*)", w) for w in words]
    for word, pair in zip(words, pairs):
        if pair is None:
            raise ValueError(f"{word!r} is not Name=value")
    return {p[1] or p[2]: p[3] for p in pairs}


def main(path, checks=ALL, said=(), environment="default"):
    path = Path(path)
    try:
        a = Application(path.read_text(), path.parent, **{**configured(path.parent, environment), **overrides(list(said))})
    except Exception as e:  # whatever the transform says
        print(f"{path}: {e}")
        return 2
    try:
        a.api
    except AssertionError as e:
        print(f"{path}: {e}")
        return 1
    failed = 0
    for check in checks:
        try:
            check(a)
        except AssertionError as e:
            failed += 1
            print(f"{path}: {e} ({check.__name__})")
    print(f"{path}: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Says what would go wrong with an application that takes in edgeauth.yaml.")
    parser.add_argument("template", nargs="+")
    parser.add_argument("--parameter-overrides", nargs="*", default=[], metavar="Name=value", help="as for sam deploy")
    parser.add_argument("--config-env", default="default", help="table of samconfig.toml")
    options = parser.parse_args()
    sys.exit(max(main(path, said=options.parameter_overrides, environment=options.config_env) for path in options.template))
