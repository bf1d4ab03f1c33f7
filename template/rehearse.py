"""Deploys template.yaml into MiniStack by `sam deploy`, then signs a user in: the callback and authorizer binaries of build/here, with the environment that
the deployment gave them, read their parameter and client from it and exchange the code with it.

Everything listens on 127.0.0.1. What has to differ from AWS is in the places marked SUBSTITUTE, and is written into the transcript.
"""

import base64
import html
import http.client
import http.cookies
import http.server
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

import adopt

ROOT = Path(__file__).parent.parent
REGION, STACK = "eu-west-1", "edgeauth"
CODE = {"authorizer": "EdgeAuth/AuthorizerFunction", "CallbackFunction": "CallbackFunction", "DashboardFunction": "DashboardFunction", "ApiFunction": "ApiFunction"}
USER, PASSWORD = "alice@example.com", "Correct-Horse-7-Battery"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/rehearsal"

lines, names = [], {}


def tell(line=""):
    """Writes a line of the transcript, with a name in place of every value that differs from run to run."""
    for value in sorted(names, key=len, reverse=True):
        line = line.replace(value, f"<{names[value]}>")
    lines.append(line)
    print(line, flush=True)


def check(condition, line, *seen):
    if not condition:
        raise SystemExit("\n".join([f"FAILED: {line}", *map(str, seen)]))
    tell(f"  ok  {line}")


# ---------------------------------------------------------------- the stand-in


class MiniStack:
    def __enter__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = tempfile.TemporaryDirectory()
        environment = dict(
            PATH=os.environ["PATH"], HOME=self.home.name, GATEWAY_PORT=str(self.port), EDGE_PORT=str(self.port), BIND_HOST="127.0.0.1",
            IOT_MTLS_ENABLED="0", AWS_DEFAULT_REGION=REGION, LOG_LEVEL="WARNING",
        )
        self.process = subprocess.Popen(["ministack"], env=environment, cwd=self.home.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + "/_ministack/health")
                return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("FAILED: MiniStack did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.home.cleanup()

    @property
    def environment(self):
        """What makes AWS's own tools speak to it."""
        return dict(AWS_ENDPOINT_URL=self.url, AWS_DEFAULT_REGION=REGION, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", SAM_CLI_TELEMETRY="0")

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")


def zipped(name, folder):
    """The code of a function as a zip file, which `sam build` and `sam deploy` take as it is."""
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as z:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        z.writestr(entry, (ROOT / "build/here" / CODE[name] / "bootstrap").read_bytes())
    return f"{name}.zip"


def prepare(folder):
    """The templates with their code beside them, as a release has them."""
    template, part = (ROOT / "template.yaml").read_text(), (ROOT / "edgeauth.yaml").read_text()
    for name in CODE:
        if name == "authorizer":
            part, n = re.subn(r"(?m)^      Code: \.$", f"      Code: {zipped(name, folder)}", part)
        else:
            template, n = re.subn(rf"(\n  {name}:\n(?:    .*\n|\n)*?      CodeUri: )\.\n", rf"\g<1>{zipped(name, folder)}\n", template)
        assert n == 1, name
    (folder / "template.yaml").write_text(template)
    (folder / "edgeauth.yaml").write_text(substitute(part))


def substitute(part):
    # SUBSTITUTE 1 to 3: what MiniStack does not know.
    part, n = re.subn(r"\n  LoginBranding:(?:.*\n)+?\n", "\n", part)
    tell(f"  without LoginBranding: MiniStack has no AWS::Cognito::ManagedLoginBranding ({n} resource)")
    was, is_ = "!GetAtt UserPool.ProviderURL", "!Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}'"
    tell(f"  with the issuer written out: MiniStack has no attribute ProviderURL ({part.count(was)} places)")
    part, n = re.subn(r"Validity: !Ref (?:SessionMinutes|RefreshDays)", "Validity: 30", part)
    tell(f"  with token validities written out: MiniStack hands a parameter of type Number on as text, which AWS's SDK for Go refuses ({n} places)")
    return part.replace(was, is_)


class Refused(Exception):
    """CloudFormation would not begin."""


def deploy(aws, folder, stack=STACK, template="template.yaml", **parameters):
    """Deploys by the SAM CLI, and returns outputs and resources, those of nested stacks as EdgeAuth/UserPool."""
    command = ["sam", "deploy", "--template-file", template, "--stack-name", stack, "--resolve-s3", "--region", REGION, "--no-confirm-changeset", "--no-progressbar",
               "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--on-failure", "DO_NOTHING"]
    if parameters:
        command += ["--parameter-overrides", *[f"{k}={v}" for k, v in parameters.items()]]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ, **aws.environment), capture_output=True, text=True)
    cf = aws.client("cloudformation")
    said = done.stdout + done.stderr
    try:
        found = cf.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError:
        raise Refused(said) from None
    if done.returncode or found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        if "Parameter" in said and "ValidationError" in said or found["StackStatus"].startswith("REVIEW"):
            raise Refused(said)
        for e in cf.describe_stack_events(StackName=stack)["StackEvents"]:
            if "FAILED" in e["ResourceStatus"]:
                print(e["LogicalResourceId"], e.get("ResourceStatusReason"))
        raise SystemExit(f"FAILED: {stack} is {found['StackStatus']}\n{said}")
    return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}, resources_of(cf, stack)


