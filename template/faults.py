"""Deploys template.yaml into MiniStack, lets `edgeauth doctor` examine it, then seeds one fault after the other: each must be found by its name, alone.

A healthy stack comes first, without a single complaint. Last, every question is refused in turn: then the doctor has to say what it may not read, and
nothing else. Everything listens on 127.0.0.1. What MiniStack does not know, a proxy of ours in front of it answers; the table says where.
"""

import contextlib
import email.utils
import http.client
import http.server
import json
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import rehearse
from rehearse import REGION, ROOT, STACK, USER, MiniStack

HOST = "app.example.com"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:alarms"
RULES = ["* /* signed-in", "* /admin/* group:admins"]


# ------------------------------------------------- what MiniStack does not know, and what it cannot be told


class Proxy:
    """Hands AWS's calls on to MiniStack, and answers or alters those that it is told to."""

    def __init__(self, port):
        self.instead, self.calls, self.skew = {}, [], 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_call(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                name = proxy.name(self.command, self.path, self.headers, body)
                proxy.calls.append(name)
                instead = proxy.instead.get(name)
                answer = instead(lambda: self.forward(body), name, body) if instead else self.forward(body)
                self.answer(*answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_call

            def forward(self, body):
                to = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "content-length", "transfer-encoding")}
                to.request(self.command, self.path, body or None, headers)
                got = to.getresponse()
                return got.status, {k: v for k, v in got.getheaders() if k.lower() not in ("connection", "content-length", "transfer-encoding", "date")}, got.read()

            def answer(self, status, headers, body):
                self.send_response_only(status)
                for k, v in headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    # Which permission a request needs, by what it looks like on the wire.
    PATHS = [
        ("GET", r"/restapis/[^/]+/authorizers", "apigateway:GET /restapis/*/authorizers"), ("GET", r"/restapis/[^/]+/resources", "apigateway:GET /restapis/*/resources"),
        ("GET", r"/restapis/[^/]+/gatewayresponses", "apigateway:GET /restapis/*/gatewayresponses"), ("GET", r"/restapis/[^/]+/stages/[^/]+", "apigateway:GET /restapis/*/stages/*"),
        ("GET", r"/restapis/[^/]+", "apigateway:GET /restapis/*"), ("GET", r"/domainnames/[^/]+/basepathmappings", "apigateway:GET /domainnames/*/basepathmappings"),
        ("GET", r"/domainnames/[^/]+", "apigateway:GET /domainnames/*"), ("GET", r".*/functions/[^/]+/configuration", "lambda:GetFunctionConfiguration"),
        ("GET", r".*/functions/[^/]+/aliases/live", "lambda:GetAlias"), ("GET", r".*/functions/[^/]+/concurrency", "lambda:GetFunctionConcurrency"),
        ("GET", r".*/functions/[^/]+/policy", "lambda:GetPolicy"), ("GET", r".*/account-settings/?", "lambda:GetAccountSettings"),
        ("POST", r"/service/GraniteServiceVersion20100801/operation/([A-Za-z]+)", "cloudwatch:{}"),
    ]
    SERVICES = {"AWSCognitoIdentityProviderService": "cognito-idp", "AmazonSSM": "ssm", "Logs_20140328": "logs", "CertificateManager": "acm", "GraniteServiceVersion20100801": "cloudwatch"}

    def name(self, method, path, headers, body):
        if target := headers.get("X-Amz-Target"):
            service, _, action = target.partition(".")
            return f"{self.SERVICES.get(service, service)}:{action}"
        path = urllib.parse.urlsplit(path).path
        for of, pattern, name in self.PATHS:
            if of == method and (m := re.fullmatch(pattern, path)):
                return name.format(*m.groups())
        action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0] if method == "POST" else ""
        return {"DescribeStacks": "cloudformation:", "ListStackResources": "cloudformation:"}.get(action, "other:") + (action or f"{method} {path}")

    @contextlib.contextmanager
    def answering(self, name, instead):
        before = self.instead.get(name)
        self.instead[name] = instead
        try:
            yield
        finally:
            self.instead.pop(name)
            if before:
                self.instead[name] = before


def answers(value):
    return lambda *_: (200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode())


def fails(code, status=400):
    return lambda *_: (status, {"Content-Type": "application/x-amz-json-1.1", "X-Amzn-Errortype": code}, json.dumps({"__type": code, "message": code}).encode())


def altered(change):
    """MiniStack's own answer, with one thing changed."""
    def instead(forward, *_):
        status, headers, body = forward()
        if status != 200:
            return status, headers, body
        value = json.loads(body)
        change(value)
        return status, headers, json.dumps(value).encode()
    return instead


