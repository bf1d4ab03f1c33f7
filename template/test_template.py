"""Holds template.yaml against every hazard, and every hazard against a template that has it.

Each row of BROKEN changes the template's text in one place and names the check that must go red. A fragment has to occur exactly once.
"""

import os
import re
import unittest
from pathlib import Path

import hazards
from stack import Stack

TEMPLATE = Path(os.environ.get("TEMPLATE") or Path(__file__).parent.parent / "template.yaml")
DOCS = Path(__file__).parent.parent / "docs"
TEXT = TEMPLATE.read_text()

BROKEN = [
    # check, what stands in the template, what would be wrong
    ("dependencies_form_no_circle", "AUTH_PARAMETER: !Sub /${AWS::StackName}/auth #", "AUTH_PARAMETER: !Ref AuthParameter #"),
    ("dependencies_form_no_circle", "          AUTH_PARAMETER:", "          X: !Ref UserPoolClient\n          AUTH_PARAMETER:"),
    ("dependencies_form_no_circle", "Description: Sample backend - JSON for programs", "Description: !Sub '${Api}'"),
    ("dependencies_form_no_circle", "FunctionArn: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-authorizer", "FunctionArn: !GetAtt AuthorizerFunction.Arn"),
    ("the_api_does_not_wait_for_the_authorizer", "FunctionArn: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-authorizer", "FunctionArn: !GetAtt AuthorizerFunction.Arn"),
    ("the_api_does_not_wait_for_the_authorizer", "AUTH_CLIENT_IDS: !Ref UserPoolClient", "AUTH_CLIENT_IDS: x"),
    ("the_constructed_arn_is_the_authorizers", "FunctionName: !Sub ${AWS::StackName}-authorizer\n", "FunctionName: !Sub ${AWS::StackName}-authoriser\n"),
    ("the_callback_gets_only_a_name", "AUTH_PARAMETER: !Sub /${AWS::StackName}/auth #", "AUTH_PARAMETER: !Sub /${AWS::StackName}/login #"),
    ("the_callback_gets_only_a_name", "- !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}/auth\n", "- !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${AuthParameter}\n"),
    ("a_changed_parameter_reaches_the_stage", "AlwaysDeploy: true", "AlwaysDeploy: false"),
    ("there_is_one_stage", "  Api:\n    OpenApiVersion: 3.0.1 # without it SAM adds a second stage, named \"Stage\"\n", ""),
    ("parameters_explain_themselves", "    AllowedValues: [ACTIVE, INACTIVE]\n", ""),
    ("parameters_explain_themselves", "    Default: this application\n", ""),
    ("parameters_explain_themselves", "Description: Days until somebody has to sign in again.", "Description: Days."),
    ("defaults_are_allowed", "Default: OPTIONAL", "Default: MAYBE"),
    ("defaults_are_allowed", "Default: this application", "Default: 'this \"application\"'"),
    ("defaults_are_allowed", "MinValue: 5\n", "MinValue: 90\n"),
    ("half_an_answer_is_refused", "!Not [!Equals [!Ref SamlMetadataUrl, '']]", "!Not [!Equals [!Ref SamlName, '']]"),
    ("rules_use_the_functions_that_rules_may", "Assert: !Or [!Not [!Equals [!Ref OidcName, '']], !Not [!Equals [!Ref SamlName, '']]]", "Assert: !Not [!Equals [!Sub '${OidcName}${SamlName}', '']]"),
    ("every_route_has_the_authorizer_or_is_public_by_name", "Path: '/api/{proxy+}', Method: ANY }", "Path: '/api/{proxy+}', Method: ANY, Auth: { Authorizer: NONE } }"),
    ("every_route_has_the_authorizer_or_is_public_by_name", "            Auth: { Authorizer: NONE } # the only public route\n", ""),
    ("no_request_is_answered_before_the_authorizer", "Identity: { ReauthorizeEvery: 0 }", "Identity: { ReauthorizeEvery: 0, Headers: [Cookie] }"),
    ("no_decision_is_replayed", "Identity: { ReauthorizeEvery: 0 }", "Identity: { Headers: [Cookie] }"),
    ("preflights_need_no_session", "AddDefaultAuthorizerToCorsPreflight: false", "AddDefaultAuthorizerToCorsPreflight: true"),
    ("the_api_may_call_the_authorizer", "FunctionName: !Ref AuthorizerFunction", "FunctionName: !Ref CallbackFunction"),
    ("the_api_may_call_the_authorizer", "${Api}/authorizers/*", "${Api}/*/GET/"),
    ("the_api_may_call_every_backend", "      Events:\n        Api:\n          Type: Api\n          Properties: { RestApiId: !Ref Api, Path: '/api/{proxy+}', Method: ANY }\n", ""),
    ("only_this_api_may_call", "${AWS::AccountId}:${Api}/authorizers/*", "${AWS::AccountId}:*/authorizers/*"),
    ("the_endpoint_is_regional", "EndpointConfiguration: { Type: REGIONAL }", "EndpointConfiguration: { Type: EDGE }"),
    ("there_is_one_origin", "DisableExecuteApiEndpoint: !If [HasAppDomain, true, false]", "DisableExecuteApiEndpoint: false"),
    ("a_denial_goes_where_the_authorizer_says", "StatusCode: 302", "StatusCode: 307"),
    ("a_denial_goes_where_the_authorizer_says", "Location: context.authorizer.location", "Location: \"'/Prod/auth/login'\""),
    ("a_program_gets_401", "StatusCode: 401", "StatusCode: 403"),
    ("a_program_gets_401", "              WWW-Authenticate: \"'Bearer'\"\n", ""),
    ("a_failing_authorizer_is_500_and_retryable", "AUTHORIZER_CONFIGURATION_ERROR: *cannot-tell", "AUTHORIZER_CONFIGURATION_ERROR: { StatusCode: 500 }"),
    ("a_failing_authorizer_is_500_and_retryable", "              Retry-After: \"'5'\"\n", ""),
    ("every_response_type_is_spoken_for", "        THROTTLED:\n", "        QUOTA_EXCEEDED:\n"),
    ("statuses_are_explicit_except_on_defaults", "          StatusCode: 504\n", ""),
    ("statuses_are_explicit_except_on_defaults", "        DEFAULT_5XX:\n", "        DEFAULT_5XX:\n          StatusCode: 500\n"),
    ("responses_inherit_nothing", "INTEGRATION_TIMEOUT:\n          StatusCode: 504\n          ResponseParameters: { Headers: *plain }", "INTEGRATION_TIMEOUT:\n          StatusCode: 504"),
    ("bodies_echo_nothing_of_the_request", "application/json: &generic '{\"error\":\"$context.error.responseType\"", "application/json: &generic '{\"error\":\"$context.path\""),
    ("bodies_echo_nothing_of_the_request", "application/json: &generic '{\"error\":\"$context.error.responseType\",", "application/json: &generic '{\"error\":$context.error.message,"),
    ("set_cookie_is_left_to_the_callback", "              WWW-Authenticate: \"'Bearer'\"\n", "              WWW-Authenticate: \"'Bearer'\"\n              Set-Cookie: \"'__Host-id='\"\n"),
    ("responses_are_deployed_with_the_api", "  AppDomainName:\n", "  Throttled:\n    Type: AWS::ApiGateway::GatewayResponse\n    Properties: { ResponseType: QUOTA_EXCEEDED, RestApiId: !Ref Api }\n\n  AppDomainName:\n"),
    ("a_foreign_script_can_read_a_refusal", "X-Content-Type-Options: \"'nosniff'\", Access-Control-Allow-Origin: *origin,", "X-Content-Type-Options: \"'nosniff'\","),
    ("no_origin_is_allowed_by_default", "&origin !If [HasAllowedOrigin, !Sub \"'${AllowedOrigin}'\", !Ref AWS::NoValue]", "&origin method.request.header.Origin"),
    ("no_origin_is_allowed_by_default", "'https://none.invalid'", "'null'"),
    ("functions_run_what_the_makefile_builds", "Architectures: [arm64]", "Architectures: [x86_64]"),
    ("functions_run_what_the_makefile_builds", "    Metadata: { BuildMethod: makefile }\n    Properties:\n      Description: Sample backend - JSON for programs\n      CodeUri: .", "    Metadata: { BuildMethod: makefile }\n    Properties:\n      Description: Sample backend - JSON for programs\n      CodeUri: app/api"),
    ("settings_are_those_the_code_reads", "          AUTH_LOGIN_PATH: '' # under this API's own address\n", ""),
    ("settings_are_those_the_code_reads", "          AUTH_RULES: !Ref AccessRules\n", "          AUTH_RULES: !Ref AccessRules\n          AUTH_RULE: ''\n"),
    ("the_environment_fits", "    AllowedPattern: '^[\\x20-\\x7E\\r\\n\\t]*$'\n    MaxLength: 1200\n", "    AllowedPattern: '^[\\x20-\\x7E\\r\\n\\t]*$'\n    MaxLength: 2400\n"),
    ("one_event_at_a_time_uses_one_processor", "GOMAXPROCS: '1'", "GOMAXPROCS: '2'"),
    ("every_log_expires", "      LoggingConfig: { LogGroup: !Ref CallbackLogs }\n", ""),
    ("every_log_expires", "  DashboardLogs:\n    Type: AWS::Logs::LogGroup\n    Properties: { RetentionInDays: !Ref LogRetentionDays }\n", "  DashboardLogs:\n    Type: AWS::Logs::LogGroup\n"),
    ("policies_name_what_they_open", "Action: ssm:GetParameter", "Action: ssm:Get*"),
    ("managed_policies_only_write_logs", "      Description: Sample backend - JSON for programs\n", "      Description: Sample backend - JSON for programs\n      Policies: AmazonSSMReadOnlyAccess\n"),
    ("the_authorizer_may_do_nothing", "      LoggingConfig: { LogGroup: !Ref AuthorizerLogs }\n", "      LoggingConfig: { LogGroup: !Ref AuthorizerLogs }\n      Policies: [{ Statement: [{ Effect: Allow, Action: sqs:SendMessage, Resource: arn:x }] }]\n"),
    ("the_callback_may_read_one_parameter_and_one_pool", "Action: cognito-idp:DescribeUserPoolClient", "Action: cognito-idp:UpdateUserPoolClient"),
    ("the_callback_may_read_one_parameter_and_one_pool", "{ Pool: &pool !If [PoolIsOurs, !Ref UserPool, !Ref ExistingUserPoolId] }]", "{ Pool: &pool !Ref UserPool }]"),
    ("no_secret_is_handed_around", "    Value: !Ref UserPoolClient\n", "    Value: !GetAtt UserPoolClient.ClientSecret\n"),
    ("no_secret_is_handed_around", "client_secret: !Sub '{{resolve:secretsmanager:${OidcSecretName}:SecretString:client_secret}}'", "client_secret: !Ref OidcSecretName"),
    ("no_secret_is_handed_around", "  OidcClientId:\n    Type: String\n", "  OidcClientSecret:\n    Type: String\n    Default: ''\n  OidcClientId:\n    Type: String\n"),
    ("strangers_cannot_register", "AllowAdminCreateUserOnly: !If [SignUpIsOpen, false, true]", "AllowAdminCreateUserOnly: !If [SignUpIsOpen, true, false]"),
    ("nobody_learns_who_has_an_account", "      PreventUserExistenceErrors: ENABLED # the default tells strangers who has an account\n", ""),
    ("validities_have_units", "      TokenValidityUnits: { IdToken: minutes, AccessToken: minutes, RefreshToken: days }\n", "      TokenValidityUnits: { RefreshToken: days }\n"),
    ("the_login_page_is_alive", "ManagedLoginVersion: 2", "ManagedLoginVersion: 1"),
    ("the_login_page_is_alive", "    Condition: LoginIsManaged\n", "    Condition: PoolIsOurs\n"),
    ("the_login_page_is_alive", "UserPoolTier: ESSENTIALS", "UserPoolTier: LITE"),
    ("flows_are_listed", "!If [RotationIsOn, !Ref AWS::NoValue, ALLOW_REFRESH_TOKEN_AUTH]", "ALLOW_REFRESH_TOKEN_AUTH"),
    ("flows_are_listed", "RetryGracePeriodSeconds: 60", "RetryGracePeriodSeconds: 0"),
    ("passwords_open_nothing_by_default", "!If [AdminsMayUsePasswords, ALLOW_ADMIN_USER_PASSWORD_AUTH, !Ref AWS::NoValue]", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
    ("the_client_does_the_code_flow_only", "AllowedOAuthFlows: [code]", "AllowedOAuthFlows: [code, implicit]"),
    ("the_client_does_the_code_flow_only", "ClientName: !Ref AWS::StackName\n      GenerateSecret: true", "ClientName: !Ref AWS::StackName\n      GenerateSecret: false"),
    ("the_client_does_the_code_flow_only", "AllowedOAuthScopes: !Split [' ', !Ref Scopes]", "AllowedOAuthScopes: [openid]"),
    ("sign_out_can_revoke", "EnableTokenRevocation: true", "EnableTokenRevocation: false"),
    ("one_mailbox_is_one_user", "CaseSensitive: false", "CaseSensitive: true"),
    ("the_pool_survives_the_stack", "    AllowedValues: [ACTIVE, INACTIVE]\n    Default: ACTIVE", "    AllowedValues: [ACTIVE, INACTIVE]\n    Default: INACTIVE"),
    ("groups_stay_small", "GroupName: admins,", "GroupName: admins, RoleArn: arn:x,"),
    ("redirects_lead_home", "${Base}/auth/signed-out", "${Base}/signed-out"),
    ("redirects_lead_home", "&base !If [HasAppDomain, !Sub 'https://${AppDomain}',", "&base !If [HasAppDomain, !Sub 'https://${AppDomain}/',"),
    ("redirects_lead_home", "          Base: *base\n", "          Base: !Sub 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}'\n"),
    ("the_login_url_is_the_domains", "            - !Ref ExistingLoginUrl\n", "            - !Sub 'https://${DomainPrefix}.auth.${AWS::Region}.amazoncognito.com'\n"),
    ("the_login_url_is_the_domains", "      CustomDomainConfig: !If [HasLoginDomain, { CertificateArn: !Ref LoginCertificateArn }, !Ref AWS::NoValue]\n", ""),
    ("the_login_host_is_made_up_when_nobody_names_it", "{ Id: !Select [2, !Split", "{ Id: !Select [1, !Split"),
    ("an_existing_pool_is_only_borrowed", "  AdminsGroup:\n    Type: AWS::Cognito::UserPoolGroup\n    Condition: PoolIsOurs\n", "  AdminsGroup:\n    Type: AWS::Cognito::UserPoolGroup\n"),
    ("an_existing_pool_is_only_borrowed", "{ Host: !If [IssuerIsUpdated, issuer-cognito-idp, cognito-idp] }", "{ Host: cognito-idp }"),
    ("machines_come_by_name_only", "AllowedOAuthFlows: [client_credentials]", "AllowedOAuthFlows: [code]"),
    ("machines_come_by_name_only", "    DependsOn: MachineScopes # a client's scopes have to be there before it\n", ""),
    ("machines_come_by_name_only", "      ExplicitAuthFlows: [ALLOW_REFRESH_TOKEN_AUTH] # the least there is: saying nothing allows passwords as well\n", ""),
    ("machines_come_by_name_only", "- !If [UsersAreBearers, !Ref UserPoolClient, !Ref AWS::NoValue]", "- !Ref UserPoolClient"),
    ("machines_come_by_name_only", "- !If [HasMachine, !Ref MachineClient, !Ref AWS::NoValue]", "- !Ref AWS::NoValue"),
    ("external_providers_are_offered", "- !If [HasSaml, !Ref SamlProvider, !Ref AWS::NoValue]", "- !If [HasSaml, !Ref OidcProvider, !Ref AWS::NoValue]"),
    ("external_providers_are_offered", "- !If [UsersAreLocal, COGNITO, !Ref AWS::NoValue]", "- COGNITO"),
    ("requests_are_throttled", "          ThrottlingRateLimit: !Ref RequestsPerSecond\n", "          ThrottlingRateLimit: 0\n"),
    ("execution_logs_hold_no_cookies", "DataTraceEnabled: false", "DataTraceEnabled: true"),
    ("the_access_log_tells_why_and_how_long", '"reason":"$context.authorizer.reason","sub"', '"sub"'),
    ("the_access_log_tells_why_and_how_long", '"path":"$context.path"', '"path":"$context.path","to":"$context.authorizer.location"'),
    ("the_access_log_tells_why_and_how_long", "    AllowedValues: ['OFF', 'ON', ON_WITH_ACCOUNT_ROLE]\n    Default: 'OFF'", "    AllowedValues: ['OFF', 'ON', ON_WITH_ACCOUNT_ROLE]\n    Default: 'ON'"),
    ("the_access_log_has_its_role_first", "Value: !If [MakesAccountRole, !Ref AccountLogging, existing]", "Value: existing"),
    ("the_access_log_has_its_role_first", "    Type: AWS::ApiGateway::Account\n    Condition: MakesAccountRole\n    DeletionPolicy: Retain\n", "    Type: AWS::ApiGateway::Account\n    Condition: MakesAccountRole\n"),
    ("alarms_watch_what_is_written", '($.reason = "token_algorithm")', '($.reason = "token_algoritm")'),
    ("alarms_watch_what_is_written", '{ ($.msg = "login") && ($.outcome = "cannot_tell") }', '{ ($.msg = "visit") && ($.outcome = "cannot_tell") }'),
    ("every_alarm_has_its_metric", "      Namespace: edgeauth\n      MetricName: !Sub '${AWS::StackName}-forged-tokens'", "      Namespace: edgeauth\n      MetricName: !Sub '${AWS::StackName}-foreign-tokens'"),
    ("stacks_do_not_share_metrics", "[{ MetricNamespace: edgeauth, MetricName: !Sub '${AWS::StackName}-sessions-too-large',", "[{ MetricNamespace: edgeauth, MetricName: sessions-too-large,"),
    ("no_alarm_counts_programs_without_a_session", "MetricName: 5XXError", "MetricName: 4XXError"),
    ("alarms_reach_somebody", "AlarmActions: &actions !If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]", "AlarmActions: &actions []"),
    ("the_dashboard_shows_what_is_written", "outcome,reason} MetricName=", "outcome,code} MetricName="),
    ("the_dashboard_shows_what_is_written", "\n        ]}\n", "\n        ]\n"),
    ("tracing_reaches_every_part", "    Tracing: !Ref Tracing\n", ""),
    ("tracing_reaches_every_part", "TracingEnabled: !If [Traces, true, false]", "TracingEnabled: false"),
]


class Template(unittest.TestCase):
    def test_has_no_hazard(self):
        stack = Stack(TEXT)
        for check in hazards.ALL:
            with self.subTest(check.__name__):
                check(stack)

    def test_every_check_goes_red(self):
        checks = {f.__name__: f for f in hazards.ALL}
        for name, good, bad in BROKEN:
            with self.subTest(name, instead=bad):
                self.assertEqual(TEXT.count(good), 1, f"{good!r} has to occur once")
                broken = Stack(TEXT.replace(good, bad))
                with self.assertRaises((AssertionError, KeyError, ValueError)):
                    checks[name](broken)

    def test_every_check_has_a_broken_template(self):
        self.assertEqual({f.__name__ for f in hazards.ALL}, {name for name, _, _ in BROKEN})

    def test_every_check_is_explained(self):
        rows = re.findall(r"^\| .* \| (.*) \| `([a-z0-9_]+)` \|$", (DOCS / "deploy.md").read_text(), re.M)
        self.assertEqual({name for _, name in rows}, {f.__name__ for f in hazards.ALL})
        for settled, name in rows:
            for line in re.findall(r"`([^`]+)`", settled):
                with self.subTest(name):
                    self.assertTrue(line in TEXT or line == "Policies", f"{line} is not in the template")

    def test_every_reason_has_a_runbook(self):
        codes = re.findall(r'Code = "(\w+)"', (DOCS.parent / "internal/reason/reason.go").read_text())
        text = (DOCS / "operations.md").read_text().split("## Reason codes")[1].split("## When")[0]
        listed = re.findall(r"^\| `(\w+)` \|", text, re.M)
        self.assertEqual(sorted(codes), sorted(listed))


class SecondStack(unittest.TestCase):
    """The example of an API elsewhere that has the same authorizer."""

    def setUp(self):
        self.stack = Stack((DOCS.parent / "examples/second-stack/template.yaml").read_text())
        self.function = {"Fn::ImportValue": Stack(TEXT).raw["Outputs"]["AuthorizerArn"]["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "edgeauth")}

    def test_asks_the_authorizer_for_every_route(self):
        asked = hazards.authorizer(self.stack)
        self.assertIn(f"/functions/{self.function}/invocations", asked["authorizerUri"])
        hazards.no_decision_is_replayed(self.stack)
        hazards.no_request_is_answered_before_the_authorizer(self.stack)
        for _, _, operation in self.stack.routes():
            self.assertEqual(operation["security"], [{"SessionAuthorizer": []}])

    def test_may_call_it(self):
        hazards.permitted(self.stack, self.function, "/authorizers/*")
        hazards.only_this_api_may_call(self.stack)

    def test_answers_programs(self):
        statuses = {kind: int(r["statusCode"]) for kind, r in self.stack.responses.items()}
        self.assertEqual(statuses, {"ACCESS_DENIED": 403, "UNAUTHORIZED": 401, "AUTHORIZER_FAILURE": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500})
        hazards.responses_inherit_nothing(self.stack)
        hazards.bodies_echo_nothing_of_the_request(self.stack)

    def test_refuses_a_request_without_context(self):
        space = {}
        exec(self.stack.source["Resources"]["ReportsFunction"]["Properties"]["InlineCode"], space)
        for context, status in [({}, 401), ({"authorizer": None}, 401), ({"authorizer": {"sub": "m", "scope": "a/b"}}, 200)]:
            self.assertEqual(space["handler"]({"requestContext": context}, None)["statusCode"], status)


if __name__ == "__main__":
    unittest.main()