def resources_of(cf, stack, prefix=""):
    found = {}
    for r in cf.describe_stack_resources(StackName=stack)["StackResources"]:
        found[prefix + r["LogicalResourceId"]] = (r["ResourceType"], r["PhysicalResourceId"])
        if r["ResourceType"] == "AWS::CloudFormation::Stack":
            found |= resources_of(cf, r["PhysicalResourceId"], prefix + r["LogicalResourceId"] + "/")
    return found


# ---------------------------------------------------------------- a Lambda: a binary and a Runtime API


class Lambda:
    """One function's process, answered by a Runtime API of its own: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    def __init__(self, name, variables):
        self.events, self.answers, self.log = queue.Queue(), queue.Queue(), []
        lambda_ = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path.endswith("/extension/event/next"):
                    return threading.Event().wait()  # no event ever comes
                event = lambda_.events.get()
                if event is None:
                    return self.send_error(500)
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000000")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 10) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:123456789012:function:{name}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                if "/runtime/" not in self.path:  # extensions are not modelled here
                    return self.send_error(404)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if self.headers.get("Content-Length") else self.chunks()
                if self.path.endswith("/extension/register"):
                    self.send_response(200)
                    self.send_header("Lambda-Extension-Identifier", "00000000-0000-0000-0000-000000000000")
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    return self.wfile.write(b"{}")
                lambda_.answers.put((self.path.rsplit("/", 1)[1], json.loads(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a process that was stopped leaves its poll behind
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        environment = dict(variables, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{self.server.server_port}", AWS_LAMBDA_FUNCTION_NAME=name, AWS_REGION=REGION)
        self.process = subprocess.Popen([ROOT / "build/here" / CODE.get(name, name) / "bootstrap"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()

    def __call__(self, event):
        self.events.put(event)
        while True:
            try:
                return self.answers.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None:
                    raise SystemExit("FAILED: the function ended:\n" + "".join(self.log)) from None

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.events.put(None)
        self.server.shutdown()


# ---------------------------------------------------------------- a browser


class Browser:
    """Cookies by path, and a REST API's events in place of a gateway. Below a host of one's own the stage is in no path."""

    def __init__(self, api, callback, stage):
        self.base, self.callback, self.stage, self.jar = urllib.parse.urlsplit(api).path, callback, stage, {}

    def cookies(self, path):
        return "; ".join(f"{n}={v}" for n, (v, p) in self.jar.items() if path == p or path.startswith(p.rstrip("/") + "/"))

    def event(self, url, method="GET", **headers):
        u = urllib.parse.urlsplit(url)
        stage = self.stage
        headers = {"Host": [u.netloc], "Accept": ["text/html"], "Sec-Fetch-Mode": ["navigate"], "Sec-Fetch-Dest": ["document"], "Sec-Fetch-Site": ["same-origin"], **{k.replace("_", "-"): [v] for k, v in headers.items()}}
        if sent := self.cookies(u.path):
            headers["Cookie"] = [sent]
        query = urllib.parse.parse_qs(u.query, keep_blank_values=True) or None
        path = u.path.removeprefix(self.base) or "/"
        resource = "/auth/{proxy+}" if path.startswith("/auth/") else "/api/{proxy+}" if path.startswith("/api/") else "/{proxy+}" if path != "/" else "/"
        return {
            "type": "REQUEST", "methodArn": f"arn:aws:execute-api:{REGION}:123456789012:{u.netloc.split('.')[0]}/{stage}/{method}{path}",
            "resource": resource, "path": path, "httpMethod": method, "headers": {k: v[-1] for k, v in headers.items()}, "multiValueHeaders": headers,
            "queryStringParameters": {k: v[-1] for k, v in query.items()} if query else None, "multiValueQueryStringParameters": query,
            "pathParameters": {"proxy": path.removeprefix(resource.removesuffix("{proxy+}"))} if resource.endswith("{proxy+}") else None, "stageVariables": None, "body": None, "isBase64Encoded": False,
            "requestContext": {
                "path": u.path, "stage": stage, "domainName": u.netloc, "httpMethod": method, "resourcePath": resource, "protocol": "HTTP/1.1", "accountId": "123456789012",
                "apiId": u.netloc.split(".")[0], "requestId": "rehearsal", "extendedRequestId": "rehearsal", "identity": {"sourceIp": "127.0.0.1"},
            },
        }

    def visit(self, url, method="GET", **headers):
        kind, answer = self.callback(self.event(url, method, **headers))
        if kind != "response":
            raise SystemExit(f"FAILED: {url}: {answer}\n" + "".join(self.callback.log))
        found = {k.lower(): v for k, v in (answer.get("multiValueHeaders") or {}).items()}
        for line in found.get("set-cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.jar.pop(name, None)
                if morsel["max-age"] not in ("0", "-1"):
                    self.jar[name] = (morsel.value, morsel["path"] or "/")
        body = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        location = found.get("location", [""])[0]
        if hop := re.search(r'data-to="([^"]*)"', body):  # the page that carries a fragment over, and then goes on
            location = html.unescape(hop[1])
        return answer["statusCode"], location, body


def fetch(url, form=None):
    """One request to MiniStack's own pages; redirects are shown, not followed."""
    u = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(u.netloc, timeout=20)
    target = u.path + ("?" + u.query if u.query else "")
    if form is None:
        connection.request("GET", target)
    else:
        connection.request("POST", target, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    r = connection.getresponse()
    return r.status, r.getheader("Location") or "", r.read().decode()


def fields(page):
    inputs = (dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page))
    return {i["name"]: i.get("value", "").replace("&amp;", "&") for i in inputs if "name" in i}


