"""What may go wrong with template.yaml, beyond what may go wrong with any application. Each function takes the Application and fails when the hazard is there."""

import base64
import hashlib
import html
import json
import re
from unittest import mock

from hazards import into, permitted, want
from stack import graph

DOMAIN = dict(AppDomain="app.example.com", AppCertificateArn="arn:aws:acm:eu-west-1:123456789012:certificate/a")
OWN = {"CallbackFunction", "DashboardFunction", "ApiFunction"}

ALL = []  # every check, in the order of this file
hazard = into(ALL)


def header(response, name):
    return response.get("responseParameters", {}).get("gatewayresponse.header." + name)


@hazard
def a_first_time_user_can_answer(a):
    """`sam deploy --guided` asks every parameter and shows no description."""
    parameters = a.stack.source["Parameters"]
    want(len(parameters) <= 9, f"{len(parameters)} questions")
    for name, p in parameters.items():
        want(len(p.get("Description", "")) >= 20 and "Default" in p, f"{name} has no description or no default")
        want({"AllowedPattern", "AllowedValues", "MinValue"} & set(p), f"{name} takes anything")
        value = str(p["Default"])
        want(re.search(p.get("AllowedPattern", ""), value) and value in map(str, p.get("AllowedValues", [value])), f"{name}: the default is not allowed")


@hazard
def what_it_hands_on_is_what_the_part_takes(a):
    """A parameter of the same name has the same pattern, so that a wrong value is refused before anything is made."""
    for name, p in a.stack.source["Parameters"].items():
        inner = a.part.source["Parameters"].get(name)
        if inner and name != "HostedZoneId":
            for key in ["AllowedPattern", "MaxLength", "Default"]:
                want(p.get(key) == inner.get(key), f"{name}: {key} differs from the part's")
            want(set(p.get("AllowedValues", [])) <= set(inner.get("AllowedValues", [])), f"{name}: the part takes no {p.get('AllowedValues')}")
            want(a.given.get(name) == p["Default"], f"{name} is not handed on")


