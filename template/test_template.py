"""Holds edgeauth.yaml, template.yaml and an application of somebody else against every hazard, and every hazard against a template that has it."""

import os
import re
import shutil
import struct
import tempfile
import unittest
import zipfile
from pathlib import Path

import broken
import demo
import hazards
import part
import preset
from hazards import Application
from stack import Stack

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PART = (ROOT / "edgeauth.yaml").read_text()
DEMO = (ROOT / "template.yaml").read_text()
RED = (AssertionError, KeyError, ValueError)


class Base(unittest.TestCase):
    def has_none(self, checks, subject):
        for check in checks:
            with self.subTest(check.__name__):
                check(subject)

    def goes_red(self, checks, rows, text, subject):
        checks = {f.__name__: f for f in checks}
        self.assertEqual(set(checks), {row[0] for row in rows}, "checks, and broken templates")
        for name, good, bad in rows:
            with self.subTest(name, instead=bad):
                self.assertEqual(text.count(good), 1, f"{good!r} has to occur once")
                with self.assertRaises(RED):
                    checks[name](subject(text.replace(good, bad)))


class Part(Base):
    def test_has_no_hazard(self):
        self.has_none(part.ALL, part.part(PART))

    def test_every_check_goes_red(self):
        self.goes_red(part.ALL, broken.PART, PART, part.part)


class Demo(Base):
    def test_has_no_hazard(self):
        self.has_none(hazards.ALL + demo.ALL, Application(DEMO, ROOT))

    def test_every_check_goes_red(self):
        rows = [row for row in broken.DEMO if row[0] in {f.__name__ for f in demo.ALL}]
        self.goes_red(demo.ALL, rows, DEMO, lambda text: Application(text, ROOT))

    def test_a_host_of_its_own_has_no_hazard(self):
        self.has_none(hazards.ALL, Application(DEMO, ROOT, **demo.DOMAIN))


def bootstrap(machine):
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(40)


def release(folder, machine=183):
    """A folder as `make release` makes it."""
    (folder / "edgeauth").mkdir()
    (folder / "edgeauth/edgeauth.yaml").write_text(re.sub(r"(?m)^      Code: \.$", "      Code: authorizer.zip", PART))
    for name in ["authorizer", "callback"]:
        with zipfile.ZipFile(folder / f"edgeauth/{name}.zip", "w") as z:
            z.writestr("bootstrap", bootstrap(machine))