# ---------------------------------------------------------------- the rehearsal


def rehearse(folder):
    with MiniStack() as aws:
        prepare(folder)
        tell("$ sam deploy, once")
        outputs, resources = deploy(aws, folder)
        api, domain = resources["Api"][1], resources["EdgeAuth/UserPoolDomain"][1]
        names.update({api: "api", outputs["UserPoolId"]: "pool", outputs["ClientId"]: "client", domain: "domain", aws.url: "ministack"})
        tell(f"  CREATE_COMPLETE, {len(resources)} resources, in one pass")
        waits = [n for n in resources if n in ("CallbackFunction", "Api", "EdgeAuth", "EdgeAuth/UserPoolClient", "EdgeAuth/AuthorizerFunction", "EdgeAuth/AuthParameter")]
        tell("  order: " + ", ".join(waits))
        for name, value in outputs.items():
            tell(f"  {name}: {value}")

        tell()
        tell("$ what came up")
        cognito, lambdas, ssm = aws.client("cognito-idp"), aws.client("lambda"), aws.client("ssm")
        told = json.loads(ssm.get_parameter(Name=f"/{STACK}/auth")["Parameter"]["Value"])
        check(told["client_id"] == outputs["ClientId"] and told["base_urls"] == [outputs["Url"].rstrip("/")], f"parameter /{STACK}/auth: {json.dumps(told)}")
        c = cognito.describe_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=outputs["ClientId"])["UserPoolClient"]
        check(c["CallbackURLs"] == [outputs["Url"] + "auth/callback"], f"the client's one callback URL: {c['CallbackURLs'][0]}")
        check(c.get("ClientSecret") and c["AllowedOAuthFlows"] == ["code"], "the client has a secret and the code flow only")
        pool = cognito.describe_user_pool(UserPoolId=outputs["UserPoolId"])["UserPool"]
        check(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True, "strangers cannot register")
        given = variables(aws, resources, "EdgeAuth/AuthorizerFunction", "CallbackFunction")
        live = lambdas.get_alias(FunctionName=f"{STACK}-authorizer", Name="live")
        check(live["FunctionVersion"] == "$LATEST", "the alias live is what was deployed last")
        check(given["authorizer"]["AUTH_CLIENT_IDS"] == outputs["ClientId"], "the authorizer has the client's id in its environment")
        check(c["ClientSecret"] not in json.dumps([given, outputs, told]), "the client's secret is in no variable, output or parameter")

        cognito.admin_add_user_to_group(UserPoolId=outputs["UserPoolId"], Username=user_of(cognito, outputs["UserPoolId"]), GroupName="admins")
        tell()
        tell("$ sign in")
        tell("  login_url and jwks_url in the parameter, and AUTH_JWKS_URL, lead to MiniStack: no name here leads to AWS")
        walk(aws, STACK, given, outputs["Url"], "Prod")

        adopted(aws, folder, outputs["UserPoolId"])
        constructed(aws, folder)

        tell()
        tell("$ the parameters")
        variants(aws, folder, outputs["UserPoolId"])


