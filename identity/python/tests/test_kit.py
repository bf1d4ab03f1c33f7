"""The kit as backends use it: literal events through real frameworks, whole, forged and in part."""

import base64
import contextlib
import copy
import io
import json
import re
import unittest
from pathlib import Path

import apig_wsgi
import fastapi
import flask
import mangum
import serverless_wsgi
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response

import edgeauth_identity
import edgeauth_identity.asgi
import edgeauth_identity.fastapi
import edgeauth_identity.powertools
import edgeauth_identity.wsgi
from edgeauth_identity import Anonymous, NoCaller, caller, optional

PACKAGE = Path(__file__).parent.parent
EVENTS = {name: json.loads((PACKAGE.parent / "testdata" / f"{name}.json").read_text("utf-8")) for name in ("rest", "http1", "http2")}

ALICE = edgeauth_identity.Identity(
    iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example01",
    sub="9c1f4a52-0000-4000-8000-000000000001",
    username="alice",
    email="alice@example.com",
    groups=("admins", "zoë"),
    scopes=(),
    token_use="id",
    client_id="1example23456789",
    exp=1893456000,
    auth_time=1893452400,
    claims={"custom:tenant": "göld"},
)


def event(name, path="/me", authorizer=None):
    e = copy.deepcopy(EVENTS[name])
    if name == "http2":
        e["rawPath"] = e["requestContext"]["http"]["path"] = "/Prod" + path
    else:
        e["path"] = "/Prod" + path if name == "http1" else path
        e["requestContext"]["path"] = "/Prod" + path
    if authorizer is not None:
        e["requestContext"]["authorizer"] = authorizer
    return e


def encoded(who):
    return base64.urlsafe_b64encode(json.dumps(who).encode()).decode().rstrip("=")


def spoiled():
    """Yield contexts that name no caller, each with what is wrong with it."""
    good = EVENTS["rest"]["requestContext"]["authorizer"]
    who = json.loads(base64.urlsafe_b64decode(good["identity"] + "=="))
    yield "nothing", {}
    yield "a null", {"lambda": None}
    yield "text", "admin"
    yield "a principal alone", {"principalId": "alice"}
    yield "a JWT authorizer's", {"jwt": {"claims": {"sub": "alice", "token_use": "id"}, "scopes": None}}
    yield "a Cognito authorizer's", {"claims": {"sub": "alice", "cognito:groups": "admins"}}
    yield "an IAM authorizer's", {"iam": {"userId": "AIDA", "accessKey": "ASIA"}}
    yield "the flat keys alone", {k: v for k, v in good.items() if k != "identity"}
    yield "no version", {k: v for k, v in good.items() if k != "v"}
    yield "another version", {**good, "v": "2"}
    yield "another version inside", {**good, "identity": encoded({**who, "v": "2"})}
    for text in ("", "e30", "!!!", good["identity"][:-7], encoded([]), encoded("x"), encoded(None)):
        yield f"identity {text[:8]!r}", {**good, "identity": text}
    yield "identity of another type", {**good, "identity": who}
    for name in ("v", "iss", "sub", "username", "email", "groups", "scopes", "token_use", "client_id", "exp"):
        yield "without " + name, {**good, "identity": encoded({k: v for k, v in who.items() if k != name})}
        yield "null for " + name, {**good, "identity": encoded({**who, name: None})}
    for name, value in (
        ("iss", ""), ("sub", ""), ("sub", 7), ("client_id", ""), ("username", {}), ("email", True), ("groups", "admins"), ("groups", [""]), ("groups", [7]),
        ("scopes", {}), ("token_use", "refresh"), ("exp", "1893456000"), ("exp", 0), ("exp", True), ("auth_time", ""), ("auth_time", -1), ("claims", []),
    ):
        yield f"{name} {value!r}", {**good, "identity": encoded({**who, name: value})}


def kinds():
    """Yield every way in which each kind of API hands a context on."""
    for name in EVENTS:
        yield name, (lambda authorizer: {"lambda": authorizer}) if name == "http2" else (lambda authorizer: authorizer)


