"""What may go wrong with edgeauth.yaml itself. Each function takes a Stack of it and fails when the hazard is there."""

import graphlib
import json
import re
from pathlib import Path

from hazards import into, permitted, want
from stack import Stack, graph

ROOT = Path(__file__).parent.parent
BASE = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/Prod"
WIRING = dict(
    Name="edgeauth", ApiId="a1b2c3d4e5", BaseUrl=BASE, CallbackRole="edgeauth-CallbackFunctionRole-X", CallbackLogGroup="edgeauth-CallbackLogs-X",
    ApiName="edgeauth", StageName="Prod",
)
POOL = dict(ExistingUserPoolId="eu-west-1_Existing1", ExistingLoginUrl="https://login.example.com")
OIDC = dict(OidcName="Okta", OidcIssuer="https://example.okta.com", OidcClientId="abc", OidcSecretName="okta")
SAML = dict(SamlName="EntraID", SamlMetadataUrl="https://login.example.com/metadata.xml")
LOGIN = dict(LoginDomain="login.example.org", LoginCertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/a")
WIRED = {"Name", "ApiId", "BaseUrl", "CallbackRole"}  # without a default: only the application around it knows them
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:trigger"

ALL = []  # every check, in the order of this file
hazard = into(ALL)


def part(text):
    return Stack(text, **WIRING)


def again(stack, **parameters):
    """The same template under other parameters."""
    return stack.again(**parameters)


# ---------------------------------------------------------------- a nested stack


@hazard
def it_is_plain_cloudformation(s):
    """Tools of every kind can read it, and a nested template is transformed by nobody who runs it on this machine."""
    want("Transform" not in s.source, "needs a transform")
    want(not [n for n, r in s.source["Resources"].items() if r["Type"].startswith("AWS::Serverless::")], "resources of SAM")
    want(not re.search(r"(?m)(: |- )[&*][a-z-]+( |$)", s.text), "an alias of YAML, which CloudFormation takes from nobody but the CLI")


@hazard
def nothing_waits_for_itself(s):
    try:
        list(graphlib.TopologicalSorter(graph(s)).static_order())
    except graphlib.CycleError as e:
        raise AssertionError("a circle: " + " -> ".join(e.args[1])) from None


@hazard
def it_has_few_enough_parameters(s):
    want(len(s.source["Parameters"]) <= 60, f"{len(s.source['Parameters'])} parameters")
    want(len(s.text.encode()) < 51_200, "too long to be deployed by itself")


@hazard
def parameters_explain_themselves(s):
    for name, p in s.source["Parameters"].items():
        want(len(p.get("Description", "")) >= 20, f"{name} has no description")
        want(("Default" in p) != (name in WIRED), f"{name}: a default is missing, or is one that nobody can know")
        want({"AllowedPattern", "AllowedValues", "MinValue"} & set(p), f"{name} takes anything")


@hazard
def defaults_are_allowed(s):
    for name, p in s.source["Parameters"].items():
        if "Default" not in p:
            continue
        value = str(p["Default"])
        if "AllowedPattern" in p:
            want(re.search(p["AllowedPattern"], value), f"{name}: the default does not match the pattern")
        if "AllowedValues" in p:
            want(value in map(str, p["AllowedValues"]), f"{name}: the default is not allowed")
        if "MinValue" in p:
            want(p["MinValue"] <= p["Default"] <= p["MaxValue"], f"{name}: the default is out of range")


@hazard
def names_that_aws_keeps_are_refused(s):
    """Both fail late, in the middle of a deployment."""
    refused = {"LoginDomain": ["my-aws-app", "amazon", "cognito1"], "Name": ["aws-app", "ssm", "AWSapp", "a" * 54]}
    for name, values in refused.items():
        for value in values:
            want(not re.search(s.source["Parameters"][name]["AllowedPattern"], value), f"{name}={value} passes")
        want(re.search(s.source["Parameters"][name]["AllowedPattern"], "a" * 53), f"{name} takes nothing")


@hazard
def half_an_answer_is_refused(s):
    """Rules name what belongs together."""
    asked = json.dumps(s.source.get("Rules", {}))
    for name in ["LoginDomain", "ExistingLoginUrl", "OidcIssuer", "OidcClientId", "OidcSecretName", "SamlMetadataUrl"]:
        want(f'{{"Ref": "{name}"}}' in asked, f"no rule asks for {name}")


@hazard
def rules_use_the_functions_that_rules_may(s):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html"""
    used = set(re.findall(r'"(Fn::\w+)"', json.dumps(s.source.get("Rules", {}))))
    want(used <= {"Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}, f"rules use {sorted(used)}")


# ---------------------------------------------------------------- the authorizer


@hazard
def the_authorizer_has_the_name_that_apis_use(s):
    """The first cut: APIs construct the ARN from Name and the alias."""
    alias = s.one("AWS::Lambda::Alias")
    want(s.one("AWS::Lambda::Function")["FunctionName"] == "edgeauth-authorizer", "the function has another name")
    want((alias["Name"], alias["FunctionName"]) == ("live", {"Ref": "AuthorizerFunction"}), "the alias has another name, or is another function's")
    want(s.variables("AuthorizerFunction")["AUTH_CLIENT_IDS"] == {"Ref": "UserPoolClient"}, "the authorizer does not get the client's id")


@hazard
def what_was_deployed_is_live(s):
    """A version never changes: an alias that stays at one would keep former rules."""
    want(s.one("AWS::Lambda::Alias")["FunctionVersion"] == "$LATEST", "the alias stays behind")
    want(not s.of("AWS::Lambda::Version") and not s.of("AWS::CodeDeploy::Application"), "a version that nobody has asked for")
    for colour, version in [("PREPARE", "AuthorizerGreen"), ("GRADUAL_BLUE", "AuthorizerBlue"), ("GRADUAL_GREEN", "AuthorizerGreen")]:
        x = again(s, Deployment=colour)
        want(x.one("AWS::Lambda::Alias")["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]} or x.one("AWS::Lambda::Alias")["FunctionVersion"] == {"Fn::GetAtt": version + ".Version"}, f"{colour} leads to another version")
        want(list(x.of("AWS::Lambda::Version")) == [version], f"{colour} has versions {list(x.of('AWS::Lambda::Version'))}")
        want(x.resources[version]["DeletionPolicy"] == "Retain", "a version goes while requests are on their way to it")


@hazard
def a_bad_change_goes_back(s):
    x = again(s, Deployment="GRADUAL_BLUE")
    group = x.one("AWS::CodeDeploy::DeploymentGroup")
    want(group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": "CannotTellAlarm"}}]}, "no alarm stops it")
    want("DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"] and group["AutoRollbackConfiguration"]["Enabled"] is True, "nothing goes back")
    policy = s.source["Resources"]["AuthorizerAlias"]["UpdatePolicy"]["Fn::If"]
    want(policy[0] == "IsGradual" and "CodeDeployLambdaAliasUpdate" in policy[1], "CodeDeploy is not asked")


@hazard
def the_api_may_call_the_authorizer(s):
    want(permitted(s, {"Ref": "AuthorizerAlias"}, "a1b2c3d4e5", "/authorizers/*"), "this API may not call the alias")


@hazard
def only_this_api_may_call(s):
    for name, p in s.of("AWS::Lambda::Permission").items():
        want(":a1b2c3d4e5/" in p["SourceArn"], f"{name} lets any API in")


@hazard
def the_function_runs_what_the_makefile_builds(s):
    f = s.one("AWS::Lambda::Function")
    want((f["Runtime"], f["Handler"], f["Architectures"]) == ("provided.al2023", "bootstrap", ["arm64"]), "runtime, handler or architecture")
    want(f["Code"] == "." and s.source["Resources"]["AuthorizerFunction"]["Metadata"]["BuildMethod"] == "makefile", "built from a stale cache")


@hazard
def settings_are_those_the_code_reads(s):
    text = (ROOT / "internal/config/config.go").read_text()
    table = re.search(r"var Settings = .*?\n}", text, re.S).group()
    read = set(re.findall(r"AUTH_\w+", re.search(r'"authorizer":(.*?)}', table, re.S).group(1)))
    given = {v for v in s.variables("AuthorizerFunction") if v.startswith("AUTH_")}
    want(read and read == given, f"{sorted(read ^ given)}")


@hazard
def the_environment_fits(s):
    """Lambda takes 4 KB of variables: everything fits, however long the long parameters are."""
    long = {"AccessRules": "a", "JwksSnapshot": '{"keys":[]}', "TrustedPools": "[]", "MoreClaims": "a", "BearerClientIds": "a", "UserBearer": "true", "MachineScope": "a/b"}
    for name in ["AccessRules", "JwksSnapshot", "TrustedPools"]:
        long[name] = long[name].ljust(s.source["Parameters"][name].get("MaxLength", 1 << 20))
    stack = again(s, **long)
    size = sum(len(k) + len(v if isinstance(v, str) else "x" * 100) for k, v in stack.variables("AuthorizerFunction").items())
    want(size <= 4096, f"{size} bytes when every parameter is as long as it may be")


@hazard
def the_parameter_fits(s):
    """A standard parameter of SSM holds 4 KB: everything fits, however long the long parameters are."""
    long = {n: s.source["Parameters"][n].get("MaxLength", 1 << 20) for n in ["JwksSnapshot", "Scopes", "MoreClaims", "BrandLogo", "BrandSupport"]}
    value = again(s, JwksSnapshot='{"keys":[]}'.ljust(long["JwksSnapshot"]), **{n: "a" * long[n] for n in long if n != "JwksSnapshot"}, BrandName="a" * 80, **POOL)
    want(len(value.one("AWS::SSM::Parameter")["Value"]) <= 4096 - 400, "longer than 4 KB when every parameter is as long as it may be")


@hazard
def the_parameter_says_what_the_callback_reads(s):
    """Its members are those of the one version that the code knows."""
    text = (ROOT / "internal/config/signin.go").read_text()
    members = set(re.findall(r'json:"(\w+)"', text[text.index("func ParseSignIn") : text.index("var version struct")]))
    want(set(told(s)) == members, f"members {sorted(set(told(s)) ^ members)}")
    want(told(s)["v"] == int(re.search(r"SignInVersion = (\d+)", text).group(1)), "another version")
    want(told(again(s, JwksSnapshot='{"keys":[]}'))["jwks"] == {"keys": []} and told(s)["jwks"] is None, "the snapshot")
    want(s.one("AWS::SSM::Parameter")["Name"] == "/edgeauth/auth", "another name than applications tell the callback")


@hazard
def one_event_at_a_time_uses_one_processor(s):
    want(s.variables("AuthorizerFunction").get("GOMAXPROCS") == "1", "GOMAXPROCS")


@hazard
def every_log_expires(s):
    groups = s.of("AWS::Logs::LogGroup")
    for name, group in groups.items():
        want(group.get("RetentionInDays"), f"{name} is kept for ever")
    want(s.one("AWS::Lambda::Function").get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") in groups, "the authorizer logs to a group that is kept for ever")


@hazard
def metrics_pass_the_log_level(s):
    """Lambda takes lines without a level for INFO, and drops what is below ApplicationLogLevel."""
    config = s.one("AWS::Lambda::Function")["LoggingConfig"]
    want((config["LogFormat"], config["ApplicationLogLevel"], config["SystemLogLevel"]) == ("JSON", "INFO", "WARN"), "metrics are dropped, or Lambda writes two lines about each request")


# ---------------------------------------------------------------- rights and secrets


@hazard
def policies_name_what_they_open(s):
    for name, p in [*s.of("AWS::IAM::Policy").items(), *s.of("AWS::IAM::Role").items()]:
        for statement in p.get("PolicyDocument", {}).get("Statement", []) + p.get("Policies", []):
            text = json.dumps([statement["Action"], statement["Resource"]])
            want("*" not in text, f"{name}: {text}")


@hazard
def managed_policies_only_write_logs(s):
    """AWSLambdaBasicExecutionRole is all; with tracing on, the right to send traces; with gradual deployment, CodeDeploy's own."""
    for parameters, names in [({}, {"AWSLambdaBasicExecutionRole"}), ({"Tracing": "Active"}, {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"}), ({"Deployment": "GRADUAL_BLUE"}, {"AWSLambdaBasicExecutionRole", "AWSCodeDeployRoleForLambdaLimited"})]:
        given = {a.split("/")[-1] for p in again(s, **parameters).of("AWS::IAM::Role").values() for a in p["ManagedPolicyArns"]}
        want(given == names, f"{given ^ names}")


@hazard
def the_authorizer_may_do_nothing(s):
    want(not s.of("AWS::IAM::Role")["AuthorizerRole"].get("Policies") and s.one("AWS::IAM::Policy")["Roles"] == ["edgeauth-CallbackFunctionRole-X"], "the authorizer has rights")


@hazard
def the_callback_may_read_one_parameter_and_one_pool(s):
    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/edgeauth/auth"
    for parameters, pool in [({}, "${UserPool}"), (POOL, "eu-west-1_Existing1")]:
        got = {(x["Action"], json.dumps(x["Resource"])) for x in again(s, **parameters).one("AWS::IAM::Policy")["PolicyDocument"]["Statement"]}
        want(got == {
            ("ssm:GetParameter", f'["{parameter}", "{parameter}/former-secret"]'),
            ("cognito-idp:DescribeUserPoolClient", f'"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{pool}"'),
        }, f"the callback may {sorted(got)}")


def rights(s):
    """(role, action, resource) of every policy that opens a table."""
    for p in s.of("AWS::IAM::Policy").values():
        for x in p["PolicyDocument"]["Statement"]:
            for action in [x["Action"]] if isinstance(x["Action"], str) else x["Action"]:
                if action.startswith("dynamodb:"):
                    yield p["Roles"][0], action, x["Resource"]


@hazard
def without_cut_off_nothing_is_kept(s):
    """No table, no right to one, and no Lambda is told of one."""
    left = [k for k in ("AWS::DynamoDB::Table",) if s.of(k)]
    told = {v for n, v in s.variables("AuthorizerFunction").items() if n.startswith("AUTH_CUTS")}
    want(not left and not list(rights(s)) and told == {"", "false"} and json.loads(s.one("AWS::SSM::Parameter")["Value"])["cuts"] == "", f"{left} {list(rights(s))} {told}")


@hazard
def cut_off_opens_one_table(s):
    """The authorizer may query it, the callback may write too, and nobody else may anything."""
    on = again(s, CutOffSeconds="5")
    table = on.one("AWS::DynamoDB::Table")
    want([k["AttributeName"] for k in table["KeySchema"]] == ["list", "entry"] and table["TimeToLiveSpecification"] == {"AttributeName": "ends", "Enabled": True}, "not the table that package cuts reads")
    want(table["BillingMode"] == "PAY_PER_REQUEST", "the table is paid for by the hour")
    got = sorted((str(role), action) for role, action, resource in rights(on) if "CutsTable" in str(resource) and "*" not in str(resource))
    authorizer = str({"Ref": "AuthorizerRole"})
    want(got == sorted([(authorizer, "dynamodb:Query"), (WIRING["CallbackRole"], "dynamodb:Query"), (WIRING["CallbackRole"], "dynamodb:PutItem")]) and len(list(rights(on))) == 3, f"rights {got}")
    told = on.variables("AuthorizerFunction")
    want("CutsTable" in str(told["AUTH_CUTS"]) and str(told["AUTH_CUTS_SECONDS"]) == "5" and "CutsTable" in json.loads(on.one("AWS::SSM::Parameter")["Value"])["cuts"], f"{told}")


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
    opened = again(s, LocalUsers="SELF_SIGN_UP").one("AWS::Cognito::UserPool")
    want(opened["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}, "SELF_SIGN_UP does nothing")
    want(again(s, **SAML, LocalUsers="NONE").one("AWS::Cognito::UserPool")["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}, "anybody may register where nobody has an account")


def told(s):
    """What the callback's parameter says."""
    return json.loads(s.one("AWS::SSM::Parameter")["Value"])


def client(s):
    return s.of("AWS::Cognito::UserPoolClient")["UserPoolClient"]


@hazard
def nobody_learns_who_has_an_account(s):
    want(client(s).get("PreventUserExistenceErrors") == "ENABLED", "the default is LEGACY")


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
    migrating = again(s, UserMigrationArn=FUNCTION)
    want([f for f in client(migrating)["ExplicitAuthFlows"] if "PASSWORD" in f] == ["ALLOW_USER_PASSWORD_AUTH"], "users cannot be brought over without their password")
    want(not [f for f in client(again(migrating, **POOL))["ExplicitAuthFlows"] if "PASSWORD" in f], "a password flow for triggers of somebody else")
    want("ALLOW_ADMIN_USER_PASSWORD_AUTH" in client(again(s, AdminPasswordAuth="true"))["ExplicitAuthFlows"], "the parameter does nothing")


@hazard
def the_client_does_the_code_flow_only(s):
    c = client(s)
    want(c["AllowedOAuthFlows"] == ["code"] and c["AllowedOAuthFlowsUserPoolClient"] is True and c["GenerateSecret"] is True, "flow or secret")
    want(c["AllowedOAuthScopes"] == ["openid", "email"], "openid alone would put every attribute into the cookie")
    want(client(again(s, Scopes="openid profile"))["AllowedOAuthScopes"] == ["openid", "profile"] and told(again(s, Scopes="openid profile"))["scopes"] == "openid profile", "Scopes do nothing")
    want("ReadAttributes" not in c, "email without email_verified makes the code exchange fail")


@hazard
def users_write_nothing_that_decides(s):
    """Left out, the list is everything: a user could write the custom attribute that a rule or a backend trusts."""
    want(client(s).get("WriteAttributes") == ["email"], f"users may write {client(s).get('WriteAttributes', 'everything')}")
    want(client(again(s, WritableAttributes="email,custom:theme"))["WriteAttributes"] == ["email", "custom:theme"], "WritableAttributes do nothing")


@hazard
def a_second_factor_is_on_or_off(s):
    """Cognito refuses MfaConfiguration OFF beside EnabledMfas, in the middle of a deployment."""
    for mfa in ["OPTIONAL", "ON"]:
        want(again(s, Mfa=mfa).one("AWS::Cognito::UserPool").get("EnabledMfas") == ["SOFTWARE_TOKEN_MFA"], f"Mfa={mfa} enables nothing")
    want("EnabledMfas" not in again(s, Mfa="OFF").one("AWS::Cognito::UserPool"), "a second factor is enabled while it is off")


@hazard
def an_update_keeps_mail_and_triggers(s):
    """UpdateUserPool resets what it is not told."""
    pool = s.one("AWS::Cognito::UserPool")
    want("EmailConfiguration" not in pool and "LambdaConfig" not in pool and not [p for p in s.of("AWS::Lambda::Permission").values() if p["Principal"].startswith("cognito")], "mail or triggers that nobody has asked for")
    x = again(s, MailFrom="a@example.com", PreSignUpArn=FUNCTION + "1", PostConfirmationArn=FUNCTION + "2", TokenGenerationArn=FUNCTION + "3", UserMigrationArn=FUNCTION + "4")
    pool = x.one("AWS::Cognito::UserPool")
    want(pool["EmailConfiguration"] == {"EmailSendingAccount": "DEVELOPER", "From": "a@example.com", "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com"}, "mail goes another way")
    named = again(s, MailFrom="Acme <no-reply@mail.example.com>").one("AWS::Cognito::UserPool")["EmailConfiguration"]
    want(named["From"] == "Acme <no-reply@mail.example.com>" and named["SourceArn"].endswith(":identity/mail.example.com"), f"mail with a name goes by {named}")
    want(pool["LambdaConfig"] == {"PreSignUp": FUNCTION + "1", "PostConfirmation": FUNCTION + "2", "PreTokenGenerationConfig": {"LambdaArn": FUNCTION + "3", "LambdaVersion": "V2_0"}, "UserMigration": FUNCTION + "4"}, f"triggers {pool['LambdaConfig']}")
    called = sorted(p["FunctionName"] for p in x.of("AWS::Lambda::Permission").values() if p["Principal"] == "cognito-idp.amazonaws.com" and "UserPool" in json.dumps(p["SourceArn"]))
    want(called == [FUNCTION + n for n in "1234"], f"Cognito may call {called}")
    want(not again(x, **POOL).of("AWS::Cognito::UserPool") and not [p for p in again(x, **POOL).of("AWS::Lambda::Permission").values() if p["Principal"].startswith("cognito")], "an existing pool's triggers are its own")


@hazard
def sign_out_can_revoke(s):
    want(client(s)["EnableTokenRevocation"] is True, "revocation is off")


@hazard
def one_mailbox_is_one_user(s):
    p = s.one("AWS::Cognito::UserPool")
    want(p["UsernameAttributes"] == ["email"] and p["UsernameConfiguration"] == {"CaseSensitive": False}, "cannot be changed later")


@hazard
def users_outlive_the_stack(s):
    """And a first deployment that fails goes back to nothing: deletion protection would leave it halfway, with a pool that belongs to nobody."""
    for name in ["UserPool", "AdminsGroup"]:
        r = s.resources[name]
        want((r.get("DeletionPolicy"), r.get("UpdateReplacePolicy")) == ("RetainExceptOnCreate", "Retain"), f"{name} goes with the stack")
    want(s.one("AWS::Cognito::UserPool")["DeletionProtection"] == "INACTIVE", "the first deployment cannot be rolled back")
    want(again(s, DeletionProtection="ACTIVE").one("AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE", "DeletionProtection does nothing")


@hazard
def groups_stay_small(s):
    """A group's role is written into every ID token, and so into every cookie."""
    want(all("RoleArn" not in g for g in s.of("AWS::Cognito::UserPoolGroup").values()), "a group has a role")


@hazard
def redirects_lead_home(s):
    """Cognito compares redirect URIs character by character; the callback compares hosts with base_urls. All must say the same."""
    for base in [BASE, "https://app.example.com", "https://app.example.com/orders"]:
        x = again(s, BaseUrl=base)
        want(client(x)["CallbackURLs"] == [base + "/auth/callback"], f"callback {client(x)['CallbackURLs']}")
        want(client(x)["LogoutURLs"] == [base + "/auth/signed-out"], f"sign-out {client(x)['LogoutURLs']}")
        want(told(x)["base_urls"] == [base] and told(x)["client_id"] == "${UserPoolClient}", f"the callback is told {told(x)}")


@hazard
def base_urls_are_addresses(s):
    for value in ["http://app.example.com", "https://app.example.com/", "https://app.example.com/a?b", "app.example.com", "https://u@app.example.com"]:
        want(not re.search(s.source["Parameters"]["BaseUrl"]["AllowedPattern"], value), f"BaseUrl={value} passes")


@hazard
def the_login_url_is_the_domains(s):
    for parameters, url in [({}, "https://${UserPoolDomain}.auth.eu-west-1.amazoncognito.com"), ({"LoginDomain": "acme"}, "https://${UserPoolDomain}.auth.eu-west-1.amazoncognito.com"), (LOGIN, "https://login.example.org"), (POOL, "https://login.example.com")]:
        want(told(again(s, **parameters))["login_url"] == url, f"the callback is told {told(again(s, **parameters))}")
    domain = again(s, **LOGIN).one("AWS::Cognito::UserPoolDomain")
    want(domain["Domain"] == "login.example.org" and "CustomDomainConfig" in domain, "the domain is another")


@hazard
def the_login_host_is_made_up_when_nobody_names_it(s):
    want(s.one("AWS::Cognito::UserPoolDomain")["Domain"] == "edgeauth-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "not from the stack's id")
    want(again(s, LoginDomain="acme").one("AWS::Cognito::UserPoolDomain") == {"UserPoolId": {"Ref": "UserPool"}, "Domain": "acme", "ManagedLoginVersion": 2}, "a prefix does nothing")


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
    want(client(again(s, **SAML, LocalUsers="NONE"))["SupportedIdentityProviders"] == [{"Ref": "SamlProvider"}], "the pool's own users still may")
    want(client(s)["SupportedIdentityProviders"] == ["COGNITO"], "a provider that does not exist")


@hazard
def external_addresses_are_verified_by_somebody(s):
    """Backends get no address that the pool does not hold for verified, and a provider's is not unless its word is mapped."""
    mapped = lambda x, p: x.of("AWS::Cognito::UserPoolIdentityProvider")[p]["AttributeMapping"]
    want(mapped(again(s, **OIDC), "OidcProvider") == {"email": "email", "email_verified": "email_verified"}, "OpenID Connect")
    want(mapped(again(s, **OIDC, EmailVerifiedAttribute="mail_ok"), "OidcProvider")["email_verified"] == "mail_ok", "EmailVerifiedAttribute does nothing")
    want("email_verified" not in mapped(again(s, **SAML), "SamlProvider"), "an attribute that nobody has named")
    want(mapped(again(s, **SAML, EmailVerifiedAttribute="verified"), "SamlProvider").get("email_verified") == "verified", "EmailVerifiedAttribute does nothing")


# ---------------------------------------------------------------- operation


@hazard
def a_web_acl_guards_both_doors(s):
    acl = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b"
    of = lambda x: {json.dumps(p["ResourceArn"]) for p in x.of("AWS::WAFv2::WebACLAssociation").values() if p["WebACLArn"] == acl}
    api, pool = '"arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/Prod"', {json.dumps({"Fn::GetAtt": ["UserPool", "Arn"]}), json.dumps({"Fn::GetAtt": "UserPool.Arn"})}
    want(not s.of("AWS::WAFv2::WebACLAssociation"), "guarded without being asked")
    got = of(again(s, WebAclArn=acl))
    want(api in got and len(got) == 2 and got & pool, f"{got}")
    want(of(again(s, WebAclArn=acl, **POOL)) == {api}, "an existing pool is somebody else's to guard")
    want(of(again(s, WebAclArn=acl, StageName="")) & {api} == set(), "a stage that it was not told of")


@hazard
def tracing_reaches_the_authorizer(s):
    want(again(s, Tracing="Active").one("AWS::Lambda::Function")["TracingConfig"] == {"Mode": "Active"} and "TracingConfig" not in s.one("AWS::Lambda::Function"), "Tracing does nothing, or is on")


def filters(s):
    """(metric name, log group, pattern) of every metric filter."""
    for p in s.of("AWS::Logs::MetricFilter").values():
        (t,) = p["MetricTransformations"]
        yield t["MetricName"], p["LogGroupName"], p["FilterPattern"]


@hazard
def alarms_watch_what_is_written(s):
    """A pattern that no line matches is an alarm that never rings."""
    code = {"{'Ref': 'AuthorizerLogs'}": "authorizer/record.go", "edgeauth-CallbackLogs-X": "internal/login/answer.go"}
    known = (ROOT / "internal/reason/reason.go").read_text()
    for metric, group, pattern in filters(s):
        (message,) = re.findall(r'\$\.msg = "(\w+)"', pattern)
        want(re.search(rf'"msg":"{message}"|, "{message}", ', (ROOT / code[str(group)]).read_text()), f"{metric}: nobody writes {message}")
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
def alarms_watch_what_there_is(s):
    """Without the callback's log group or the API's name there is nothing to count."""
    left = set(again(s, CallbackLogGroup="", ApiName="").of("AWS::CloudWatch::Alarm"))
    want(left == {"CannotTellAlarm", "ForgedTokensAlarm"}, f"alarms {sorted(left)}")
    json.loads(again(s, CallbackLogGroup="", ApiName="").one("AWS::CloudWatch::Dashboard")["DashboardBody"])


@hazard
def a_sign_out_that_nobody_was_told_of_rings(s):
    """Copies of that session live on."""
    on = again(s, CutOffSeconds="5")
    (pattern,) = [p for m, _, p in filters(on) if m == "edgeauth-unwritten-endings"]
    (member,) = re.findall(r"\$\.(\w+) = 1", pattern)
    want(f'v.metric("{member}")' in (ROOT / "internal/login/cut.go").read_text() and '$.msg = "login"' in pattern, f"nobody writes {member}")
    (alarm,) = [a for a in on.of("AWS::CloudWatch::Alarm").values() if a["MetricName"] == "edgeauth-unwritten-endings"]
    want(alarm["Threshold"] == 1 or alarm["Threshold"] == "1", "one is not enough")
    want("UnwrittenEndingsAlarm" not in again(s, CutOffSeconds="5", CallbackLogGroup="").of("AWS::CloudWatch::Alarm"), "it counts lines of a log that nobody has named")


@hazard
def stacks_do_not_share_metrics(s):
    want(all(m.startswith("edgeauth-") for m, _, _ in filters(s)), "the metric lacks the stack's name")  # edgeauth is Name here


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
    (dimensions,) = re.findall(r"var dimensions = \[\]string{(.*?)}", record)
    want(schema[0].split(",") == re.findall(r'"(\w+)"', dimensions) and f'Name: "{schema[1]}"' in record, f"the authorizer writes {dimensions}")