class Names:
    """A name server that knows one name, or none. RFC 1035."""

    def __init__(self):
        self.known = {HOST: "127.0.0.1"}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            ask, who = self.socket.recvfrom(512)
            labels, at = [], 12
            while ask[at]:
                labels.append(ask[at + 1 : at + 1 + ask[at]].decode())
                at += 1 + ask[at]
            question, (kind,) = ask[12 : at + 5], struct.unpack("!H", ask[at + 1 : at + 3])
            address = self.known.get(".".join(labels))
            found = address and kind == 1
            answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address) if found else b""
            self.socket.sendto(ask[:2] + struct.pack("!HHHHH", 0x8580 | (0 if address else 3), 1, 1 if found else 0, 0, 0) + question + answer, who)


class Site:
    """The application as strangers meet it: the real authorizer and callback, behind the few lines of a gateway that they need here."""

    def __init__(self, authorizer, callback):
        self.skew, self.instead = 0, {}
        site, browser = self, rehearse.Browser(f"https://{HOST}/Prod", callback, "Prod")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                who = "browser" if self.headers.get("Sec-Fetch-Mode") == "navigate" else "program"
                who = "login" if self.path.startswith("/auth/") else who
                status, headers, body = site.instead[who] if who in site.instead else self.decided()
                self.send_response_only(status)
                self.send_header("Date", email.utils.formatdate(time.time() + site.skew, usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                for k, v in headers.items():
                    self.send_header(k, v)
                self.end_headers()
                self.wfile.write(body)

            def decided(self):
                event = browser.event(f"https://{HOST}/Prod{self.path}")
                event["multiValueHeaders"] = {"Host": [HOST], **{k: [v] for k, v in self.headers.items() if k != "Host"}}
                event["headers"] = {k: v[-1] for k, v in event["multiValueHeaders"].items()}
                event["requestContext"]["path"] = event["path"]  # a mapping without a base path
                if self.path.startswith("/auth/"):
                    kind, answer = callback(event)
                    found = answer.get("multiValueHeaders") or {} if kind == "response" else {}
                    return answer.get("statusCode", 502), {k: v[0] for k, v in found.items() if k.lower() != "content-length"}, (answer.get("body") or "").encode()
                kind, answer = authorizer(event)
                if kind != "response":
                    return (401 if answer.get("errorMessage") == "Unauthorized" else 500), {}, b"{}"
                if answer["policyDocument"]["Statement"][0]["Effect"] == "Deny":
                    return 302, {"Location": answer["context"]["location"]}, b""
                return 200, {}, b"the backend"

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


# ---------------------------------------------------------------- a healthy stack


class World:
    """A deployed stack that is as it ought to be, and ways to spoil one thing and to mend it."""

    def __init__(self, aws, proxy):
        self.aws, self.proxy = aws, proxy
        for name in ("cognito-idp", "lambda", "ssm", "apigateway", "logs", "cloudwatch", "acm"):
            setattr(self, name.replace("-idp", "").replace("lambda", "lambda_"), aws.client(name))

    def deploy(self, folder):
        self.trusted = self.cognito.create_user_pool(PoolName="trusted")["UserPool"]["Id"]
        issuer = f"{self.proxy.url}/{self.trusted}"
        self.certificate = self.acm.request_certificate(DomainName=HOST)["CertificateArn"]
        text = (folder / "template.yaml").read_text()
        more = {"AccessRules": "|\n" + "".join(f"          {r}\n" for r in RULES), "TrustedPools": "'" + json.dumps([{"issuer": issuer, "client_ids": ["web"]}]) + "'\n"}
        text, n = re.subn(r"(?m)^        AccessRules: .*\n", lambda _: "", text)
        anchor = "        BaseUrl:"
        assert text.count(anchor) == 1
        text = text.replace(anchor, "".join(f"        {k}: {v}" for k, v in more.items()) + anchor)
        (folder / "template.yaml").write_text(text)
        self.outputs, self.resources = rehearse.deploy(self.aws, folder, AppDomain=HOST, AppCertificateArn=self.certificate, AlarmTopicArn=TOPIC)
        self.pool, self.client_id = self.outputs["UserPoolId"], self.outputs["ClientId"]
        self.function, self.api = f"{STACK}-authorizer", self.resources["Api"][1]

    def make_healthy(self):
        """What the rehearsal's substitutes and MiniStack's gaps leave out."""
        c, pool = self.cognito, self.pool
        c.update_user_pool(UserPoolId=pool, DeletionProtection="ACTIVE", AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}, MfaConfiguration="OPTIONAL")
        c.update_user_pool_client(UserPoolId=pool, ClientId=self.client_id, **self.settings() | dict(
            IdTokenValidity=60, AccessTokenValidity=60, RefreshTokenValidity=30, TokenValidityUnits={"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"}))
        c.admin_create_user(UserPoolId=pool, Username=USER, MessageAction="SUPPRESS", UserAttributes=[{"Name": "email", "Value": USER}, {"Name": "email_verified", "Value": "true"}])
        c.admin_set_user_password(UserPoolId=pool, Username=USER, Password=rehearse.PASSWORD, Permanent=True)
        c.admin_add_user_to_group(UserPoolId=pool, Username=USER, GroupName="admins")
        self.environment(AUTH_JWKS_URL=f"{self.proxy.url}/{pool}/.well-known/jwks.json")
        self.proxy.instead |= {
            "cognito-idp:DescribeManagedLoginBrandingByClient": answers({"ManagedLoginBranding": {"UserPoolId": pool, "UseCognitoProvidedValues": True}}),
            "cognito-idp:ListUserPoolClientSecrets": answers({"ClientSecrets": [{"ClientSecretId": "1", "ClientSecretCreateDate": 1700000000}]}),
        }
        self.import_api()

    def import_api(self):
        """The API's body as API Gateway imports it: MiniStack leaves out ANY methods and gateway responses."""
        g, api = self.apigateway, self.api
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:000000000000:function:{self.function}:live/invocations"
        for one in g.get_authorizers(restApiId=api)["items"]:
            g.delete_authorizer(restApiId=api, authorizerId=one["id"])
        self.authorizer = g.create_authorizer(restApiId=api, name="SessionAuthorizer", type="REQUEST", authorizerUri=uri, identitySource="", authorizerResultTtlInSeconds=0)["id"]
        root = next(r["id"] for r in g.get_resources(restApiId=api, limit=500)["items"] if r["path"] == "/")
        self.paths = {"/": root}
        there = {r["path"]: r["id"] for r in g.get_resources(restApiId=api, limit=500)["items"]}
        for path in ("/{proxy+}", "/api", "/api/{proxy+}", "/auth", "/auth/{proxy+}"):
            parent, _, last = path.rpartition("/")
            self.paths[path] = there.get(path) or g.create_resource(restApiId=api, parentId=self.paths[parent or "/"], pathPart=last)["id"]
        for path in ("/", "/{proxy+}", "/api/{proxy+}", "/auth/{proxy+}"):
            self.method(path)
        for kind, status, parameters in [
            ("ACCESS_DENIED", "302", {"gatewayresponse.header.Location": "context.authorizer.location"}), ("UNAUTHORIZED", "401", {}),
            ("AUTHORIZER_FAILURE", "500", {}), ("AUTHORIZER_CONFIGURATION_ERROR", "500", {}),
        ]:
            g.put_gateway_response(restApiId=api, responseType=kind, statusCode=status, responseParameters=parameters)
        self.proxy.instead["apigateway:GET /restapis/*"] = set_to(disableExecuteApiEndpoint=True)  # the import leaves it out, and an update makes it text
        self.stage("rateLimit", "500")
        self.stage("burstLimit", "1000")

    # Ways to spoil one thing. Each is a context: it is mended when it ends.

    def settings(self):
        c = self.cognito.describe_user_pool_client(UserPoolId=self.pool, ClientId=self.client_id)["UserPoolClient"]
        kept = ("ClientName", "ExplicitAuthFlows", "SupportedIdentityProviders", "CallbackURLs", "LogoutURLs", "AllowedOAuthFlows", "AllowedOAuthScopes", "AllowedOAuthFlowsUserPoolClient",
                "PreventUserExistenceErrors", "EnableTokenRevocation", "IdTokenValidity", "AccessTokenValidity", "RefreshTokenValidity", "TokenValidityUnits", "WriteAttributes")
        return {k: c[k] for k in kept if k in c}

    @contextlib.contextmanager
    def client(self, **changes):
        before = self.settings()
        self.cognito.update_user_pool_client(UserPoolId=self.pool, ClientId=self.client_id, **before | changes)
        yield
        self.cognito.update_user_pool_client(UserPoolId=self.pool, ClientId=self.client_id, **before)

    @contextlib.contextmanager
    def pool_settings(self, **changes):
        before = dict(DeletionProtection="ACTIVE", AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}, MfaConfiguration="OPTIONAL")
        self.cognito.update_user_pool(UserPoolId=self.pool, **before | changes)
        yield
        self.cognito.update_user_pool(UserPoolId=self.pool, **before)

    def environment(self, function=None, **changes):
        function = function or self.function
        before = self.lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        self.lambda_.update_function_configuration(FunctionName=function, Environment={"Variables": before | changes})
        return before

    @contextlib.contextmanager
    def variables(self, function=None, **changes):
        before = self.environment(function, **changes)
        yield
        self.lambda_.update_function_configuration(FunctionName=function or self.function, Environment={"Variables": before})

    @contextlib.contextmanager
    def parameter(self, change):
        name = f"/{STACK}/auth"
        before = self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        if (value := change(before)) is None:
            self.ssm.delete_parameter(Name=name)
        else:
            self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        yield
        self.ssm.put_parameter(Name=name, Value=before, Type="String", Overwrite=True)

    def method(self, path, authorization=None, name="ANY"):
        g, there = self.apigateway, dict(restApiId=self.api, resourceId=self.paths[path], httpMethod=name)
        authorization = authorization or ("NONE" if path.startswith("/auth") else "CUSTOM")
        with contextlib.suppress(ClientError):
            g.delete_method(**there)
        g.put_method(**there, authorizationType=authorization, **({"authorizerId": self.authorizer} if authorization == "CUSTOM" else {}))

    @contextlib.contextmanager
    def route(self, path, authorization):
        self.method(path, authorization)
        yield
        self.method(path)

    @contextlib.contextmanager
    def without_route(self, path):
        self.apigateway.delete_method(restApiId=self.api, resourceId=self.paths[path], httpMethod="ANY")
        yield
        self.method(path)

    @contextlib.contextmanager
    def authorizer_settings(self, path, value, before):
        def patch(v):
            self.apigateway.update_authorizer(restApiId=self.api, authorizerId=self.authorizer, patchOperations=[{"op": "replace", "path": path, "value": v}])
        patch(value)
        yield
        patch(before)

    def stage(self, what, value, group="throttling"):
        self.apigateway.update_stage(restApiId=self.api, stageName="Prod", patchOperations=[{"op": "replace", "path": f"/*/*/{group}/{what}", "value": value}])

    @contextlib.contextmanager
    def stage_settings(self, what, value, before, group="throttling"):
        self.stage(what, value, group)
        yield
        self.stage(what, before, group)

    @contextlib.contextmanager
    def response(self, kind, **changes):
        g, there = self.apigateway, dict(restApiId=self.api, responseType=kind)
        before = g.get_gateway_response(**there)
        kept = {k: before[k] for k in ("statusCode", "responseParameters") if k in before}
        g.delete_gateway_response(**there)
        if changes:
            g.put_gateway_response(**there, **kept | changes)
        yield
        g.put_gateway_response(**there, **kept)

    @contextlib.contextmanager
    def doing(self, do, undo):
        do()
        yield
        undo()

    def instead(self, call, answer):
        return self.proxy.answering(call, answer)

    @contextlib.contextmanager
    def site_says(self, **said):
        self.site.instead |= said
        yield
        self.site.instead.clear()

    @contextlib.contextmanager
    def elsewhere(self, url):
        before, self.site.url = self.site.url, url
        yield
        self.site.url = before

    @contextlib.contextmanager
    def skewed(self, seconds):
        self.site.skew = seconds
        yield
        self.site.skew = 0