class Decoder(unittest.TestCase):
    def test_whole(self):
        for name in EVENTS:
            with self.subTest(name):
                self.assertEqual(caller(EVENTS[name]), ALICE)

    def test_spoiled(self):
        for name, at in kinds():
            for wrong, authorizer in spoiled():
                with self.subTest(f"{name}: {wrong}"), self.assertRaises(NoCaller):
                    caller(event(name, authorizer=at(authorizer)))
        for odd in ({}, {"requestContext": None}, {"requestContext": {}}, None, []):
            with self.subTest(odd), self.assertRaises(NoCaller):
                caller(odd)

    def test_anyone_may_be_nobody(self):
        good = EVENTS["rest"]["requestContext"]["authorizer"]
        nobody = dict.fromkeys(good, "") | {"v": "1", "anonymous": "true"}
        for context in nobody, {"lambda": nobody}, good | {"anonymous": "true"}:
            with self.assertRaises(Anonymous):
                caller(event("rest", authorizer=context))
        for context in nobody | {"v": "2"}, nobody | {"anonymous": ""}:
            with self.assertRaises(NoCaller) as raised:
                caller(event("rest", authorizer=context))
            self.assertIs(type(raised.exception), NoCaller)
        self.assertIsNone(optional(event("rest", authorizer=nobody)))
        self.assertEqual(optional(event("rest")), ALICE)
        with self.assertRaises(NoCaller):
            optional(event("rest", authorizer={}))

    def test_a_member_that_is_added_later_changes_nothing(self):
        good = EVENTS["rest"]["requestContext"]["authorizer"]
        who = json.loads(base64.urlsafe_b64decode(good["identity"] + "=="))
        self.assertEqual(caller(event("rest", authorizer={**good, "identity": encoded({**who, "amr": ["mfa"]})})), ALICE)

    def test_who_it_is(self):
        self.assertTrue(ALICE.has("nobody", "admins"))
        self.assertFalse(ALICE.has("admin") or ALICE.has("") or ALICE.has())
        self.assertFalse(ALICE.machine)
        self.assertTrue(edgeauth_identity.Identity("i", "c", "", "", (), ("reports/read",), "access", "c", 1).machine)

    def test_version(self):
        go = (PACKAGE.parent / "identity.go").read_text("utf-8")
        contract = re.search(r'const Version = "(\d+)"', go)[1]
        package = re.search(r'^version = "(\d+)\.', (PACKAGE / "pyproject.toml").read_text("utf-8"), re.M)[1]
        self.assertEqual((contract, package), (edgeauth_identity.VERSION, edgeauth_identity.VERSION))


class Frameworks(unittest.TestCase):
    """Each framework says who it is at /me, counts its calls, and has one answer of its own that may be stored."""

    def flask(self, adapter, middleware=edgeauth_identity.wsgi.Require):
        app = flask.Flask("kit")
        self.calls = 0

        @app.get("/<path:path>")
        def me(path):
            self.calls += 1
            who = flask.request.environ["edgeauth.identity"]
            return flask.Response(who.email if who else "nobody", headers={"Cache-Control": "max-age=60"} if path.endswith("stored") else {})

        app.wsgi_app = middleware(app.wsgi_app)
        return adapter(app)

    def fastapi(self, middleware=edgeauth_identity.asgi.Require):
        app = fastapi.FastAPI()
        self.calls = 0

        @app.get("/open")
        def anybody(who: edgeauth_identity.fastapi.OptionalCaller):
            return fastapi.Response(who.email if who else "nobody")

        @app.get("/{path:path}")
        @app.get("/nobody", dependencies=[fastapi.Depends(edgeauth_identity.fastapi.in_group("nobody", "none"))])
        @app.get("/admin", dependencies=[fastapi.Depends(edgeauth_identity.fastapi.in_group("admins"))])
        def me(who: edgeauth_identity.fastapi.Caller, path: str = ""):
            self.calls += 1
            return fastapi.Response(who.email, headers={"Cache-Control": "max-age=60"} if path.endswith("stored") else {})

        return mangum.Mangum(middleware(app), lifespan="off", api_gateway_base_path="/Prod")

    def powertools(self, resolver, middleware=edgeauth_identity.powertools.require):
        app = resolver()
        self.calls = 0

        @app.get("/.+")
        def me():
            self.calls += 1
            stored = app.current_event.path.endswith("stored")
            who = app.context["identity"]
            return Response(200, "text/plain", who.email if who else "nobody", headers={"Cache-Control": "max-age=60"} if stored else {})

        app.use(middlewares=[middleware])
        return app.resolve

    def every(self):
        for name, at in kinds():
            yield "apig-wsgi", name, at, self.flask(apig_wsgi.make_lambda_handler)
            yield "serverless-wsgi", name, at, self.flask(lambda app: lambda e, c: serverless_wsgi.handle_request(app, e, c))
            yield "FastAPI", name, at, self.fastapi()
            yield "Powertools", name, at, self.powertools(APIGatewayHttpResolver if name == "http2" else APIGatewayRestResolver)

    def ask(self, handler, e):
        with contextlib.redirect_stderr(io.StringIO()):
            answer = handler(e, type("Context", (), {"aws_request_id": "r-1"})())
        headers = {k.lower(): v for k, v in answer.get("headers", {}).items()}
        headers |= {k.lower(): v[-1] for k, v in answer.get("multiValueHeaders", {}).items()}
        body = base64.b64decode(answer["body"]).decode() if answer.get("isBase64Encoded") else answer["body"]
        return answer["statusCode"], headers, body

    def test_a_caller_gets_through(self):
        for framework, name, _, handler in self.every():
            with self.subTest(f"{framework}, {name}"):
                status, headers, body = self.ask(handler, event(name))
                self.assertEqual((status, body, headers["cache-control"]), (200, "alice@example.com", "no-store"))
                status, headers, _ = self.ask(handler, event(name, "/stored"))
                self.assertEqual((status, headers["cache-control"]), (200, "max-age=60"))

    def test_nobody_else_does(self):
        for framework, name, at, handler in self.every():
            for wrong, authorizer in spoiled():
                if not isinstance(authorizer, dict):
                    continue  # not every adapter survives what no API sends
                with self.subTest(f"{framework}, {name}: {wrong}"):
                    status, headers, body = self.ask(handler, event(name, authorizer=at(authorizer)))
                    self.assertEqual((status, headers["cache-control"]), (401, "no-store"))
                    self.assertEqual(json.loads(body), {"message": "Unauthorized", "reason": "no_session"})
            self.assertEqual(self.calls, 0, framework)

    def test_an_anonymous_request_goes_on_where_it_is_wanted(self):
        good = EVENTS["rest"]["requestContext"]["authorizer"]
        nobody = dict.fromkeys(good, "") | {"v": "1", "anonymous": "true"}
        for name, at in kinds():
            resolver = APIGatewayHttpResolver if name == "http2" else APIGatewayRestResolver
            for framework, strict, lenient in (
                ("Flask", self.flask(apig_wsgi.make_lambda_handler), self.flask(apig_wsgi.make_lambda_handler, edgeauth_identity.wsgi.Optional)),
                ("FastAPI", self.fastapi(), self.fastapi(edgeauth_identity.asgi.Optional)),
                ("Powertools", self.powertools(resolver), self.powertools(resolver, edgeauth_identity.powertools.optional)),
            ):
                with self.subTest(f"{framework}, {name}"):
                    anonymous, alice, bare = event(name, "/open", at(nobody)), event(name, "/open"), event(name, "/open", at({}))
                    self.assertEqual(self.ask(strict, anonymous)[0], 401)
                    self.assertEqual(self.ask(strict, alice)[2], "alice@example.com")
                    status, headers, body = self.ask(lenient, anonymous)
                    self.assertEqual((status, headers["cache-control"], body), (200, "no-store", "nobody"))
                    self.assertEqual(self.ask(lenient, alice)[2], "alice@example.com")
                    self.assertEqual(self.ask(lenient, bare)[0], 401)
        # A route that wants a caller wants one behind Optional too.
        self.assertEqual(self.ask(self.fastapi(edgeauth_identity.asgi.Optional), event("rest", "/me", nobody))[0], 401)

    def test_groups_in_fastapi(self):
        handler = self.fastapi()
        self.assertEqual([self.ask(handler, event("rest", path))[0] for path in ("/admin", "/nobody")], [200, 403])