class Adopter(Base):
    """Somebody's application, which takes the part in from a released folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        release(self.folder)
        self.text = (Path(__file__).parent / "testdata/adopter.yaml").read_text()

    def application(self, text):
        return Application(text, self.folder)

    def test_has_no_hazard(self):
        self.has_none(hazards.ALL, self.application(self.text))

    def test_every_check_goes_red_in_a_sentence(self):
        checks = {f.__name__: f for f in hazards.ALL}
        self.assertEqual(set(checks), {row[0] for row in broken.ADOPTER}, "checks, and broken templates")
        for name, good, bad, sentence in broken.ADOPTER:
            with self.subTest(name, instead=bad):
                self.assertEqual(self.text.count(good), 1, f"{good!r} has to occur once")
                with self.assertRaises(AssertionError) as said:
                    checks[name](self.application(self.text.replace(good, bad)))
                self.assertIn(sentence, str(said.exception))
                self.assertNotIn("\n", str(said.exception))

    def test_code_for_another_processor(self):
        shutil.rmtree(self.folder / "edgeauth")
        release(self.folder, machine=62)
        with self.assertRaisesRegex(AssertionError, r"Architectures: \[arm64\], and edgeauth/callback.zip is built for x86_64"):
            hazards.code_is_for_its_processor(self.application(self.text))

    def test_a_public_route_is_one_that_is_listed(self):
        opened = self.text.replace("Path: '/orders/{proxy+}', Method: ANY }", "Path: '/orders/{proxy+}', Method: ANY, Auth: { Authorizer: NONE } }")
        for listed, good in [("", False), ("ANY /orders/{proxy+} # for everybody\n", True), ("GET /orders/{proxy+}\n", False), ("ANY /orders\n", False), ("/orders/{proxy+}\n", False)]:
            (self.folder / "public.routes").write_text("# what may be open\n" + listed)
            with self.subTest(listed):
                if good:
                    hazards.every_route_is_guarded_or_listed(self.application(opened))
                else:
                    self.assertRaises(AssertionError, hazards.every_route_is_guarded_or_listed, self.application(opened))

    def test_an_implicit_api(self):
        """Globals.Api in place of a resource of type AWS::Serverless::Api, which SAM then calls ServerlessRestApi."""
        begin, end = self.text.index("  Api:\n    Type: AWS::Serverless::Api"), self.text.index("  # ---- begin: the part")
        inside = self.text[self.text.index("      OpenApiVersion") : self.text.index("      # ---- end\n")]
        text = self.text[:begin] + self.text[end:]
        text = text.replace("Resources:\n", "  Api:\n" + re.sub(r"(?m)^  ", "", inside) + "Resources:\n")
        text = text.replace("RestApiId: !Ref Api, ", "").replace("!Ref Api\n", "!Ref ServerlessRestApi\n").replace("${Api}", "${ServerlessRestApi}")
        self.has_none(hazards.ALL, self.application(text))

    def test_the_command(self):
        (self.folder / "template.yaml").write_text(self.text)
        self.assertEqual(hazards.main(self.folder / "template.yaml"), 0)
        (self.folder / "template.yaml").write_text(self.text.replace("ReauthorizeEvery: 0", "Headers: [Cookie]"))
        self.assertEqual(hazards.main(self.folder / "template.yaml"), 1)
        (self.folder / "template.yaml").write_text("Resources: {}\n")
        self.assertNotEqual(hazards.main(self.folder / "template.yaml"), 0)

    def test_a_folder_and_a_file_of_another_name(self):
        (self.folder / "vendor").mkdir()
        (self.folder / "edgeauth").rename(self.folder / "vendor/auth-1.2")
        (self.folder / "vendor/auth-1.2/edgeauth.yaml").rename(self.folder / "vendor/auth-1.2/part.yaml")
        moved = self.text.replace("edgeauth/edgeauth.yaml", "vendor/auth-1.2/part.yaml").replace("edgeauth/callback.zip", "vendor/auth-1.2/callback.zip")
        self.has_none(hazards.ALL, self.application(moved))
        with self.assertRaisesRegex(AssertionError, "0 times and not once; .*edgeauth.yaml is not there"):
            hazards.the_parameters_are_the_parts(self.application(self.text))

    def test_parameters_have_the_values_that_sam_gives_them(self):
        """What the command says, then samconfig.toml, then the default; and without any, a value that whoever deploys will say."""
        text = self.text.replace("\nGlobals:", "\nParameters:\n  Host: { Type: String }\n  Minutes: { Type: Number, Default: 60 }\nGlobals:", 1)
        text = text.replace("        CallbackLogGroup:", "        BrandLogo: !Sub https://${Host}/logo.svg\n        SessionMinutes: !Ref Minutes\n        CallbackLogGroup:")
        (self.folder / "template.yaml").write_text(text)
        run = lambda **how: hazards.main(self.folder / "template.yaml", **how)
        self.assertEqual(run(), 0)
        self.assertEqual(run(said=["Minutes=3"]), 1)
        self.assertEqual(run(said=["ParameterKey=Minutes,ParameterValue=3"]), 1)
        self.assertEqual(run(said=["Slow=1"]), 2)
        self.assertEqual(run(said=["Minutes"]), 2)
        for told in ['["Minutes=3", "Host=a"]', '"Host=\'a\' Minutes=3"']:
            (self.folder / "samconfig.toml").write_text(f"version = 0.1\n[default.deploy.parameters]\nparameter_overrides = {told}\n[prod.deploy.parameters]\n")
            with self.subTest(told):
                self.assertEqual(run(), 1)
                self.assertEqual(run(said=["Minutes=5"]), 0)
                self.assertEqual(run(environment="prod"), 0)


class Choices(unittest.TestCase):
    """Every value that a parameter may have, and what belongs together."""

    def test_every_choice_can_be_made(self):
        source = part.part(PART).source["Parameters"]
        for name, p in source.items():
            for value in p.get("AllowedValues", []):
                with self.subTest(name, value=value):
                    stack = part.part(PART).again(**{name: value})
                    self.assertTrue(stack.resources["AuthorizerFunction"])
        for name in demo_parameters():
            for value in demo_parameters()[name].get("AllowedValues", []):
                with self.subTest(name, value=value):
                    Demo().has_none(hazards.ALL, Application(DEMO, ROOT, **{name: value}))


def demo_parameters():
    return Stack(DEMO, ROOT).source["Parameters"]


class Documents(unittest.TestCase):
    def test_every_check_is_explained(self):
        rows = re.findall(r"^\| .* \| (.*) \| `([a-z0-9_]+)` \|$", (DOCS / "hazards.md").read_text(), re.M)
        self.assertEqual({name for _, name in rows}, {f.__name__ for f in part.ALL + demo.ALL + hazards.ALL})
        for settled, name in rows:
            for line in re.findall(r"`([^`]+)`", settled):
                with self.subTest(name):
                    self.assertTrue(line in PART or line in DEMO, f"{line} is in no template")

    def test_the_readme_says_what_the_adopter_does(self):
        adopter = (Path(__file__).parent / "testdata/adopter.yaml").read_text()
        blocks = re.findall(r"(?s) # ---- begin:[^\n]*\n(.*?)\n *# ---- end", adopter)
        section = (ROOT / "README.md").read_text().split("## Add it to your application")[1].split("\n## ")[0]
        self.assertEqual([b.rstrip("\n") for b in re.findall(r"(?s)```yaml\n(.*?)```", section)], blocks)
        lines = sum(b.count("\n") + 1 for b in blocks)
        self.assertLessEqual(lines, 50)
        self.assertIn(f"{lines} lines", section)
        self.assertIn(f"[{len(hazards.ALL)} checks]", section)

    def test_the_preset_lists_every_parameter(self):
        self.assertEqual((ROOT / "parameters.yaml").read_text(), preset.preset(PART), "make parameters writes it anew")

    def test_every_reason_has_a_runbook(self):
        codes = re.findall(r'Code = "(\w+)"', (ROOT / "internal/reason/reason.go").read_text())
        text = (DOCS / "operations.md").read_text().split("## Reason codes")[1].split("## When")[0]
        listed = re.findall(r"^\| `(\w+)` \|", text, re.M)
        self.assertEqual(sorted(codes), sorted(listed))


class OneDomain(Base):
    """The example of two stacks on one domain: the sign-in is an API of its own, and the second stack has the first one's authorizer."""

    FOLDER = ROOT / "examples/one-domain"
    ASKED = {"AppDomain": "app.example.com", "AppCertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/a"}

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        release(self.folder)
        self.text = (self.FOLDER / "orders.yaml").read_text()
        self.stack = Stack((self.FOLDER / "reports.yaml").read_text(), AuthStack="orders", AppDomain="app.example.com")
        self.function = {"Fn::ImportValue": part.part(PART).raw["Outputs"]["AuthorizerArn"]["Export"]["Name"]["Fn::Sub"].replace("${Name}", "orders")}

    def test_the_first_has_no_hazard(self):
        for parameters in [{}, self.ASKED]:
            self.has_none(hazards.ALL, Application(self.text, self.folder, **parameters))

    def test_the_first_goes_red(self):
        for check, good, bad, sentence in [
            (hazards.the_base_url_is_the_apis, "        LoginPath: /auth\n", "", "the part needs LoginPath: /auth"),
            (hazards.the_base_url_is_the_apis, "BaseUrl: !Sub https://${AppDomain}\n", "BaseUrl: !Sub https://${AppDomain}/orders\n", "the API is mapped at https://app.example.com"),
            (hazards.the_sign_in_is_open, "Path: '/{proxy+}', Method: ANY } }\n\n  CallbackLogs", "Path: '/{proxy+}', Method: GET } }\n\n  CallbackLogs", "Method: ANY"),
            (hazards.the_callback_knows_its_parameter, "BasePath: auth", "BasePath: sign-in", "No function has an event for /auth/{proxy+}"),
            (hazards.there_is_one_origin, "      DisableExecuteApiEndpoint: true\n\n", "\n", "the execute-api host of SignIn still answers"),
        ]:
            with self.subTest(sentence):
                self.assertEqual(self.text.count(good), 1)
                with self.assertRaises(AssertionError) as said:
                    check(Application(self.text.replace(good, bad), self.folder, **self.ASKED))
                self.assertIn(sentence, str(said.exception))

    def test_the_second_asks_the_authorizer_for_every_route(self):
        body = self.stack.one("AWS::ApiGateway::RestApi")["Body"]
        (asked,) = [s["x-amazon-apigateway-authorizer"] for s in body["components"]["securitySchemes"].values()]
        self.assertIn(f"/functions/{self.function}/invocations", asked["authorizerUri"])
        self.assertEqual((asked["authorizerResultTtlInSeconds"], asked.get("identitySource")), (0, None))
        self.assertEqual([o["security"] for path in body["paths"].values() for o in path.values()], [[{"EdgeAuth": []}]] * 2)

    def test_the_second_may_call_it(self):
        self.assertTrue(hazards.permitted(self.stack, self.function, "Api", "/authorizers/*"))

    def test_the_second_answers_as_the_first(self):
        first = Application(self.text, self.folder, **self.ASKED).responses
        self.assertEqual(self.stack.one("AWS::ApiGateway::RestApi")["Body"]["x-amazon-apigateway-gateway-responses"], first)

    def test_a_request_without_context_is_nobodys(self):
        space = {}
        exec((self.FOLDER / "pages/app.py").read_text(), space)
        for context, status in [({}, 401), ({"authorizer": None}, 401), ({"authorizer": {"sub": "m", "scope": "a/b"}}, 200)]:
            self.assertEqual(space["handler"]({"requestContext": context}, None)["statusCode"], status)


if __name__ == "__main__":
    unittest.main()