def says(what, instead):
    """MiniStack's own answer with other words."""
    def change(forward, *_):
        status, headers, body = forward()
        return status, headers, body.replace(what, instead)
    return change


@contextlib.contextmanager
def both(one, two):
    with one, two:
        yield


def set_to(**values):
    """MiniStack's own answer with other values, each named by its path with __ between the names; None takes it away."""
    def change(answer):
        for path, value in values.items():
            *names, last = path.split("__")
            at = answer
            for name in names:
                at = at[name]
            at.pop(last, None)
            if value is not None:
                at[last] = value
    return altered(change)


# ---------------------------------------------------------------- the faults: name, how it is seeded, and the deed


def faults(w):
    c, l = w.cognito, w.lambda_
    pool = dict(UserPoolId=w.pool)
    user = dict(UserPoolId=w.pool, Username=USER)
    client = dict(UserPoolId=w.pool, ClientId=w.client_id)
    verified = lambda value: c.admin_update_user_attributes(**user, UserAttributes=[{"Name": "email_verified", "Value": value}])
    group = lambda name: dict(GroupName=name, UserPoolId=w.pool)
    domain = w.resources["EdgeAuth/UserPoolDomain"][1]
    callback = w.resources["CallbackFunction"][1]
    log = w.resources["CallbackLogs"][1]
    alarm = w.resources["EdgeAuth/CannotTellAlarm"][1]
    many = [f"department-of-{'quality-assurance-' * 5}{i:03}" for i in range(60)]
    told = lambda **changes: lambda text: json.dumps(json.loads(text) | changes)

    def alarm_actions(actions):
        a = w.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
        kept = {k: a[k] for k in ("AlarmName", "AlarmDescription", "Namespace", "MetricName", "Statistic", "Period", "ComparisonOperator", "Threshold", "EvaluationPeriods", "TreatMissingData") if k in a}
        w.cloudwatch.put_metric_alarm(**kept, AlarmActions=actions)

    def crowd():
        for name in many:
            c.create_group(**group(name))
            c.admin_add_user_to_group(**user, GroupName=name)

    def disperse():
        for name in many:
            c.delete_group(**group(name))

    def old_version():
        l.update_function_configuration(FunctionName=w.function, Description="before")
        version = l.publish_version(FunctionName=w.function)["Version"]
        l.update_alias(FunctionName=w.function, Name="live", FunctionVersion=version)
        w.environment(GOMAXPROCS="2")

    def new_version():
        l.update_alias(FunctionName=w.function, Name="live", FunctionVersion="$LATEST")
        w.environment(GOMAXPROCS="1")

    def throttle():
        w.cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "Throttles", "Dimensions": [{"Name": "FunctionName", "Value": w.function}], "Value": 7, "Unit": "Count"}])

    permission = l.get_policy(FunctionName=w.function, Qualifier="live")["Policy"]
    statement = json.loads(permission)["Statement"][0]

    def permit():
        l.add_permission(FunctionName=w.function, Qualifier="live", StatementId=statement["Sid"], Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                         SourceArn=f"arn:aws:execute-api:{REGION}:123456789012:{w.api}/authorizers/*")

    mapping = dict(domainName=HOST, basePath="(none)")

    yield "stack_incomplete", "ours: DescribeStacks says UPDATE_ROLLBACK_FAILED", w.instead("cloudformation:DescribeStacks", says(b"CREATE_COMPLETE", b"UPDATE_ROLLBACK_FAILED"))
    yield "pool_missing", "ours: DescribeUserPool finds none", w.instead("cognito-idp:DescribeUserPool", fails("ResourceNotFoundException"))
    yield "pool_of_another_region", "the function's AUTH_ISSUER", w.variables(AUTH_ISSUER=f"https://cognito-idp.us-east-1.amazonaws.com/{w.pool}")
    yield "issuer_of_another_pool", "the function's AUTH_ISSUER", w.variables(AUTH_ISSUER=f"https://cognito-idp.{REGION}.amazonaws.com/{w.trusted}")
    yield "self_registration_open", "UpdateUserPool", w.pool_settings(AdminCreateUserConfig={"AllowAdminCreateUserOnly": False})
    yield "mfa_off", "ours: DescribeStacks and DescribeUserPool say OFF", both(
        w.instead("cloudformation:DescribeStacks", says(b"<ParameterValue>OPTIONAL</ParameterValue>", b"<ParameterValue>OFF</ParameterValue>")), w.pool_settings(MfaConfiguration="OFF"))
    yield "mfa_weaker", "UpdateUserPool", w.pool_settings(MfaConfiguration="OFF")
    yield "deletion_protection_off", "UpdateUserPool", w.pool_settings(DeletionProtection="INACTIVE")
    yield "domain_missing", "DeleteUserPoolDomain", w.doing(lambda: c.delete_user_pool_domain(**pool, Domain=domain), lambda: c.create_user_pool_domain(**pool, Domain=domain, ManagedLoginVersion=2))
    yield "domain_inactive", "ours: DescribeUserPoolDomain says FAILED", w.instead("cognito-idp:DescribeUserPoolDomain", set_to(DomainDescription__Status="FAILED"))
    yield "domain_without_branding", "ours: DescribeManagedLoginBrandingByClient finds none", w.instead("cognito-idp:DescribeManagedLoginBrandingByClient", fails("ResourceNotFoundException"))
    yield "login_url_of_another_domain", "PutParameter", w.parameter(told(login_url="https://other.auth.eu-west-1.amazoncognito.com"))

    yield "client_missing", "ours: DescribeUserPoolClient finds none", w.instead("cognito-idp:DescribeUserPoolClient", fails("ResourceNotFoundException"))
    yield "client_without_secret", "ours: DescribeUserPoolClient without ClientSecret", w.instead("cognito-idp:DescribeUserPoolClient", set_to(UserPoolClient__ClientSecret=None))
    yield "client_callback_url", "UpdateUserPoolClient", w.client(CallbackURLs=[f"https://{HOST}/Prod/auth/callback"])
    yield "client_logout_url", "UpdateUserPoolClient", w.client(LogoutURLs=[f"https://{HOST}/"])
    yield "client_implicit_flow", "UpdateUserPoolClient", w.client(AllowedOAuthFlows=["code", "implicit"])
    yield "client_without_code_flow", "UpdateUserPoolClient", w.client(AllowedOAuthFlowsUserPoolClient=False)
    yield "client_missing_scope", "UpdateUserPoolClient", w.client(AllowedOAuthScopes=["openid"])
    yield "client_token_validity", "UpdateUserPoolClient", w.client(IdTokenValidity=5)
    yield "client_refresh_validity", "UpdateUserPoolClient", w.client(RefreshTokenValidity=1)
    yield "client_rotation", "ours: DescribeUserPoolClient with rotation", w.instead("cognito-idp:DescribeUserPoolClient", set_to(UserPoolClient__RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}))
    yield "client_names_users", "UpdateUserPoolClient", w.client(PreventUserExistenceErrors="LEGACY")
    yield "client_without_revocation", "UpdateUserPoolClient", w.client(EnableTokenRevocation=False)
    yield "client_password_flow", "UpdateUserPoolClient", w.client(ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"])
    two = {"ClientSecrets": [{"ClientSecretId": str(i), "ClientSecretCreateDate": 1700000000 + i} for i in (1, 2)]}
    yield "former_secret_unknown", "ours: ListUserPoolClientSecrets names two", w.instead("cognito-idp:ListUserPoolClientSecrets", answers(two))
    former = f"/{STACK}/auth/former-secret"
    yield "former_secret_left", "PutParameter", w.doing(lambda: w.ssm.put_parameter(Name=former, Value="x" * 51, Type="SecureString"), lambda: w.ssm.delete_parameter(Name=former))

    yield "group_missing", "DeleteGroup", w.doing(lambda: c.delete_group(**group("admins")), lambda: (c.create_group(**group("admins")), c.admin_add_user_to_group(**user, GroupName="admins")))
    yield "user_missing", "ours: AdminGetUser finds none", w.instead("cognito-idp:AdminGetUser", fails("UserNotFoundException"))
    yield "user_disabled", "AdminDisableUser", w.doing(lambda: c.admin_disable_user(**user), lambda: c.admin_enable_user(**user))
    yield "user_unconfirmed", "AdminSetUserPassword", w.doing(lambda: c.admin_set_user_password(**user, Password=rehearse.PASSWORD, Permanent=False), lambda: c.admin_set_user_password(**user, Password=rehearse.PASSWORD, Permanent=True))
    yield "user_email_unverified", "AdminUpdateUserAttributes", w.doing(lambda: verified("false"), lambda: verified("true"))
    yield "user_too_large", f"CreateGroup and AdminAddUserToGroup, {len(many)} times", w.doing(crowd, disperse)

    yield "parameter_missing", "DeleteParameter", w.parameter(lambda _: None)
    yield "parameter_malformed", "PutParameter", w.parameter(lambda text: text.replace('"v"', '"version"', 1))
    yield "parameter_stale", "PutParameter", w.parameter(told(client_id="1h57kf5cpq17m0eml12EXAMPLE"))
    yield "callback_missing", "ours: GetFunctionConfiguration names another role", w.instead("lambda:GetFunctionConfiguration", set_to(Role="arn:aws:iam::123456789012:role/other"))
    yield "callback_of_another_parameter", "UpdateFunctionConfiguration", w.variables(callback, AUTH_PARAMETER="/other/auth")

    yield "authorizer_missing", "DeleteAlias", w.doing(lambda: l.delete_alias(FunctionName=w.function, Name="live"), lambda: l.create_alias(FunctionName=w.function, Name="live", FunctionVersion="$LATEST"))
    yield "authorizer_settings_malformed", "UpdateFunctionConfiguration", w.variables(AUTH_SIMPLE_RESPONSES="perhaps")
    yield "authorizer_settings_stale", "UpdateFunctionConfiguration", w.variables(AUTH_RULES="* /* signed-in")
    yield "authorizer_version_old", "PublishVersion, UpdateAlias, then UpdateFunctionConfiguration", w.doing(old_version, new_version)
    yield "authorizer_not_invocable", "RemovePermission", w.doing(lambda: l.remove_permission(FunctionName=w.function, Qualifier="live", StatementId=statement["Sid"]), permit)
    yield "concurrency_zero", "PutFunctionConcurrency", w.doing(lambda: l.put_function_concurrency(FunctionName=w.function, ReservedConcurrentExecutions=0), lambda: l.delete_function_concurrency(FunctionName=w.function))
    yield "concurrency_small", "ours: GetAccountSettings of a new account", w.instead("lambda:GetAccountSettings", answers({"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}))
    yield "jwks_unreachable", "the function's AUTH_JWKS_URL", w.variables(AUTH_JWKS_URL=f"http://127.0.0.1:1/{w.pool}/.well-known/jwks.json")
    yield "jwks_of_another_pool", "the function's AUTH_JWKS_URL", w.variables(AUTH_JWKS_URL=f"{w.proxy.url}/{w.trusted}/.well-known/jwks.json")
    yield "jwks_snapshot_stale", "the function's AUTH_JWKS", w.variables(AUTH_JWKS='{"keys":[{"kid":"former"}]}')
    yield "trusted_pool_unreachable", "ours: the key set of the trusted pool is gone", w.instead(f"other:GET /{w.trusted}/.well-known/jwks.json", fails("Gone", 410))

    yield "authorizer_unknown_to_api", "UpdateAuthorizer", w.authorizer_settings("/authorizerUri", w.uri.replace(":live", ""), w.uri)
    yield "authorizer_cached", "ours: GetAuthorizers says 300 s", w.instead("apigateway:GET /restapis/*/authorizers", altered(lambda v: v["item"][0].update(authorizerResultTtlInSeconds=300)))
    yield "authorizer_with_identity_source", "UpdateAuthorizer", w.authorizer_settings("/identitySource", "method.request.header.Cookie", "")
    yield "route_without_authorizer", "PutMethod", w.route("/api/{proxy+}", "NONE")
    yield "login_behind_authorizer", "PutMethod", w.route("/auth/{proxy+}", "CUSTOM")
    yield "login_without_route", "DeleteMethod", w.without_route("/auth/{proxy+}")
    yield "rule_without_route", "DeleteMethod", w.without_route("/{proxy+}")
    yield "gateway_response_missing", "DeleteGatewayResponse", w.response("AUTHORIZER_FAILURE")
    yield "gateway_response_altered", "PutGatewayResponse", w.response("ACCESS_DENIED", statusCode="403")
    yield "throttle_zero", "UpdateStage", w.stage_settings("rateLimit", "0", "500")
    yield "stage_logs_tokens", "UpdateStage", w.stage_settings("dataTrace", "true", "false", "logging")
    yield "execute_api_open", "ours: GetRestApi says that it is on", w.instead("apigateway:GET /restapis/*", set_to(disableExecuteApiEndpoint=False))
    yield "name_unknown_to_gateway", "ours: GetDomainName finds none", w.instead("apigateway:GET /domainnames/*", fails("NotFoundException", 404))
    yield "name_not_mapped", "DeleteBasePathMapping", w.doing(lambda: w.apigateway.delete_base_path_mapping(**mapping), lambda: w.apigateway.create_base_path_mapping(domainName=HOST, restApiId=w.api, stage="Prod"))
    cert = lambda **says: w.instead("acm:DescribeCertificate", set_to(**{f"Certificate__{k}": v for k, v in says.items()}))
    yield "certificate_invalid", "ours: DescribeCertificate says PENDING_VALIDATION", cert(Status="PENDING_VALIDATION")
    yield "certificate_invalid", "ours: DescribeCertificate names another host", cert(DomainName="other.example.com", SubjectAlternativeNames=["other.example.com"])
    yield "certificate_invalid", "ours: DescribeCertificate has one that ends in five days", cert(NotAfter=time.time() + 5 * 86400)
    yield "name_not_resolved", "ours: a name server that does not know it", w.doing(w.names.known.clear, lambda: w.names.known.update({HOST: "127.0.0.1"}))

    yield "url_unreachable", "an address at which nobody listens", w.elsewhere("http://127.0.0.1:1")
    yield "clock_off", "ours: the application's Date is nine minutes behind", w.skewed(-540)
    yield "door_open", "ours: an application that lets everybody in", w.site_says(program=(200, {}, b"welcome"))
    yield "door_fails", "ours: an application whose authorizer fails", w.site_says(program=(500, {}, b""))
    yield "browser_not_sent_to_login", "ours: an application without the redirect", w.site_says(browser=(401, {}, b""))
    yield "login_fails", "ours: a callback that fails", w.site_says(login=(502, {}, b""))

    yield "log_without_retention", "DeleteRetentionPolicy", w.doing(lambda: w.logs.delete_retention_policy(logGroupName=log), lambda: w.logs.put_retention_policy(logGroupName=log, retentionInDays=30))
    yield "alarm_without_topic", "PutMetricAlarm", w.doing(lambda: alarm_actions([]), lambda: alarm_actions([TOPIC]))
    state = lambda value: w.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=value, StateReason="seeded")
    yield "alarm_rings", "SetAlarmState", w.doing(lambda: state("ALARM"), lambda: state("OK"))
    yield "concurrency_exhausted", "PutMetricData", w.doing(throttle, lambda: None)  # nothing takes a measurement back: this one is last


# ---------------------------------------------------------------- the examination


def examine(w, *more):
    environment = dict(w.aws.environment, AWS_ENDPOINT_URL=w.proxy.url, PATH="/usr/bin:/bin", HOME="/nonexistent")
    done = subprocess.run([ROOT / "build/edgeauth", "doctor", "-stack", STACK, "-url", w.site.url, "-user", USER, "-dns", w.names.address, "-json", *more], env=environment, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"FAILED: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def explain(w, folder):
    """Asks the authorizer of this machine, by the settings of the deployed one, what it makes of three requests."""
    environment = dict(w.aws.environment, AWS_ENDPOINT_URL=w.proxy.url, PATH="/usr/bin:/bin", HOME="/nonexistent")
    claims = folder / "claims.json"
    for groups, path, code, why in [(None, "/admin/x", 1, "no_session"), ([], "/admin/x", 1, "group_required"), (["admins"], "/admin/x", 0, "ok")]:
        claims.write_text(json.dumps({"cognito:groups": groups}))
        command = [ROOT / "build/edgeauth", "explain", "-stack", STACK, "-json", "GET", path] + (["-claims", claims] if groups is not None else [])
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        got = json.loads(done.stdout or "{}")
        if done.returncode != code or got.get("reason") != why:
            raise SystemExit(f"FAILED: explain {path} {groups}: {done.returncode} {got.get('reason')} {done.stderr}")
    print("explain: the deployed rules, by a binary of this machine", flush=True)


def found(report):
    return [f["code"] for f in report["findings"]]


def run(folder):
    failures, rows = [], []
    with MiniStack() as aws:
        proxy = Proxy(aws.port)
        w = World(aws, proxy)
        w.names = Names()
        rehearse.prepare(folder)
        w.deploy(folder)
        w.make_healthy()
        w.uri = next(a["authorizerUri"] for a in w.apigateway.get_authorizers(restApiId=w.api)["items"])
        here = dict(AWS_ENDPOINT_URL=proxy.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
        given = {n: w.lambda_.get_function_configuration(FunctionName=r)["Environment"]["Variables"] for n, r in [("authorizer", w.function), ("CallbackFunction", w.resources["CallbackFunction"][1])]}
        authorizer, callback = (rehearse.Lambda(n, {**v, **here}) for n, v in given.items())
        w.site = Site(authorizer, callback)
        try:
            code, report = examine(w)
            if code or report["findings"] or report["unknown"]:
                raise SystemExit("FAILED: a healthy stack, and yet\n" + json.dumps(report, indent=2))
            healthy = report["fine"]
            print(f"healthy: {healthy} rules, not one complaint", flush=True)
            asked = sorted(set(proxy.calls))
            explain(w, folder)
            only = sys.argv[1:]
            for name, how, seeded in faults(w):
                if only and name not in only:
                    continue
                with seeded:
                    code, report = examine(w)
                if found(report) != [name]:
                    failures.append(f"{name}: found {found(report)}")
                    print(f"  FAILED  {failures[-1]} {json.dumps(report['findings'])}", flush=True)
                    continue
                one = report["findings"][0]
                if code != (1 if one["severity"] == "fault" else 3 if report["unknown"] else 0):
                    failures.append(f"{name}: exit code {code}")
                rows.append((name, one["severity"], how, one["seen"][0]))
                print(f"  ok  {name}: {one['seen'][0]}", flush=True)
            if not only:
                failures += permissions(w, [c for c in asked if not c.startswith(("other:", "cloudformation:"))])
        finally:
            authorizer.stop()
            callback.stop()
        names = {w.pool: "pool", w.trusted: "trusted pool", w.client_id: "client", w.api: "api", proxy.url: "stand-in"}
        with urllib.request.urlopen(f"{proxy.url}/{w.pool}/.well-known/jwks.json") as keys:
            names |= {k["kid"]: "key" for k in json.load(keys)["keys"]}
        names |= {w.resources[r][1]: r.rpartition("/")[2] for r in ("CallbackLogs", "EdgeAuth/CannotTellAlarm", "EdgeAuth/UserPoolDomain", "CallbackFunctionRole")}
    return failures, rows, names, healthy


def document(rows, names, rules):
    """Writes the table of docs/doctor.md, and returns whether it was right already."""
    page = ROOT / "docs/doctor.md"
    order = [r["code"] for r in rules]
    ought = {r["code"]: r["ought"] for r in rules}
    lines = ["| fault | | ought to be | seeded how | found in which words |", "|---|---|---|---|---|"]
    for name, severity, how, seen in sorted(rows, key=lambda r: order.index(r[0])):
        for value in sorted(names, key=len, reverse=True):
            seen = seen.replace(value, f"<{names[value]}>")
        cell = lambda text: text.replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| `{name}` | {severity} | {cell(re.sub(r'[$]([A-Z]+)', lambda m: '<' + m[1].lower() + '>', ought[name]))} | {cell(how)} | {cell(seen)} |")
    text = page.read_text()
    now = re.sub(r"(?s)<!-- seeded -->\n.*<!-- end -->", lambda _: "<!-- seeded -->\n" + "\n".join(lines) + "\n<!-- end -->", text)
    page.write_text(now)
    return now == text


def permissions(w, calls):
    """Every question refused in turn: no fault may come of it, and something must be said about it."""
    failures = []
    for call in calls:
        with w.proxy.answering(call, fails("AccessDeniedException", 403)):
            code, report = examine(w)
        told = [u["code"] for u in report["unknown"] if any(n.startswith(call + ": ") for n in u["needs"])]
        extra = [c for c in found(report) if c != "concurrency_exhausted"]
        if extra or not told:
            failures.append(f"without {call}: found {extra}, cannot tell {told}")
    print(f"{len(calls)} permissions, each refused in turn", flush=True)
    return failures


def main():
    started = time.time()
    with tempfile.TemporaryDirectory() as folder:
        failures, rows, names, healthy = run(Path(folder))
    print(f"{len(rows)} faults found by name, {time.time() - started:.0f} s")
    if not failures and not sys.argv[1:]:
        rules = json.loads(subprocess.run([ROOT / "build/edgeauth", "doctor", "-list", "-json"], capture_output=True, check=True).stdout)
        failures += [f"no fault of the name {r['code']} was seeded" for r in rules if r["code"] not in {row[0] for row in rows}]
        if not document(rows, names, rules):
            failures.append("docs/doctor.md did not say so; it does now")
    if failures:
        raise SystemExit("FAILED:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
