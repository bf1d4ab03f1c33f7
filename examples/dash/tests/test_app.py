"""The application as its Lambda function: API Gateway's events in, answers out, without a browser."""

import base64
import copy
import gzip
import json
import os
import re
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "app"))
os.environ["BASE_PATH"] = "/Prod/"

import access  # noqa: E402
import data  # noqa: E402
from handler import lambda_handler  # noqa: E402

EVENT = json.loads((HERE.parent.parent / "identity" / "testdata" / "rest.json").read_text("utf-8"))
LIMIT = 6 * 1024 * 1024  # of what a function may answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


def caller(**changes):
    """Return the context that the authorizer would hand on for Alice, with changes."""
    handed = copy.deepcopy(EVENT["requestContext"]["authorizer"])
    who = json.loads(base64.urlsafe_b64decode(handed["identity"] + "==")) | {"auth_time": int(time.time()) - 60} | changes
    handed["identity"] = base64.urlsafe_b64encode(json.dumps({k: v for k, v in who.items() if v is not None}).encode()).decode().rstrip("=")
    return handed


ALICE, BOB = caller(), caller(sub="b", email="bob@example.com", groups=["staff"])


class Answer:
    def __init__(self, raw):
        self.size = len(json.dumps(raw))
        self.status = raw["statusCode"]
        self.headers = {k.lower(): v[-1] for k, v in raw["multiValueHeaders"].items()}
        self.body = base64.b64decode(raw["body"]) if raw["isBase64Encoded"] else raw["body"].encode()
        if self.headers.get("content-encoding") == "gzip":
            self.body = gzip.decompress(self.body)
        self.text = self.body.decode("utf-8", "replace")


def ask(path, authorizer=ALICE, method="GET", body=None, headers=(), query=None):
    e = copy.deepcopy(EVENT)
    e["path"], e["requestContext"]["path"], e["httpMethod"] = path, "/Prod" + path, method
    e["requestContext"]["authorizer"] = authorizer
    for name, value in (("Accept-Encoding", "gzip"), ("Content-Type", "application/json"), *headers):
        e["headers"][name], e["multiValueHeaders"][name] = value, [value]
    e["body"] = None if body is None else json.dumps(body)
    return Answer(lambda_handler(e, None))


def call(output, inputs, authorizer=ALICE, **kw):
    """Send what Dash's own script would send for a callback."""
    entry = lambda text: dict(zip(("id", "property"), text.rsplit(".", 1)))  # noqa: E731
    outputs = [entry(o) for o in output.strip(".").split("...")]
    return ask(
        "/_dash-update-component",
        authorizer,
        "POST",
        {
            "output": output,
            "outputs": outputs if output.startswith("..") else outputs[0],
            "inputs": [{**entry(name), "value": value} for name, value in inputs],
            "changedPropIds": [inputs[0][0]],
        },
        **kw,
    )


def page(path, authorizer=ALICE, search=""):
    """Fetch a page as the router in the browser does: by a callback."""
    return call(
        ".._pages_content.children..._pages_store.data..",
        [("_pages_location.pathname", "/Prod" + path), ("_pages_location.search", search)],
        authorizer,
    )


EARNINGS = ("earnings.children", [("earning-span.value", "365")])
EXPORT = ("file.data", [("export.n_clicks", 1)])
SITE = "site.children"


def site(name="farm", first="2026-05-01", last="2026-08-31", show="ratio"):
    return call(SITE, [("name.value", name), ("first.value", first), ("last.value", last), ("show.value", show)])


class Callers(unittest.TestCase):
    def test_nobody_gets_anything(self):
        everything = ["/", "/admins", "/_dash-layout", "/_dash-dependencies", "/assets/icon.png", "/assets/style.css", "/_favicon.ico",
                      "/_dash-component-suites/dash/dcc/dash_core_components.js"]  # fmt: skip
        for authorizer in ({}, None, {"principalId": "alice"}, {"claims": {"sub": "alice", "cognito:groups": "admins"}}):
            for path in everything:
                answer = ask(path, authorizer, headers=[("edgeauth.identity", "x"), ("X-Edgeauth-Identity", "x")])
                self.assertEqual((answer.status, answer.headers["cache-control"]), (401, "no-store"), path)
            for answer in (page("/", authorizer), call(*EARNINGS, authorizer), call(*EXPORT, authorizer)):
                self.assertEqual((answer.status, json.loads(answer.text)), (401, {"message": "Unauthorized", "reason": "no_session"}))

    def test_layouts_say_who_it_is(self):
        for who, email, admin in ((ALICE, "alice@example.com", True), (BOB, "bob@example.com", False)):
            frame = ask("/_dash-layout", who)
            self.assertIn(email, frame.text)
            self.assertEqual('"Admins"' in frame.text, admin)
            self.assertIn(email, page("/account", who).text)
            self.assertIn(email.split("@")[0], page("/", who).text)

    def test_the_admins_page_is_for_admins(self):
        self.assertIn("What the sites earn", page("/admins").text)
        for who in (BOB, caller(groups=["admin", "Admins", "admins2"]), caller(groups=[])):
            answer = page("/admins", who)
            self.assertIn("group_required", answer.text)
            self.assertNotIn("What the sites earn", answer.text)

    def test_and_so_are_its_callbacks(self):
        self.assertIn("Bus depot", call(*EARNINGS).text)
        self.assertIn("Bus depot", call(*EXPORT).text)
        for callback in (EARNINGS, EXPORT):
            answer = call(*callback, BOB)
            self.assertIn("members of admins", answer.text)
            self.assertNotIn("Bus depot", answer.text)

    def test_the_file_wants_a_recent_sign_in(self):
        for signed_in in (int(time.time()) - 700, None):
            answer = call(*EXPORT, caller(auth_time=signed_in))
            self.assertIn("the last five minutes", answer.text)
            self.assertNotIn("Bus depot", answer.text)

    def test_another_error_stays_an_error(self):
        self.assertEqual(call("nothing.children", [("nowhere.value", 1)]).status, 500)
        with self.assertRaises(ZeroDivisionError):
            access.tell(ZeroDivisionError())


