"""What may go wrong with the template, one small function for each hazard: it takes a Stack and fails when the hazard is there.

docs/deploy.md lists every function with the source of the hazard and the template line that settles it; test_template.py breaks the template in the way
that each function is to notice.
"""

import graphlib
import json
import re
from pathlib import Path
from unittest import mock

from stack import Stack, graph, references

ROOT = Path(__file__).parent.parent
PUBLIC = {"/auth/{proxy+}"}  # the callback; everything else stands behind the authorizer
AUTHORIZER = "edgeauth-authorizer"
OWN = {"AuthorizerFunction", "CallbackFunction", "DashboardFunction", "ApiFunction"}
DOMAIN = dict(AppDomain="app.example.com", AppCertificateArn="arn:aws:acm:eu-west-1:123456789012:certificate/a")
POOL = dict(ExistingUserPoolId="eu-west-1_Existing1", ExistingLoginUrl="https://login.example.com")
OIDC = dict(OidcName="Okta", OidcIssuer="https://example.okta.com", OidcClientId="abc", OidcSecretName="okta")
SAML = dict(SamlName="EntraID", SamlMetadataUrl="https://login.example.com/metadata.xml")


ALL = []  # every check, in the order of this file


def hazard(check):
    ALL.append(check)
    return check


def want(condition, message):
    if not condition:
        raise AssertionError(message)


def again(stack, **parameters):
    """The same template under other parameters."""
    return Stack(stack.text, **parameters)


# ---------------------------------------------------------------- one deploy


@hazard
def dependencies_form_no_circle(s):
    try:
        list(graphlib.TopologicalSorter(graph(s)).static_order())
    except graphlib.CycleError as e:
        raise AssertionError("a circle: " + " -> ".join(e.args[1])) from None