@hazard
def half_an_answer_is_refused(a):
    asked = json.dumps(a.stack.source.get("Rules", {}))
    want('{"Ref": "AppCertificateArn"}' in asked, "no rule asks for AppCertificateArn")
    used = set(re.findall(r'"(Fn::\w+)"', asked))
    want(used <= {"Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}, f"rules use {sorted(used)}")


@hazard
def a_changed_parameter_reaches_the_stage(a):
    """The transform makes a new deployment only when the API's text changes, and a parameter's value is no part of it."""
    with mock.patch("samtranslator.model.apigateway.time.time", return_value=1.0):
        before = set(a.again().stack.of("AWS::ApiGateway::Deployment"))
    want(before != set(a.again().stack.of("AWS::ApiGateway::Deployment")), "the same deployment, whenever it is made")


@hazard
def the_api_may_call_every_backend(a):
    called = {name for _, _, o in a.routes() for name in a.functions_of(o)}
    want(called == OWN, f"the API calls {sorted(called)}")
    for name in called:
        want(permitted(a.stack, {"Ref": name}, a.api, "/"), f"the API may not call {name}")


@hazard
def only_this_api_may_call(a):
    for name, p in a.stack.of("AWS::Lambda::Permission").items():
        want("SourceArn" in p and ("${Api}" in json.dumps(p["SourceArn"]) or "__ApiId__" in json.dumps(p["SourceArn"])), f"{name} lets any API in")


@hazard
def the_endpoint_is_regional(a):
    want(a.stack.one("AWS::ApiGateway::RestApi")["EndpointConfiguration"]["Types"] == ["REGIONAL"], "not REGIONAL")


@hazard
def a_host_of_its_own_is_the_only_one(a):
    x = a.again(**DOMAIN)
    disabled = [s["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"] for s in x.body["servers"]]
    want(disabled == [True], "with a host of one's own the execute-api host still answers")
    want(x.given["BaseUrl"] == "https://app.example.com" and x.stack.outputs["Url"] == "https://app.example.com/", "the part is told another address")
    want(a.given["BaseUrl"] + "/" == a.stack.outputs["Url"], "the part is told another address")


@hazard
def every_response_type_is_spoken_for(a):
    spoken = {
        "ACCESS_DENIED", "UNAUTHORIZED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "THROTTLED", "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT", "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX",
    }
    want(set(a.responses) == spoken, f"types {sorted(set(a.responses) ^ spoken)}")


@hazard
def statuses_are_explicit_except_on_defaults(a):
    """Without one, a customised type may change its status; with one, a default changes the status of every other type."""
    for kind, r in a.responses.items():
        want(("statusCode" in r) != kind.startswith("DEFAULT_"), f"{kind} has status {r.get('statusCode')}")


@hazard
def responses_inherit_nothing(a):
    """A customised type does not get the defaults' headers."""
    for kind, r in a.responses.items():
        for name, value in {"Cache-Control": "'no-store'", "X-Content-Type-Options": "'nosniff'", "Strict-Transport-Security": "'max-age=31536000'"}.items():
            want(header(r, name) == value, f"{kind} lacks {name}")


@hazard
def an_outage_is_a_page_for_a_person(a):
    """The gateway chooses by Accept. The page runs nothing, and loads nothing; its one style is the one that its policy names."""
    for kind in ["AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "THROTTLED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_5XX"]:
        page = a.responses[kind]["responseTemplates"].get("text/html", "")
        want("<h1>" in page and "$context.extendedRequestId" in page, f"{kind} shows a person JSON")
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        want(f"style-src 'sha256-{digest}'" in page and "default-src 'none'" in page, f"{kind}: the policy refuses the page its style")
        want("#" not in page, f"{kind}: # begins a directive of the gateway's template language")
    for kind, r in a.responses.items():
        for media, body in r["responseTemplates"].items():
            if media == "application/json":
                json.loads(body)
            want(media in ["application/json", "text/html"], f"{kind} answers {media}")


@hazard
def a_foreign_script_can_read_a_refusal(a):
    """Without these headers a cross-origin fetch sees a network error and not a 401."""
    open_ = a.again(AllowedOrigin="https://www.example.com")
    for kind, r in open_.responses.items():
        want(header(r, "Access-Control-Allow-Origin") == "'https://www.example.com'", f"{kind} hides from the allowed origin")
        want(header(r, "Access-Control-Allow-Credentials") == "'true'", f"{kind} refuses credentials")


@hazard
def no_origin_is_allowed_by_default(a):
    for kind, r in a.responses.items():
        want(header(r, "Access-Control-Allow-Origin") is None, f"{kind} lets scripts of another origin read")
    for path, method, o in a.routes():
        if method == "options":
            parameters = o["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
            origin = parameters["method.response.header.Access-Control-Allow-Origin"]
            want(origin.endswith(".invalid'"), f"{path}: preflight allows {origin}")  # RFC 6761 section 6.4: nobody can have such a name


@hazard
def preflights_are_answered_by_the_gateway(a):
    preflights = [o for _, method, o in a.routes() if method == "options"]
    want(len(preflights) == len(a.body["paths"]), "a path without preflight")
    for o in preflights:
        want(o["x-amazon-apigateway-integration"]["type"] == "mock", "a preflight asks a backend")


@hazard
def functions_run_what_the_makefile_builds(a):
    for name, f in a.stack.of("AWS::Lambda::Function").items():
        want((f["Runtime"], f["Handler"], f["Architectures"]) == ("provided.al2023", "bootstrap", ["arm64"]), f"{name}: runtime, handler or architecture")
    for name, r in a.stack.source["Resources"].items():
        if r["Type"] == "AWS::Serverless::Function":
            want(r["Metadata"]["BuildMethod"] == "makefile" and r["Properties"]["CodeUri"] == ".", f"{name} would be built from a stale cache")


@hazard
def every_log_expires(a):
    groups = a.stack.of("AWS::Logs::LogGroup")
    for name, group in groups.items():
        want(group.get("RetentionInDays"), f"{name} is kept for ever")
    for name, f in a.stack.of("AWS::Lambda::Function").items():
        want(f.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") in groups, f"{name} logs to a group that is kept for ever")
    want(a.given["CallbackLogGroup"] == {"Ref": "CallbackLogs"}, "the alarms count another log")


@hazard
def functions_may_only_write_logs(a):
    for role, p in a.stack.of("AWS::IAM::Role").items():
        given = {json.dumps(x).split("/")[-1].strip('"}]') for x in p["ManagedPolicyArns"]}
        more = [s for policy in p.get("Policies", []) for s in policy["PolicyDocument"]["Statement"]]
        reads = [{"Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*"}] if role == "DashboardFunctionRole" else []
        want(given == {"AWSLambdaBasicExecutionRole"} and more == reads, f"{role} has {given}, {more}")


@hazard
def the_figures_are_of_this_stack(a):
    """The dashboard asks CloudWatch by name: one that is not this stack's shows nothing, or what happens at somebody else's door."""
    told = a.stack.variables("DashboardFunction")
    want(told["DASHBOARD_AUTHORIZER"] == a.given["Name"] + "-authorizer", f"the authorizer is {a.given['Name']}-authorizer")
    want(told["DASHBOARD_CALLBACK"] == {"Ref": a.callback}, f"{a.callback} signs people in")
    want(told["DASHBOARD_API"] == a.stack.one("AWS::ApiGateway::RestApi")["Name"], "the API has another name")


@hazard
def requests_are_throttled(a):
    (m,) = a.stack.one("AWS::ApiGateway::Stage")["MethodSettings"]
    want((m["ResourcePath"], m["HttpMethod"]) == ("/*", "*") and m["ThrottlingRateLimit"] and m["ThrottlingBurstLimit"], "no limit")


@hazard
def execution_logs_hold_no_cookies(a):
    for m in a.stack.one("AWS::ApiGateway::Stage")["MethodSettings"]:
        want(m["DataTraceEnabled"] is False and m["LoggingLevel"] == "OFF", "data trace writes headers, and so cookies, to the log")


@hazard
def the_access_log_tells_why_and_how_long(a):
    want("AccessLogSetting" not in a.stack.one("AWS::ApiGateway::Stage"), "on by default: an account without a logging role refuses the stage")
    log = json.loads(a.again(AccessLogs="ON").stack.one("AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"])
    for variable in ["$context.authorizer.reason", "$context.authorizer.integrationLatency", "$context.authorizer.error", "$context.extendedRequestId", "$context.status"]:
        want(variable in log.values(), f"no {variable}")
    want(not [v for v in log.values() if "query" in v.lower() or "location" in v], "query strings hold codes")


@hazard
def the_access_log_has_its_role_first(a):
    x = a.again(AccessLogs="ON_WITH_ACCOUNT_ROLE")
    want(x.stack.one("AWS::ApiGateway::Account")["CloudWatchRoleArn"] == {"Fn::GetAtt": ["AccountLoggingRole", "Arn"]}, "no role for the account")
    want("AccountLogging" in graph(x.stack)["AccessLog"] and "AccessLog" in graph(x.stack)["ApiProdStage"], "the stage does not wait for it")
    for name in ["AccountLogging", "AccountLoggingRole"]:
        want(x.stack.resources[name]["DeletionPolicy"] == "Retain", f"{name} goes with the stack, and with it the logs of every other API")
