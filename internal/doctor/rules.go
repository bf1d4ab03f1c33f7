package doctor

// This file holds every rule: what is looked at, what it ought to be, and what to do otherwise.
//
// $STACK, $REGION, $NAME (of the application), $POOL, $CLIENT, $API, $BASE, $FUNCTION and $USER stand for the stack's own.

// rule is one thing that can be wrong.
type rule struct {
	code     string // stable
	severity Severity
	needs    []string                // questions without whose answers nobody can tell
	see      func(f *facts) []string // what is not as it ought to be; nothing: fine
	ought    string
	do       string // one sentence, with the command
}

const (
	inConsole   = "Set it back in the console, or by `aws cognito-idp update-user-pool-client` with every other setting repeated, since what is left out is reset."
	deployAgain = "Deploy the stack again with a changed description of the resource, so that CloudFormation writes it anew: `sam deploy`."
)

var rules = []rule{
	// The stack.
	{"stack_incomplete", Fault, nil, stackIncomplete, "a stack whose last deployment is complete", "See what failed, then deploy again: `aws cloudformation describe-stack-events --stack-name $STACK`."},

	// The user pool.
	{"pool_missing", Fault, calls(describePool), poolMissing, "a user pool that is there", "Its users are gone with it; deploy with a new stack name, or name another pool by ExistingUserPoolId."},
	{"pool_of_another_region", Fault, calls(getFunction, getAlias), poolOfAnotherRegion, "a pool and an issuer of $REGION", "Deploy the stack in the pool's region, or name a pool of $REGION by ExistingUserPoolId."},
	{"issuer_of_another_pool", Fault, calls(getFunction, getAlias), issuerOfAnotherPool, "the issuer of pool $POOL", "Set AUTH_ISSUER of function $FUNCTION back to the pool's: `sam deploy` with a changed Description writes it anew."},
	{"self_registration_open", Fault, calls(describePool), selfRegistrationOpen, "only administrators create users, as LocalUsers says", "`aws cognito-idp update-user-pool --user-pool-id $POOL --admin-create-user-config AllowAdminCreateUserOnly=true` with every other setting repeated, or deploy LocalUsers=SELF_SIGN_UP if it is meant."},
	{"mfa_off", Advice, calls(describePool), mfaOff, "a second factor for those who want one, at least", "Deploy with Mfa=OPTIONAL or Mfa=ON."},
	{"mfa_weaker", Fault, calls(describePool), mfaWeaker, "a second factor as the parameter Mfa says", "`aws cognito-idp set-user-pool-mfa-config --user-pool-id $POOL --mfa-configuration ON --software-token-mfa-configuration Enabled=true`."},
	{"deletion_protection_off", Advice, calls(describePool), deletionProtectionOff, "a pool that nobody deletes by mistake", "Deploy once more with DeletionProtection=ACTIVE, now that the first deployment is done."},
	{"domain_missing", Fault, calls(describePool, describeDomain), domainMissing, "a domain with the login page", "`aws cognito-idp create-user-pool-domain --user-pool-id $POOL --managed-login-version 2 --domain …` with the prefix that the output LoginUrl names."},
	{"domain_inactive", Fault, calls(describePool, describeDomain), domainInactive, "a domain that is ACTIVE", "Wait a quarter of an hour after a change; then look at its certificate: `aws cognito-idp describe-user-pool-domain --domain …`."},
	{"domain_without_branding", Fault, calls(describeDomain, describeClient, describeBranding), domainWithoutBranding, "a style for the client, without which managed login shows an error", "`aws cognito-idp create-managed-login-branding --user-pool-id $POOL --client-id $CLIENT --use-cognito-provided-values`."},
	{"login_url_of_another_domain", Fault, calls(describeDomain, getParameter), loginURLOfAnotherDomain, "the login page of the pool's own domain", "Correct login_url in the parameter /$NAME/auth: `aws ssm put-parameter --overwrite --name /$NAME/auth --value …`."},

	// The app client.
	{"client_missing", Fault, calls(describePool, describeClient), clientMissing, "the app client $CLIENT in the pool", "Have CloudFormation make another one: rename the logical id UserPoolClient in edgeauth.yaml, and `sam deploy`."},
	{"client_without_secret", Fault, calls(describeClient), clientWithoutSecret, "a client with a secret", "No secret can be added to it: rename the logical id UserPoolClient in edgeauth.yaml, and `sam deploy` makes another client."},
	{"client_callback_url", Fault, calls(describeClient), clientCallbackURL, "$BASE/auth/callback among the callback URLs", inConsole},
	{"client_logout_url", Fault, calls(describeClient), clientLogoutURL, "$BASE/auth/signed-out among the logout URLs", inConsole},
	{"client_implicit_flow", Fault, calls(describeClient), clientImplicitFlow, "the code flow alone: the implicit one hands tokens to the address bar", inConsole},
	{"client_without_code_flow", Fault, calls(describeClient), clientWithoutCodeFlow, "the code flow, switched on", inConsole},
	{"client_missing_scope", Fault, calls(describeClient), clientMissingScope, "every scope that the login asks for", inConsole},
	{"client_token_validity", Fault, calls(describeClient), clientTokenValidity, "ID tokens that live as long as SessionMinutes says", inConsole},
	{"client_refresh_validity", Fault, calls(describeClient), clientRefreshValidity, "refresh tokens that live as long as RefreshDays says", inConsole},
	{"client_rotation", Fault, calls(describeClient), clientRotation, "rotation of refresh tokens as the parameter RefreshTokenRotation says", inConsole},
	{"client_names_users", Fault, calls(describeClient), clientNamesUsers, "PreventUserExistenceErrors=ENABLED: strangers do not learn who has an account", inConsole},
	{"client_without_revocation", Fault, calls(describeClient), clientWithoutRevocation, "revocation of tokens, which signing out needs", inConsole},
	{"client_password_flow", Fault, calls(describeClient), clientPasswordFlow, "sign-in by the login page alone, unless AdminPasswordAuth or UserMigrationArn says otherwise", inConsole},
	{"former_secret_unknown", Fault, calls(listSecrets, getParameter), formerSecretUnknown, "the old secret at /$NAME/auth/former-secret while the client has two: what it sealed opens no more", "`aws ssm put-parameter --name /$NAME/auth/former-secret --type SecureString --value …` with the old secret."},
	{"former_secret_left", Advice, calls(listSecrets, getParameter), formerSecretLeft, "no former secret once the rotation is over", "`aws ssm delete-parameter --name /$NAME/auth/former-secret` after RefreshDays."},

	// Groups and users.
	{"group_missing", Fault, calls(getFunction, getAlias, describePool, listGroups), groupMissing, "every group that the access rules name", "`aws cognito-idp create-group --user-pool-id $POOL --group-name …`, or correct the rules."},
	{"user_missing", Fault, calls(describePool, getUser), userMissing, "a user of this name", "`aws cognito-idp admin-create-user --user-pool-id $POOL --username $USER --user-attributes Name=email,Value=$USER Name=email_verified,Value=true`."},
	{"user_disabled", Fault, calls(getUser), userDisabled, "a user who is enabled", "`aws cognito-idp admin-enable-user --user-pool-id $POOL --username $USER`."},
	{"user_unconfirmed", Advice, calls(getUser), userUnconfirmed, "a user who has signed in once", "The user signs in with the password from the invitation; it is sent again by `aws cognito-idp admin-create-user --message-action RESEND --user-pool-id $POOL --username $USER`."},
	{"user_email_unverified", Fault, calls(getUser), userEmailUnverified, "a verified address: backends get no other, and a forgotten password cannot be reset", "`aws cognito-idp admin-update-user-attributes --user-pool-id $POOL --username $USER --user-attributes Name=email_verified,Value=true`."},
	{"user_too_large", Fault, calls(getUser, listUsersGroups, getParameter), userTooLarge, "groups that fit into cookies and into what API Gateway takes", "Take the user out of groups, or give them shorter names: `aws cognito-idp admin-remove-user-from-group --user-pool-id $POOL --username $USER --group-name …`."},

	// The callback.
	{"parameter_missing", Fault, calls(getParameter), parameterMissing, "the parameter /$NAME/auth", "Deploy the stack again with a changed BrandName, so that CloudFormation writes it anew: `sam deploy`."},
	{"parameter_malformed", Fault, calls(getParameter), parameterMalformed, "a parameter that the callback can read", "`aws ssm get-parameter-history --name /$NAME/auth` shows who wrote it; put an earlier value back by `aws ssm put-parameter --overwrite`."},
	{"parameter_stale", Fault, calls(getParameter), parameterStale, "a parameter that says what the stack says", "`aws ssm get-parameter-history --name /$NAME/auth` shows who wrote it; put an earlier value back by `aws ssm put-parameter --overwrite`."},
	{"callback_missing", Fault, calls(getFunction), callbackMissing, "a function with the role that CallbackRole names", "Name the role of the function at /auth/{proxy+} in the parameter CallbackRole, and `sam deploy`."},
	{"callback_of_another_parameter", Fault, calls(getFunction), callbackOfAnotherParameter, "AUTH_PARAMETER=/$NAME/auth", "Set AUTH_PARAMETER of the callback to /$NAME/auth in your template, and `sam deploy`."},

	// The authorizer.
	{"authorizer_missing", Fault, calls(getFunction, getAlias), authorizerMissing, "a function $FUNCTION with the alias live", "Deploy the stack again under another Name, or restore the alias: `aws lambda create-alias --function-name $FUNCTION --name live --function-version '$LATEST'`."},
	{"authorizer_settings_malformed", Fault, calls(getFunction, getAlias), settingsMalformed, "settings with which it starts", "Correct the parameter of the stack that the message names, and `sam deploy`."},
	{"authorizer_settings_stale", Fault, calls(getFunction, getAlias), settingsStale, "settings as the stack's parameters say", deployAgain},
	{"authorizer_version_old", Fault, calls(getFunction, getAlias), versionOld, "an alias live that leads to what was deployed last", "Deploy the other colour (Deployment=GRADUAL_BLUE or GRADUAL_GREEN in turn), or go back to AT_ONCE, and `sam deploy`."},
	{"authorizer_not_invocable", Fault, calls(getFunction, getAlias, getPolicy), notInvocable, "the right of API Gateway to call the alias live for this API; without it every request is a 500", "`aws lambda add-permission --function-name $FUNCTION --qualifier live --statement-id api --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn arn:aws:execute-api:$REGION:…:$API/authorizers/*`."},
	{"concurrency_zero", Fault, calls(getConcurrency), concurrencyZero, "an authorizer that may run", "`aws lambda delete-function-concurrency --function-name $FUNCTION`."},
	{"concurrency_exhausted", Fault, calls(getMetrics), concurrencyExhausted, "no invocation refused: a throttled authorizer is a 500", "Ask for a higher quota: `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000`."},
	{"concurrency_small", Advice, calls(getAccount), concurrencySmall, "room for a hundred invocations at a time, authorizer and backends together", "Ask for a higher quota: `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000`."},
	{"jwks_unreachable", Fault, calls(getFunction, getAlias, fetchKeys), keysUnreachable, "the pool's keys", "Correct AUTH_JWKS_URL, which is empty for a pool of Cognito's: `aws lambda get-function-configuration --function-name $FUNCTION` shows it."},
	{"jwks_of_another_pool", Fault, calls(getFunction, getAlias), keysOfAnotherPool, "the keys of pool $POOL", "Correct AUTH_JWKS_URL, which is empty for a pool of Cognito's: `aws lambda get-function-configuration --function-name $FUNCTION` shows it."},
	{"jwks_snapshot_stale", Advice, calls(getFunction, getAlias, fetchKeys), snapshotStale, "a snapshot with the keys that the pool has now", "Deploy with JwksSnapshot as `curl` of the key set prints it, or with none."},
	{"trusted_pool_unreachable", Fault, calls(getFunction, getAlias, fetchKeys), trustedPoolUnreachable, "the keys of every trusted pool", "Correct TrustedPools, and `sam deploy`."},

	// The API.
	{"authorizer_unknown_to_api", Fault, calls(getAPI, getAuthorizers), unknownToAPI, "an authorizer that calls $FUNCTION:live", "Name the constructed ARN of $FUNCTION:live in the API's Auth section, and `sam deploy`."},
	{"authorizer_cached", Fault, calls(getAPI, getAuthorizers), authorizerCached, "ReauthorizeEvery: 0, since a cached answer is replayed for another request", "`aws apigateway update-authorizer --rest-api-id $API --authorizer-id … --patch-operations op=replace,path=/authorizerResultTtlInSeconds,value=0`, then `aws apigateway create-deployment`."},
	{"authorizer_with_identity_source", Fault, calls(getAPI, getAuthorizers), identitySource, "no identity source: API Gateway answers 401 by itself to a browser that lacks it", "Remove Identity: Headers from the authorizer in the template, leave ReauthorizeEvery: 0, and `sam deploy`."},
	{"route_without_authorizer", Fault, calls(getAPI, getAuthorizers, getResources), routeWithoutAuthorizer, "the authorizer at every route but /auth", "Take `Auth: { Authorizer: NONE }` away from the route in the template, and `sam deploy`."},
	{"login_behind_authorizer", Fault, calls(getAPI, getResources), loginBehindAuthorizer, "no authorizer at /auth, or nobody can sign in", "Give the event at /auth/{proxy+} `Auth: { Authorizer: NONE }` in the template, and `sam deploy`."},
	{"login_without_route", Fault, calls(getAPI, getResources), loginWithoutRoute, "a route /auth/{proxy+}", "Give the callback an event with the path /auth/{proxy+} in the template, and `sam deploy`."},
	{"rule_without_route", Advice, calls(getFunction, getAlias, getAPI, getResources), ruleWithoutRoute, "a route behind the authorizer for each access rule", "Correct the path; `edgeauth rules show` prints who gets in at each route."},
	{"gateway_response_missing", Fault, calls(getAPI, getResponses), responseMissing, "the gateway responses of the template, inline in the API", "Copy the block GatewayResponses of the README, or gateway-responses.yaml of a release, into the API, and `sam deploy`."},
	{"gateway_response_altered", Fault, calls(getAPI, getResponses), responseAltered, "gateway responses as in the template", "Copy the block GatewayResponses of the README, or gateway-responses.yaml of a release, into the API, and `sam deploy`."},
	{"throttle_zero", Fault, calls(getAPI, getStage), throttleZero, "a rate and a burst above zero", "`aws apigateway update-stage --rest-api-id $API --stage-name … --patch-operations 'op=replace,path=/*/*/throttling/rateLimit,value=500' 'op=replace,path=/*/*/throttling/burstLimit,value=1000'`."},
	{"stage_logs_tokens", Fault, calls(getAPI, getStage), stageLogsTokens, "no data trace: it writes cookies and tokens into the log", "`aws apigateway update-stage --rest-api-id $API --stage-name … --patch-operations 'op=replace,path=/*/*/logging/dataTrace,value=false'`."},
	{"execute_api_open", Fault, calls(getAPI), executeAPIOpen, "one address alone: with AppDomain, execute-api is off", "`aws apigateway update-rest-api --rest-api-id $API --patch-operations op=replace,path=/disableExecuteApiEndpoint,value=true`, then `aws apigateway create-deployment`."},
	{"name_unknown_to_gateway", Fault, calls(getDomainName), nameUnknown, "a custom domain name at API Gateway", "Deploy with AppDomain and AppCertificateArn: `sam deploy`."},
	{"name_not_mapped", Fault, calls(getDomainName, getMappings), nameNotMapped, "a base path mapping to the API", "`aws apigateway create-base-path-mapping --domain-name … --rest-api-id $API --stage …`."},
	{"certificate_invalid", Fault, calls(getDomainName, describeCert), certificateInvalid, "a certificate that is issued, for the name, for two weeks and more", "`aws acm describe-certificate --certificate-arn …` says what it waits for; most often it is the record that proves the name is yours."},
	{"name_not_resolved", Fault, calls(lookUp), nameNotResolved, "a record for the application's name", "Make an alias or CNAME record that leads to the regional name, or deploy with HostedZoneId."},

	// What strangers get.
	{"url_unreachable", Fault, nil, urlUnreachable, "an application that answers", "Look at its name, its certificate and the stage: `curl -v $BASE/`."},
	{"clock_off", Fault, calls(visit), clockOff, "a clock within five seconds of the application's", "Set the clock: `timedatectl set-ntp true`."},
	{"door_open", Fault, calls(visit, getFunction, getAlias), doorOpen, "401 for a program without a session", "`edgeauth explain -stack $STACK GET /` says what the authorizer thinks of it; then look at the route's Auth section."},
	{"door_fails", Fault, calls(visit), doorFails, "401 for a program without a session", "Look for the reason in the authorizer's log, on the stack's dashboard: `aws logs tail --follow` of its log group."},
	{"browser_not_sent_to_login", Fault, calls(visit, getFunction, getAlias), browserNotSent, "302 to /auth/login for a browser without a session", "Copy the block GatewayResponses of the README, or gateway-responses.yaml of a release, into the API, and `sam deploy`."},
	{"login_fails", Fault, calls(visit), loginFails, "302 to the pool's login page", "Look for the reason in the callback's log, on the stack's dashboard: `aws logs tail --follow` of its log group."},

	// Operation.
	{"log_without_retention", Advice, calls(describeLogs), logWithoutRetention, "logs that end", "`aws logs put-retention-policy --retention-in-days 30 --log-group-name …`."},
	{"alarm_without_topic", Advice, calls(describeAlarms), alarmWithoutTopic, "alarms that somebody hears", "Deploy with AlarmTopicArn."},
	{"alarm_rings", Fault, calls(describeAlarms), alarmRings, "no alarm", "docs/operations.md says for each alarm where to look first: `aws cloudwatch describe-alarms --state-value ALARM`."},
}

func calls(names ...string) []string { return names }