class Bare(unittest.TestCase):
    """What no framework sends: requests that came past every adapter."""

    def test_wsgi_without_event(self):
        environ, started = {"HTTP_EDGEAUTH.IDENTITY": "x", "edgeauth.identity": ALICE}, []
        body = edgeauth_identity.wsgi.Require(lambda *_: self.fail("got through"))(environ, lambda status, headers: started.append(status))
        self.assertEqual((started, json.loads(b"".join(body))["reason"]), (["401 Unauthorized"], "no_session"))
        self.assertNotIn("edgeauth.identity", environ)

    def test_wsgi_with_an_event_from_elsewhere(self):
        seen = []
        app = edgeauth_identity.wsgi.Require(lambda environ, _: seen.append(environ["edgeauth.identity"]) or [], event=lambda environ: environ["mine"])
        app({"mine": EVENTS["rest"]}, lambda *_: None)
        self.assertEqual(seen, [ALICE])

    def asgi(self, scope):
        sent, reached = [], []

        async def app(scope, receive, send):
            reached.append(scope.get("edgeauth.identity"))

        async def send(message):
            sent.append(message)

        coroutine = edgeauth_identity.asgi.Require(app)(scope, None, send)
        with self.assertRaises(StopIteration):
            coroutine.send(None)
        return reached, sent

    def test_asgi_scopes(self):
        self.assertEqual(self.asgi({"type": "lifespan"}), ([None], []))
        self.assertEqual(self.asgi({"type": "http", "aws.event": EVENTS["http2"]}), ([ALICE], []))
        self.assertEqual(self.asgi({"type": "websocket", "aws.event": EVENTS["rest"]}), ([ALICE], []))
        self.assertEqual(self.asgi({"type": "websocket", "edgeauth.identity": ALICE}), ([], [{"type": "websocket.close", "code": 1008}]))
        reached, sent = self.asgi({"type": "http", "edgeauth.identity": ALICE})
        self.assertEqual((reached, sent[0]["status"]), ([], 401))


if __name__ == "__main__":
    unittest.main()