class Pages(unittest.TestCase):
    def test_addresses(self):
        self.assertIn("What the sites made", call("..totals.children...plots.children..", [("span.value", "90"), ("sites.value", ["farm"])]).text)
        self.assertIn("Choose at least one site", call("..totals.children...plots.children..", [("span.value", "90"), ("sites.value", [])]).text)
        self.assertIn("There is nothing here", page("/nowhere").text)

    def test_a_deep_link_carries_the_view(self):
        text = page("/site", search="?name=farm&from=2026-05-01&to=2026-08-31&show=ratio").text
        for value in ("farm", "2026-05-01", "2026-08-31", "ratio"):
            self.assertIn(f'"value":"{value}"', text)
        self.assertIn("Marsh farm: 1,250 kWp. 123 days", site().text)
        text = page("/site", search="?from=1900-01-01&to=2100-01-01").text
        for value in (data.FIRST, data.LAST):
            self.assertIn(f'"value":"{value}"', text)

    def test_what_cannot_be_read_is_not_an_error(self):
        whole = f"{len(data.DAYS)} days"
        for first, last in (("x", None), ("2026-99-01", "2026-08-31x"), ("1900-01-01", "2100-01-01"), ("2026-08-01", "2026-05-01"), ("", "")):
            self.assertIn(whole, site(first=first, last=last).text)
        self.assertIn("Harbour sheds", site(name="<script>").text)
        self.assertIn("Energy of", site(show="../../etc").text)
        for search in ("?name=%00&from=..&show=[]", "?from=2026-05-01&from=2026-06-01", "?name=a&name=b", "?show=a&show=b", "?to", "?" + "x=1&" * 50):
            self.assertEqual(page("/site", search=search).status, 200, search)


class Answers(unittest.TestCase):
    def index(self):
        answer = ask("/")
        return answer, re.findall(r'(?:src|href)="([^"]+)"', answer.text)

    def test_everything_comes_from_here(self):
        answer, links = self.index()
        self.assertGreater(len(links), 10)
        self.assertEqual([link for link in links if not link.startswith("/Prod/")], [])
        self.assertIn('<script src="/Prod/auth/edgeauth.js?install" type="module">', answer.text)

    def test_every_file_is_there_and_fits(self):
        _, links = self.index()
        links.append("/Prod/_dash-component-suites/plotly/package_data/plotly.min.js")
        for link in links:
            if link.startswith("/Prod/auth/"):
                continue
            for encoding in ("gzip", "identity"):
                answer = ask(link.removeprefix("/Prod").split("?")[0], headers=[("Accept-Encoding", encoding)])
                self.assertEqual(answer.status, 200, link)
                self.assertLess(answer.size, LIMIT, f"{link} as {encoding}")

    def test_bytes_are_whole(self):
        for name in ("icon.png", "bootstrap.min.css", "session.js"):
            self.assertEqual(ask("/assets/" + name).body, (HERE / "app" / "assets" / name).read_bytes())

    def test_libraries_are_kept_and_asked_about(self):
        path = "/_dash-component-suites/plotly/package_data/plotly.min.js"
        first = ask(path)
        self.assertEqual((first.status, first.headers["cache-control"]), (200, "private, no-cache"))
        again = ask(path, headers=[("If-None-Match", first.headers["etag"])])
        self.assertEqual((again.status, again.body), (304, b""))

    def test_headers(self):
        for path in ("/", "/_dash-layout", "/_dash-dependencies"):
            answer = ask(path)
            self.assertEqual(answer.headers["cache-control"], "no-store", path)
            policy = answer.headers["content-security-policy"]
            self.assertNotIn("unsafe-eval", policy)
            self.assertNotRegex(policy, r"script-src[^;]*(unsafe-inline|\*|https?:)")
        inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>(.*?)</script>", ask("/").text, re.S)
        self.assertTrue(inline)
        import hashlib

        for text in inline:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertIn(f"'sha256-{digest}'", ask("/").headers["content-security-policy"])


class Data(unittest.TestCase):
    def test_it_is_the_same_on_every_start(self):
        self.assertEqual(round(sum(day.energy for key in data.SITES for day in data.year(key))), 2719294)

    def test_it_is_possible(self):
        for key, site in data.SITES.items():
            year = data.year(key)
            self.assertEqual([day.date for day in year], data.DAYS)
            for day in year:
                self.assertTrue(0 <= day.energy <= day.sun * site.peak and 0 < day.sun < 10 and 0 <= day.available <= 1, day)


if __name__ == "__main__":
    unittest.main()