def variables(aws, resources, authorizer, callback):
    """The environment that a deployment gave to the two functions."""
    lambdas = aws.client("lambda")
    found = {"authorizer": authorizer, "CallbackFunction": callback}
    return {n: lambdas.get_function_configuration(FunctionName=resources[r][1])["Environment"]["Variables"] for n, r in found.items()}


def user_of(cognito, pool):
    """Somebody in a pool, who has set a password."""
    cognito.admin_create_user(UserPoolId=pool, Username=USER, MessageAction="SUPPRESS", UserAttributes=[{"Name": "email", "Value": USER}, {"Name": "email_verified", "Value": "true"}])
    cognito.admin_set_user_password(UserPoolId=pool, Username=USER, Password=PASSWORD, Permanent=True)
    return USER


def walk(aws, name, given, url, stage):
    """Signs somebody in at a stack, by the real binaries on the environment that the deployment gave them."""
    ssm = aws.client("ssm")
    told = json.loads(ssm.get_parameter(Name=f"/{name}/auth")["Parameter"]["Value"])
    # SUBSTITUTE 4: no name server here answers for amazoncognito.com and amazonaws.com.
    keys = f"{aws.url}/{told['user_pool_id']}/.well-known/jwks.json"
    ssm.put_parameter(Name=f"/{name}/auth", Overwrite=True, Type="String", Value=json.dumps(dict(told, login_url=aws.url, jwks_url=keys)))
    here = dict(AUTH_JWKS_URL=keys, AWS_ENDPOINT_URL=aws.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    callback = Lambda("CallbackFunction", {**given["CallbackFunction"], **here})
    authorizer = Lambda("authorizer", {**given["authorizer"], **here})
    try:
        sign_in(aws, url, told["client_id"], stage, callback, authorizer)
    finally:
        callback.stop()
        authorizer.stop()
    client = aws.client("cognito-idp").describe_user_pool_client(UserPoolId=told["user_pool_id"], ClientId=told["client_id"])["UserPoolClient"]
    secrets = [PASSWORD, client["ClientSecret"]]
    check(not any(s in line for s in secrets for line in callback.log + authorizer.log), "no secret in any log line")


def released(application, folder):
    """An application of somebody's own, with the folder of a release beside its template."""
    shutil.copytree(application, folder, ignore=shutil.ignore_patterns("edgeauth"))
    (folder / "edgeauth").mkdir()
    (folder / "edgeauth/edgeauth.yaml").write_text((folder.parent / "edgeauth.yaml").read_text())
    for name, file in [("authorizer", "authorizer.zip"), ("CallbackFunction", "callback.zip")]:
        (folder / "edgeauth" / zipped(name, folder / "edgeauth")).rename(folder / "edgeauth" / file)
    return folder


def adopted(aws, folder, pool):
    """The applications that take the part in, each a stack of its own."""
    tell()
    tell("$ sam deploy of examples/your-app, with the pool of the demo")
    outputs, resources = deploy(aws, released(ROOT / "examples/your-app", folder / "your-app"), "your-app", UserPoolId=pool, LoginUrl="https://login.example.com")
    names[resources["Api"][1]] = "your-app"
    check("EdgeAuth/UserPool" not in resources, f"CREATE_COMPLETE, {len(resources)} resources, no pool of its own: {outputs['Url']}")
    walk(aws, "your-app", variables(aws, resources, "EdgeAuth/AuthorizerFunction", "CallbackFunction"), outputs["Url"], "Prod")

    tell()
    tell("$ sam deploy of a foreign application with a host of its own, to which the README's lines were added")
    outputs, resources = deploy(aws, released(adopt.application(folder / "before"), folder / "notes"), "notes", Certificate=CERTIFICATE)
    told = json.loads(aws.client("ssm").get_parameter(Name="/notes/auth")["Parameter"]["Value"])
    names.update({told["user_pool_id"]: "notes-pool", told["client_id"]: "notes-client"})
    check("EdgeAuth/UserPool" in resources, f"CREATE_COMPLETE, {len(resources)} resources: {outputs['Url']}")
    user_of(aws.client("cognito-idp"), told["user_pool_id"])
    walk(aws, "notes", variables(aws, resources, "EdgeAuth/AuthorizerFunction", "CallbackFunction"), outputs["Url"], "v1")


def constructed(aws, folder):
    """What the CDK makes of cdk/example."""
    tell()
    tell("$ sam deploy of what the CDK synthesises from cdk/example")
    (folder / "empty").mkdir()
    release, out = released(folder / "empty", folder / "construct") / "edgeauth", folder / "cdk.out"
    if not (ROOT / "cdk/node_modules").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=ROOT / "cdk", check=True)
    subprocess.run(["npx", "tsc"], cwd=ROOT / "cdk", check=True)
    subprocess.run(["node", "example/app.js"], cwd=ROOT / "cdk", env=dict(os.environ, RELEASE=str(release), OUT=str(out)), check=True)
    # SUBSTITUTE 5: `cdk bootstrap` and `cdk deploy`, which put assets into a bucket of the CDK's; the SAM CLI puts the same files into one of its own.
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="21")
    uploads = 0
    for file in [out / "orders.template.json", *out.glob("asset.*.yaml")]:
        text, n = re.subn(r'(?s)\{\s*"S3Bucket":.{1,120}?"S3Key":\s*"([0-9a-f]{64}\.zip)"\s*\}', r'"asset.\1"', file.read_text())
        text, m = re.subn(r'\{\s*"Fn::Sub":\s*"https://s3\.[^"]*/([0-9a-f]{64}\.yaml)"\s*\}', r'"asset.\1"', text)
        file.write_text(text)
        uploads += n + m
    tell(f"  with its assets uploaded by the SAM CLI in place of `cdk deploy` ({uploads} files)")
    _, resources = deploy(aws, out, "orders", "orders.template.json")
    told = json.loads(aws.client("ssm").get_parameter(Name="/orders/auth")["Parameter"]["Value"])
    (api,) = [p for n, (kind, p) in resources.items() if kind == "AWS::ApiGateway::RestApi"]
    names.update({api: "orders", told["user_pool_id"]: "orders-pool", told["client_id"]: "orders-client"})
    (url,) = told["base_urls"]
    check(api in url, f"CREATE_COMPLETE, {len(resources)} resources: {url}")
    user_of(aws.client("cognito-idp"), told["user_pool_id"])
    (authorizer,), (callback,) = ([n for n in resources if n.endswith("/AuthorizerFunction")], [n for n in resources if n.startswith("EdgeAuthCallback") and resources[n][0] == "AWS::Lambda::Function"])
    walk(aws, "orders", variables(aws, resources, authorizer, callback), url, "prod")