@hazard
def the_api_does_not_wait_for_the_authorizer(s):
    """The first cut. A reference would close the circle authorizer -> client -> API as soon as the authorizer wants the client's id."""
    want("AuthorizerFunction" not in set(references(s.raw["Resources"]["Api"]["Properties"])), "the API refers to the authorizer")
    variables = s.raw["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    want("UserPoolClient" in set(references(variables["AUTH_CLIENT_IDS"])), "the authorizer does not get the client's id")


@hazard
def the_constructed_arn_is_the_authorizers(s):
    uri = json.dumps(authorizer(s)["authorizerUri"])
    name = s.of("AWS::Lambda::Function")["AuthorizerFunction"]["FunctionName"]
    want(name == AUTHORIZER and f":function:{name}" in uri, f"the API calls {uri}, the function is {name}")


@hazard
def the_callback_gets_only_a_name(s):
    """The second cut, and the parameter really has that name."""
    variables = s.variables("CallbackFunction")
    want(variables["AUTH_PARAMETER"] == s.one("AWS::SSM::Parameter")["Name"] == "/edgeauth/auth", "the callback reads another parameter")
    want("AuthParameter" not in set(references(s.raw["Resources"]["CallbackFunctionRole"])), "the callback's policy refers to the parameter")


@hazard
def a_changed_parameter_reaches_the_stage(s):
    """The transform makes a new deployment only when the API's text changes, and a parameter's value is no part of it."""
    with mock.patch("samtranslator.model.apigateway.time.time", return_value=1.0):
        before = set(again(s).of("AWS::ApiGateway::Deployment"))
    want(before != set(again(s).of("AWS::ApiGateway::Deployment")), "the same deployment, whenever it is made")


@hazard
def there_is_one_stage(s):
    stages = s.of("AWS::ApiGateway::Stage")
    want([p["StageName"] for p in stages.values()] == ["Prod"], f"stages {stages}")
    want(all("StageName" not in d for d in s.of("AWS::ApiGateway::Deployment").values()), "the deployment makes a stage of its own")


@hazard
def parameters_explain_themselves(s):
    for name, p in s.source["Parameters"].items():
        want(len(p.get("Description", "")) >= 20, f"{name} has no description")
        want("Default" in p, f"{name} has no default")
        want({"AllowedPattern", "AllowedValues", "MinValue"} & set(p), f"{name} takes anything")


@hazard
def defaults_are_allowed(s):
    for name, p in s.source["Parameters"].items():
        value = str(p["Default"])
        if "AllowedPattern" in p:
            want(re.search(p["AllowedPattern"], value), f"{name}: the default does not match the pattern")
        if "AllowedValues" in p:
            want(value in map(str, p["AllowedValues"]), f"{name}: the default is not allowed")
        if "MinValue" in p:
            want(p["MinValue"] <= p["Default"] <= p["MaxValue"], f"{name}: the default is out of range")


@hazard
def half_an_answer_is_refused(s):
    """Rules name what belongs together before anything is made."""
    asked = json.dumps(s.source.get("Rules", {}))
    for name in ["AppCertificateArn", "LoginCertificateArn", "ExistingLoginUrl", "OidcIssuer", "OidcClientId", "OidcSecretName", "SamlMetadataUrl"]:
        want(f'{{"Ref": "{name}"}}' in asked, f"no rule asks for {name}")


@hazard
def rules_use_the_functions_that_rules_may(s):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html"""
    used = set(re.findall(r'"(Fn::\w+)"', json.dumps(s.source.get("Rules", {}))))
    want(used <= {"Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}, f"rules use {sorted(used)}")


# ---------------------------------------------------------------- who is asked


def authorizer(s):
    return s.body["components"]["securitySchemes"]["SessionAuthorizer"]["x-amazon-apigateway-authorizer"]


@hazard
def every_route_has_the_authorizer_or_is_public_by_name(s):
    public = set()
    for path, method, operation in s.routes():
        if method == "options":
            continue
        if operation.get("security") != [{"SessionAuthorizer": []}]:
            public.add(path)
    want(public == PUBLIC, f"routes without the authorizer: {sorted(public)}")


@hazard
def no_request_is_answered_before_the_authorizer(s):
    """With an identity source API Gateway answers 401 by itself when the source is missing, and the login redirect never happens."""
    want(authorizer(s)["type"] == "request", "not a REQUEST authorizer")
    want("identitySource" not in authorizer(s), "has an identity source")


@hazard
def no_decision_is_replayed(s):
    want(authorizer(s).get("authorizerResultTtlInSeconds") == 0, "results are cached; saying nothing means 300 seconds")


@hazard
def preflights_need_no_session(s):
    preflights = [o for _, method, o in s.routes() if method == "options"]
    want(len(preflights) == len(s.body["paths"]), "a path without preflight")
    for o in preflights:
        want("security" not in o and o["x-amazon-apigateway-integration"]["type"] == "mock", "a preflight asks the authorizer or a backend")


@hazard
def the_api_may_call_the_authorizer(s):
    permitted(s, {"Ref": "AuthorizerFunction"}, "/authorizers/*")


@hazard
def the_api_may_call_every_backend(s):
    called = {
        name
        for _, _, o in s.routes()
        for name in re.findall(r"\$\{(\w+)\.Arn\}", json.dumps(o["x-amazon-apigateway-integration"].get("uri", "")))
    }
    want(called == OWN - {"AuthorizerFunction"}, f"the API calls {sorted(called)}")
    for name in called:
        permitted(s, {"Ref": name}, "/")


def permitted(s, function, source):
    for p in s.of("AWS::Lambda::Permission").values():
        arn = json.dumps(p.get("SourceArn", ""))
        if p["FunctionName"] == function and p["Principal"] == "apigateway.amazonaws.com" and p["Action"] == "lambda:InvokeFunction":
            if ("${Api}" in arn or "__ApiId__" in arn) and source in arn:
                return
    raise AssertionError(f"this API may not call {function}")


@hazard
def only_this_api_may_call(s):
    for name, p in s.of("AWS::Lambda::Permission").items():
        want("SourceArn" in p and ("${Api}" in json.dumps(p["SourceArn"]) or "__ApiId__" in json.dumps(p["SourceArn"])), f"{name} lets any API in")


@hazard
def the_endpoint_is_regional(s):
    want(s.one("AWS::ApiGateway::RestApi")["EndpointConfiguration"]["Types"] == ["REGIONAL"], "not REGIONAL")


@hazard
def there_is_one_origin(s):
    """A second address would be a second set of cookies, return paths and redirect URIs."""
    disabled = [x["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"] for x in again(s, **DOMAIN).body["servers"]]
    want(disabled == [True], "with a host of one's own the execute-api host still answers")


# ---------------------------------------------------------------- what refusals look like


@hazard
def a_denial_goes_where_the_authorizer_says(s):
    r = s.responses["ACCESS_DENIED"]
    want(str(r["statusCode"]) == "302", "not 302")
    want(header(r, "Location") == "context.authorizer.location", "Location is not the authorizer's")


@hazard
def a_program_gets_401(s):
    r = s.responses["UNAUTHORIZED"]
    want(str(r["statusCode"]) == "401" and header(r, "WWW-Authenticate") == "'Bearer'", "not 401 with WWW-Authenticate")


@hazard
def a_failing_authorizer_is_500_and_retryable(s):
    """Which of the two types an error raises is not documented: both say the same."""
    a, b = s.responses["AUTHORIZER_FAILURE"], s.responses["AUTHORIZER_CONFIGURATION_ERROR"]
    want(a == b and str(a["statusCode"]) == "500" and header(a, "Retry-After"), "the two differ, or are not 500 with Retry-After")


@hazard
def every_response_type_is_spoken_for(s):
    spoken = {
        "ACCESS_DENIED", "UNAUTHORIZED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "THROTTLED", "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT", "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX",
    }
    want(set(s.responses) == spoken, f"types {sorted(set(s.responses) ^ spoken)}")


@hazard
def statuses_are_explicit_except_on_defaults(s):
    """Without one, a customised type may change its status; with one, a default changes the status of every other type."""
    for kind, r in s.responses.items():
        want(("statusCode" in r) != kind.startswith("DEFAULT_"), f"{kind} has status {r.get('statusCode')}")


@hazard
def responses_inherit_nothing(s):
    """A customised type does not get the defaults' headers."""
    for kind, r in s.responses.items():
        want(header(r, "Cache-Control") == "'no-store'" and header(r, "X-Content-Type-Options") == "'nosniff'", f"{kind} lacks its headers")


@hazard
def bodies_echo_nothing_of_the_request(s):
    """Nothing escapes what is substituted: only values that we made, or API Gateway did, may stand in a body."""
    allowed = {"$context.authorizer.reason", "$context.authorizer.location", "$context.extendedRequestId", "$context.error.responseType"}
    for kind, r in s.responses.items():
        for media, body in r["responseTemplates"].items():
            used = set(re.findall(r"\$[A-Za-z][A-Za-z.]*", body))
            want(media == "application/json" and used <= allowed, f"{kind} substitutes {used - allowed} as {media}")
            json.loads(body)


@hazard
def set_cookie_is_left_to_the_callback(s):
    for kind, r in s.responses.items():
        want(header(r, "Set-Cookie") is None, f"{kind} sets a cookie; what a gateway response does with one is not documented")


@hazard
def responses_are_deployed_with_the_api(s):
    want(not s.of("AWS::ApiGateway::GatewayResponse"), "separate resources stay undeployed")


def header(response, name):
    return response.get("responseParameters", {}).get("gatewayresponse.header." + name)


@hazard
def a_foreign_script_can_read_a_refusal(s):
    """Without these headers a cross-origin fetch sees a network error and not a 401."""
    open_ = again(s, AllowedOrigin="https://www.example.com")
    for kind, r in open_.responses.items():
        want(header(r, "Access-Control-Allow-Origin") == "'https://www.example.com'", f"{kind} hides from the allowed origin")
        want(header(r, "Access-Control-Allow-Credentials") == "'true'", f"{kind} refuses credentials")


@hazard
def no_origin_is_allowed_by_default(s):
    for kind, r in s.responses.items():
        want(header(r, "Access-Control-Allow-Origin") is None, f"{kind} lets scripts of another origin read")
    for path, method, o in s.routes():
        if method == "options":
            parameters = o["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
            origin = parameters["method.response.header.Access-Control-Allow-Origin"]
            want(origin.endswith(".invalid'"), f"{path}: preflight allows {origin}")  # RFC 6761 section 6.4: nobody can have such a name


# ---------------------------------------------------------------- functions


@hazard
def functions_run_what_the_makefile_builds(s):
    for name, f in s.of("AWS::Lambda::Function").items():
        want((f["Runtime"], f["Handler"], f["Architectures"]) == ("provided.al2023", "bootstrap", ["arm64"]), f"{name}: runtime, handler or architecture")
    for name, r in s.source["Resources"].items():
        if r["Type"] == "AWS::Serverless::Function":
            want(r["Metadata"]["BuildMethod"] == "makefile" and r["Properties"]["CodeUri"] == ".", f"{name} would be built from a stale cache")


@hazard
def settings_are_those_the_code_reads(s):
    text = (ROOT / "internal/config/config.go").read_text()
    table = re.search(r"var Settings = .*?\n}", text, re.S).group()
    for function, which in [("AuthorizerFunction", "authorizer"), ("CallbackFunction", "callback")]:
        read = set(re.findall(r"AUTH_\w+", re.search(rf'"{which}":(.*?)}}', table, re.S).group(1)))
        given = {v for v in s.variables(function) if v.startswith("AUTH_")}
        want(read and read == given, f"{function}: {sorted(read ^ given)}")


@hazard
def the_environment_fits(s):
    """Lambda takes 4 KB of variables: everything fits, however long the long parameters are."""
    long = {"AccessRules": "a", "JwksSnapshot": '{"keys":[]}', "TrustedPools": "[]", "MoreClaims": "a", "BearerClientIds": "a", "UserBearer": "true", "MachineScope": "a/b"}
    for name in ["AccessRules", "JwksSnapshot", "TrustedPools"]:
        long[name] = long[name].ljust(s.source["Parameters"][name].get("MaxLength", 1 << 20))
    stack = again(s, **long)
    for function in OWN:
        size = sum(len(k) + len(v if isinstance(v, str) else "x" * 100) for k, v in stack.variables(function).items())
        want(size <= 4096, f"{function}: {size} bytes when every parameter is as long as it may be")


@hazard
def one_event_at_a_time_uses_one_processor(s):
    want(s.variables("AuthorizerFunction").get("GOMAXPROCS") == "1", "GOMAXPROCS")


@hazard
def every_log_expires(s):
    groups = s.of("AWS::Logs::LogGroup")
    for name, group in groups.items():
        want(group.get("RetentionInDays"), f"{name} is kept for ever")
    for name, f in s.of("AWS::Lambda::Function").items():
        want(f.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") in groups, f"{name} logs to a group that is kept for ever")


# ---------------------------------------------------------------- rights and secrets


def statements(s, role):
    for policy in s.of("AWS::IAM::Role")[role].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


@hazard
def policies_name_what_they_open(s):
    for role in s.of("AWS::IAM::Role"):
        for statement in statements(s, role):
            text = json.dumps([statement["Action"], statement["Resource"]])
            want("*" not in text, f"{role}: {text}")


@hazard
def managed_policies_only_write_logs(s):
    """AWSLambdaBasicExecutionRole is all; with tracing on, the right to send traces."""
    for parameters, names in [({}, {"AWSLambdaBasicExecutionRole"}), ({"Tracing": "Active"}, {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess"})]:
        for role, p in again(s, **parameters).of("AWS::IAM::Role").items():
            given = {json.dumps(a).split("/")[-1].strip('"}]') for a in p["ManagedPolicyArns"]}
            want(given <= names, f"{role} has {given - names}")


@hazard
def the_authorizer_may_do_nothing(s):
    want(not list(statements(s, "AuthorizerFunctionRole")), "the authorizer has rights")


@hazard
def the_callback_may_read_one_parameter_and_one_pool(s):
    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/edgeauth/auth"
    for parameters, pool in [({}, "${UserPool}"), (POOL, "eu-west-1_Existing1")]:
        got = {(x["Action"], json.dumps(x["Resource"])) for x in statements(again(s, **parameters), "CallbackFunctionRole")}
        want(got == {
            ("ssm:GetParameter", f'["{parameter}", "{parameter}/former-secret"]'),
            ("cognito-idp:DescribeUserPoolClient", f'"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{pool}"'),
        }, f"the callback may {sorted(got)}")


@hazard
def no_secret_is_handed_around(s):
    """Parameters, variables and outputs can be read by everybody who may look at the stack."""
    everything = json.dumps([s.raw["Resources"], s.raw["Outputs"]], default=str)
    want("ClientSecret" not in everything, "the client's secret is read by the template")
    want(set(re.findall(r"{{resolve:.*?}}", everything)) == {"{{resolve:secretsmanager:${OidcSecretName}:SecretString:client_secret}}"}, "a secret is resolved")
    provider = s.raw["Resources"]["OidcProvider"]["Properties"]["ProviderDetails"]
    want("{{resolve:secretsmanager:" in json.dumps(provider["client_secret"]), "the provider's secret is a parameter")
    for name in s.source["Parameters"]:
        want(not re.search(r"(?i)(secret|password|token)$", name), f"parameter {name}")


# ---------------------------------------------------------------- the user pool


@hazard
def strangers_cannot_register(s):
    want(s.one("AWS::Cognito::UserPool")["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}, "anybody may register")
    opened = again(s, SelfSignUp="true").one("AWS::Cognito::UserPool")
    want(opened["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}, "SelfSignUp does nothing")


@hazard
def nobody_learns_who_has_an_account(s):
    want(client(s).get("PreventUserExistenceErrors") == "ENABLED", "the default is LEGACY")


def told(s):
    """What the callback's parameter says."""
    return json.loads(s.one("AWS::SSM::Parameter")["Value"])


def client(s):
    return s.one("AWS::Cognito::UserPoolClient")


@hazard
def validities_have_units(s):
    want(client(s)["TokenValidityUnits"] == {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"}, "60 would mean hours")
    want((client(s)["IdTokenValidity"], client(s)["RefreshTokenValidity"]) == (60, 30), "validities")


@hazard
def the_login_page_is_alive(s):
    """Managed login serves no page to a client without a branding style."""
    for stack in [s, again(s, **POOL)]:
        b = stack.one("AWS::Cognito::ManagedLoginBranding")
        want(b["ClientId"] == {"Ref": "UserPoolClient"} and b["UseCognitoProvidedValues"] is True, "no branding style")
    want(s.one("AWS::Cognito::UserPoolDomain")["ManagedLoginVersion"] == 2 and s.one("AWS::Cognito::UserPool")["UserPoolTier"] == "ESSENTIALS", "classic login")
    want(not again(s, **POOL, ExistingLoginVersion="CLASSIC").of("AWS::Cognito::ManagedLoginBranding"), "a style for a classic page")


@hazard
def flows_are_listed(s):
    """The default list is wider, and contains refresh, which contradicts rotation."""
    want(client(s)["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], "flows")
    rotating = client(again(s, RefreshTokenRotation="ENABLED"))
    want(rotating["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH"], "refresh flow and rotation")
    want(rotating["RefreshTokenRotation"] == {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}, "no grace: a lost answer ends the session")


@hazard
def passwords_open_nothing_by_default(s):
    want(not [f for f in client(s)["ExplicitAuthFlows"] if "PASSWORD" in f], "a password flow")
    want("ALLOW_ADMIN_USER_PASSWORD_AUTH" in client(again(s, AdminPasswordAuth="true"))["ExplicitAuthFlows"], "the parameter does nothing")


@hazard
def the_client_does_the_code_flow_only(s):
    c = client(s)
    want(c["AllowedOAuthFlows"] == ["code"] and c["AllowedOAuthFlowsUserPoolClient"] is True and c["GenerateSecret"] is True, "flow or secret")
    want(c["AllowedOAuthScopes"] == ["openid", "email"], "openid alone would put every attribute into the cookie")
    want("ReadAttributes" not in c, "email without email_verified makes the code exchange fail")


@hazard
def sign_out_can_revoke(s):
    want(client(s)["EnableTokenRevocation"] is True, "revocation is off")


@hazard
def one_mailbox_is_one_user(s):
    p = s.one("AWS::Cognito::UserPool")
    want(p["UsernameAttributes"] == ["email"] and p["UsernameConfiguration"] == {"CaseSensitive": False}, "cannot be changed later")


@hazard
def the_pool_survives_the_stack(s):
    want(s.one("AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE", "deleting the stack deletes every user")


@hazard
def groups_stay_small(s):
    """A group's role is written into every ID token, and so into every cookie."""
    want(all("RoleArn" not in g for g in s.of("AWS::Cognito::UserPoolGroup").values()), "a group has a role")


@hazard
def redirects_lead_home(s):
    """Cognito compares redirect URIs character by character; the callback compares hosts with base_urls. All must say the same."""
    for parameters, base in [({}, "https://${Api}.execute-api.eu-west-1.amazonaws.com/Prod"), (DOMAIN, "https://app.example.com")]:
        x = again(s, **parameters)
        want(client(x)["CallbackURLs"] == [base + "/auth/callback"], f"callback {client(x)['CallbackURLs']}")
        want(client(x)["LogoutURLs"] == [base + "/auth/signed-out"], f"sign-out {client(x)['LogoutURLs']}")
        want(told(x)["base_urls"] == [base] and told(x)["client_id"] == "${UserPoolClient}", f"the callback is told {told(x)}")
        want(x.outputs["Url"] == base + "/", f"Url is {x.outputs['Url']}")


@hazard
def the_login_url_is_the_domains(s):
    own = dict(LoginDomain="login.example.org", LoginCertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/a")
    for parameters, url in [({}, "https://${UserPoolDomain}.auth.eu-west-1.amazoncognito.com"), (own, "https://login.example.org"), (POOL, "https://login.example.com")]:
        want(told(again(s, **parameters))["login_url"] == url, f"the callback is told {told(again(s, **parameters))}")
    domain = again(s, **own).one("AWS::Cognito::UserPoolDomain")
    want(domain["Domain"] == "login.example.org" and "CustomDomainConfig" in domain, "the domain is another")


@hazard
def the_login_host_is_made_up_when_nobody_names_it(s):
    want(s.one("AWS::Cognito::UserPoolDomain")["Domain"] == "edgeauth-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "not from the stack's id")
    want(again(s, DomainPrefix="acme").one("AWS::Cognito::UserPoolDomain")["Domain"] == "acme", "DomainPrefix does nothing")


@hazard
def an_existing_pool_is_only_borrowed(s):
    x = again(s, **POOL)
    for kind in ["UserPool", "UserPoolDomain", "UserPoolGroup", "UserPoolIdentityProvider"]:
        want(not x.of("AWS::Cognito::" + kind), f"makes a {kind}")
    want(client(x)["UserPoolId"] == "eu-west-1_Existing1" and client(x)["SupportedIdentityProviders"] == ["COGNITO"], "the client is another pool's")
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Existing1"
    want(x.variables("AuthorizerFunction")["AUTH_ISSUER"] == told(x)["issuer"] == issuer, "issuer")
    want(told(x)["user_pool_id"] == "eu-west-1_Existing1", "the callback asks another pool")
    updated = again(s, **POOL, ExistingIssuerType="UPDATED").variables("AuthorizerFunction")
    want(updated["AUTH_ISSUER"] == "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Existing1", "updated issuer")


@hazard
def machines_come_by_name_only(s):
    """Nobody's access tokens are let in unless somebody asks; a machine gets its one scope by client credentials, and no user signs in with its client."""
    want(not s.of("AWS::Cognito::UserPoolResourceServer") and bearers(s) == "", "a machine that nobody has asked for")
    x = again(s, MachineScope="reports/read", BearerClientIds="abc")
    machine, server = x.of("AWS::Cognito::UserPoolClient")["MachineClient"], x.one("AWS::Cognito::UserPoolResourceServer")
    want((server["Identifier"], server["Scopes"][0]["ScopeName"], machine["AllowedOAuthScopes"]) == ("reports", "read", ["reports/read"]), "another scope")
    want(machine["AllowedOAuthFlows"] == ["client_credentials"] and machine["GenerateSecret"] is True and "CallbackURLs" not in machine, "another flow, or no secret")
    want(machine["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"], "users may sign in with the machine's client")
    want("MachineScopes" in graph(x)["MachineClient"], "the client may come before its scope")
    want(bearers(x) == "abc,{'Ref': 'MachineClient'}", f"bearers are {bearers(x)}")
    want(bearers(again(s, UserBearer="true")) == ",{'Ref': 'UserPoolClient'}", "UserBearer does nothing")


def bearers(s):
    return s.variables("AuthorizerFunction")["AUTH_BEARER_CLIENT_IDS"]


@hazard
def external_providers_are_offered(s):
    x = again(s, **OIDC, **SAML)
    want(client(x)["SupportedIdentityProviders"] == ["COGNITO", {"Ref": "OidcProvider"}, {"Ref": "SamlProvider"}], "not all are offered")
    want(client(again(s, **SAML, LocalUsers="false"))["SupportedIdentityProviders"] == [{"Ref": "SamlProvider"}], "the pool's own users still may")
    want(client(s)["SupportedIdentityProviders"] == ["COGNITO"], "a provider that does not exist")


# ---------------------------------------------------------------- operation


@hazard
def requests_are_throttled(s):
    (m,) = s.one("AWS::ApiGateway::Stage")["MethodSettings"]
    want((m["ResourcePath"], m["HttpMethod"]) == ("/*", "*") and m["ThrottlingRateLimit"] and m["ThrottlingBurstLimit"], "no limit")


@hazard
def execution_logs_hold_no_cookies(s):
    for m in s.one("AWS::ApiGateway::Stage")["MethodSettings"]:
        want(m["DataTraceEnabled"] is False and m["LoggingLevel"] == "OFF", "data trace writes headers, and so cookies, to the log")


@hazard
def the_access_log_tells_why_and_how_long(s):
    want("AccessLogSetting" not in s.one("AWS::ApiGateway::Stage"), "on by default: an account without a logging role refuses the stage")
    log = json.loads(again(s, AccessLogs="ON").one("AWS::ApiGateway::Stage")["AccessLogSetting"]["Format"])
    for variable in ["$context.authorizer.reason", "$context.authorizer.integrationLatency", "$context.authorizer.error", "$context.extendedRequestId", "$context.status"]:
        want(variable in log.values(), f"no {variable}")
    want(not [v for v in log.values() if "query" in v.lower() or "location" in v], "query strings hold codes")


@hazard
def the_access_log_has_its_role_first(s):
    x = again(s, AccessLogs="ON_WITH_ACCOUNT_ROLE")
    want(x.one("AWS::ApiGateway::Account")["CloudWatchRoleArn"] == {"Fn::GetAtt": ["AccountLoggingRole", "Arn"]}, "no role for the account")
    want("AccountLogging" in graph(x)["AccessLog"] and "AccessLog" in graph(x)["ApiStage"], "the stage does not wait for it")
    for name in ["AccountLogging", "AccountLoggingRole"]:
        want(x.resources[name]["DeletionPolicy"] == "Retain", f"{name} goes with the stack, and with it the logs of every other API")


@hazard
def tracing_reaches_every_part(s):
    x = again(s, Tracing="Active")
    want(x.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True, "the API is not traced")
    want(all(f["TracingConfig"] == {"Mode": "Active"} for f in x.of("AWS::Lambda::Function").values()), "a function is not traced")
    want(not any("TracingConfig" in f for f in s.of("AWS::Lambda::Function").values()), "traced without being asked")


def filters(s):
    """(metric name, log group, pattern) of every metric filter."""
    for p in s.of("AWS::Logs::MetricFilter").values():
        (t,) = p["MetricTransformations"]
        yield t["MetricName"], p["LogGroupName"]["Ref"], p["FilterPattern"]


@hazard
def alarms_watch_what_is_written(s):
    """A pattern that no line matches is an alarm that never rings."""
    code = {"AuthorizerLogs": "authorizer/record.go", "CallbackLogs": "internal/login/answer.go"}
    known = (ROOT / "internal/reason/reason.go").read_text()
    for metric, group, pattern in filters(s):
        (message,) = re.findall(r'\$\.msg = "(\w+)"', pattern)
        want(re.search(rf'"msg":"{message}"|, "{message}", ', (ROOT / code[group]).read_text()), f"{metric}: nobody writes {message}")
        words = re.findall(r'\$\.(?:reason|outcome) = "(\w+)"', pattern)
        want(words and all(f'= "{w}"' in known for w in words), f"{metric}: {words}")


@hazard
def every_alarm_has_its_metric(s):
    made = {("edgeauth", m) for m, _, _ in filters(s)}
    for name, a in s.of("AWS::CloudWatch::Alarm").items():
        want(a["Namespace"].startswith("AWS/") or (a["Namespace"], a["MetricName"]) in made, f"{name} watches a metric that nothing makes")
    watched = {(a["Namespace"], a["MetricName"]) for a in s.of("AWS::CloudWatch::Alarm").values()}
    want(made <= watched, f"nobody watches {made - watched}")


@hazard
def stacks_do_not_share_metrics(s):
    want(all(m.startswith("edgeauth-") for m, _, _ in filters(s)), "the metric lacks the stack's name")  # edgeauth is AWS::StackName here


@hazard
def no_alarm_counts_programs_without_a_session(s):
    """The 401 of a REQUEST authorizer is an error of the function."""
    for name, a in s.of("AWS::CloudWatch::Alarm").items():
        want((a["Namespace"], a["MetricName"]) not in {("AWS/Lambda", "Errors"), ("AWS/ApiGateway", "4XXError")}, f"{name} rings at every 401")


@hazard
def alarms_reach_somebody(s):
    topic = "arn:aws:sns:eu-west-1:123456789012:on-call"
    for name, a in again(s, AlarmTopicArn=topic).of("AWS::CloudWatch::Alarm").items():
        want(a.get("AlarmActions") == [topic] and a["TreatMissingData"] == "notBreaching", f"{name} rings nowhere, or when nothing happens")


@hazard
def the_dashboard_shows_what_is_written(s):
    body = json.loads(s.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    (schema,) = re.findall(r"SEARCH\('{edgeauth,([a-z,]+)} MetricName=\"(\w+)\"", json.dumps(body).replace('\\"', '"'))
    record = (ROOT / "authorizer/record.go").read_text()
    (dimensions,) = re.findall(r'"Dimensions":\[\[(.*?)\]\]', record)
    want(schema[0].split(",") == dimensions.replace('"', "").split(",") and f'"Name":"{schema[1]}"' in record, f"the authorizer writes {dimensions}")