def sign_in(aws, url, client_id, stage, callback, authorizer):
    base = url.rstrip("/")
    browser = Browser(base, callback, stage)
    target = base + "/reports?q=1&q=%2F"

    kind, answer = authorizer(browser.event(target))
    location = answer["context"]["location"] if kind == "response" else ""
    check(answer["policyDocument"]["Statement"][0]["Effect"] == "Deny" and "/auth/login?return_to=" in location, f"authorizer, no cookie: Deny, location {location}")

    status, location, body = browser.visit(urllib.parse.urljoin(target, location))
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)
    check(status in (200, 302) and location.startswith(aws.url + "/oauth2/authorize?"), f"callback read its parameter and sends to {location.split('?')[0]}", status, body, *callback.log)
    check(asked["client_id"] == [client_id] and asked["code_challenge_method"] == ["S256"] and asked["nonce"] and asked["state"], "with the client's id, PKCE S256, state and nonce")

    status, where, page = fetch(location)
    if status == 302:
        status, where, page = fetch(urllib.parse.urljoin(location, where))
    form = dict(fields(page), username=USER, password=PASSWORD)
    status, where, page = fetch(aws.url + "/login", form)
    check(status == 302 and where.startswith(base + "/auth/callback?"), f"MiniStack's login page took the password: 302 {where.split('?')[0]}")

    status, location, body = browser.visit(where)
    check(status in (200, 302, 303) and "__Host-id" in browser.jar, f"callback exchanged the code with the client's secret, verified the ID token: {status}, cookies {', '.join(sorted(browser.jar))}", status, body, *callback.log)
    check("/reports?q=1&q=%2F" in (location or body), "and goes back to the page that was asked for, query and all")

    kind, answer = authorizer(browser.event(target))
    who = answer["context"] if kind == "response" else {}
    check(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow" and who["email"] == USER, f"authorizer, with the cookie: Allow, email {who.get('email')}, groups {who.get('groups')}")

    status, _, body = browser.visit(base + "/auth/session", Accept="application/json", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty")
    check(status == 200 and USER in body, "/auth/session knows who it is")

    status, _, body = browser.visit(base + "/auth/refresh", "POST", Accept="application/json", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty")
    check(status == 204, f"/auth/refresh renews: {status} {body[:80]}".rstrip())

    status, location, _ = browser.visit(base + "/auth/logout")
    check(status in (200, 302, 303) and "__Host-id" not in browser.jar, f"/auth/logout clears the cookies and goes to {location.split('?')[0]}")
    status, where, _ = fetch(location)
    check(status == 302 and where == base + "/auth/signed-out", f"which comes back to {where}")


def variants(aws, folder, pool):
    """Other choices of parameters, each a stack of its own."""
    refused = [
        ("AppDomain without its certificate", dict(AppDomain="app.example.com")),
        ("an origin that is none", dict(AllowedOrigin="example.com")),
        ("a choice that there is not", dict(LocalUsers="perhaps")),
    ]
    for what, parameters in refused:
        try:
            deploy(aws, folder, "refused", **parameters)
        except Refused:
            tell(f"  ok  refused before anything is made: {what}")
        else:
            raise SystemExit(f"FAILED: accepted {what}")

    # The same application with an existing pool: what is in the template, and no question.
    text = (folder / "template.yaml").read_text()
    anchor = "        BrandName: !Ref BrandName\n"
    assert text.count(anchor) == 1
    (folder / "borrowed.yaml").write_text(text.replace(anchor, anchor + f"        ExistingUserPoolId: {pool}\n        ExistingLoginUrl: https://login.example.com\n"))
    outputs, resources = deploy(aws, folder, "borrowed", "borrowed.yaml")
    check(outputs["UserPoolId"] == pool and "EdgeAuth/UserPool" not in resources, "existing pool: one more client, no pool of its own")

    outputs, resources = deploy(aws, folder, "domain", AppDomain="app.example.com", AppCertificateArn=CERTIFICATE)
    told = json.loads(aws.client("ssm").get_parameter(Name="/domain/auth")["Parameter"]["Value"])
    check(outputs["Url"] == "https://app.example.com/" and told["base_urls"] == ["https://app.example.com"], f"a host of one's own, in one pass: {outputs['Url']}")


def main():
    started = time.time()
    with tempfile.TemporaryDirectory() as folder:
        rehearse(Path(folder))
    print(f"{time.time() - started:.0f} s")
    document = ROOT / "docs/rehearsal.md"
    if document.exists():
        text = document.read_text()
        document.write_text(re.sub(r"(?s)```console\n.*?```", lambda _: "```console\n" + "\n".join(lines) + "\n```", text, count=1))


if __name__ == "__main__":
    main()
