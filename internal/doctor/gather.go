package doctor

// This file decides what AWS is asked about a stack. It only asks: no call here changes anything.

import (
	"context"
	"errors"
	"strings"
	"time"

	"edgeauth/internal/stack"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apigatewaytypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// The questions, by the permissions that they need.
const (
	describePool     = "cognito-idp:DescribeUserPool"
	describeClient   = "cognito-idp:DescribeUserPoolClient"
	listSecrets      = "cognito-idp:ListUserPoolClientSecrets"
	describeDomain   = "cognito-idp:DescribeUserPoolDomain"
	describeBranding = "cognito-idp:DescribeManagedLoginBrandingByClient"
	listGroups       = "cognito-idp:ListGroups"
	getUser          = "cognito-idp:AdminGetUser"
	listUsersGroups  = "cognito-idp:AdminListGroupsForUser"
	getParameter     = "ssm:GetParameter"
	getFunction      = "lambda:GetFunctionConfiguration"
	getAlias         = "lambda:GetAlias"
	getConcurrency   = "lambda:GetFunctionConcurrency"
	getAccount       = "lambda:GetAccountSettings"
	getPolicy        = "lambda:GetPolicy"
	getMetrics       = "cloudwatch:GetMetricStatistics"
	describeAlarms   = "cloudwatch:DescribeAlarms"
	describeLogs     = "logs:DescribeLogGroups"
	getAPI           = "apigateway:GET /restapis/*"
	getAuthorizers   = "apigateway:GET /restapis/*/authorizers"
	getResources     = "apigateway:GET /restapis/*/resources"
	getResponses     = "apigateway:GET /restapis/*/gatewayresponses"
	getStage         = "apigateway:GET /restapis/*/stages/*"
	getDomainName    = "apigateway:GET /domainnames/*"
	getMappings      = "apigateway:GET /domainnames/*/basepathmappings"
	describeCert     = "acm:DescribeCertificate"
	lookUp           = "an answer of the name server"
	fetchKeys        = "the address of the keys"
	visit            = "an answer of the application"
)

// gatherer asks.
type gatherer struct {
	*facts
	cognito *cognitoidentityprovider.Client
	ssm     *ssm.Client
	lambda  *lambda.Client
	gateway *apigateway.Client
	logs    *cloudwatchlogs.Client
	metrics *cloudwatch.Client
	acm     *acm.Client
}

func gather(ctx context.Context, q Question) (*facts, error) {
	whole, err := stack.Find(ctx, q.AWS, q.Stack)
	if err != nil {
		return nil, err
	}
	part, err := whole.Part()
	if err != nil {
		return nil, err
	}
	g := gatherer{
		facts: &facts{
			question: q, now: q.Now(), gaps: map[string]string{}, stack: whole, part: part,
			keySets: map[string]keySet{}, throttled: map[string]float64{},
		},
		cognito: cognitoidentityprovider.NewFromConfig(q.AWS), ssm: ssm.NewFromConfig(q.AWS), lambda: lambda.NewFromConfig(q.AWS),
		gateway: apigateway.NewFromConfig(q.AWS), logs: cloudwatchlogs.NewFromConfig(q.AWS), metrics: cloudwatch.NewFromConfig(q.AWS), acm: acm.NewFromConfig(q.AWS),
	}
	g.askPool(ctx)
	g.askUser(ctx)
	g.askParameter(ctx)
	g.askFunctions(ctx)
	g.askOperation(ctx)
	g.askAPI(ctx)
	g.askName(ctx)
	g.askKeys(ctx)
	g.visit(ctx)
	return g.facts, nil
}

// errAbsent stands for what is not there.
var errAbsent = errors.New("not there")

// answered reports whether a question was answered with something. What is not there is no gap; everything else that is not an answer is.
func (g *gatherer) answered(call string, err error) bool {
	switch code := code(err); {
	case err == nil:
		return true
	case strings.HasPrefix(code, "AccessDenied") || strings.HasPrefix(code, "Unauthorized") || code == "NotAuthorizedException":
		g.gaps[call] = "not permitted (" + code + ")"
	case strings.Contains(code, "NotFound") || errors.Is(err, errAbsent):
	default:
		g.gaps[call] = code
	}
	return false
}

// without makes gaps of questions that nobody can put, because of what is missing before.
func (g *gatherer) without(why string, calls ...string) {
	for _, call := range calls {
		g.gaps[call] = why
	}
}

func code(err error) string {
	var coded interface{ ErrorCode() string }
	switch {
	case err == nil:
		return ""
	case errors.As(err, &coded):
		return coded.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	return "no answer"
}

func (g *gatherer) askPool(ctx context.Context) {
	pool, client := g.part.Pool(), g.clientID()
	described, err := g.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &pool})
	if g.answered(describePool, err) {
		g.pool = described.UserPool
	} else if g.gaps[describePool] == "" {
		g.without("there is no such pool", describeClient, listSecrets, describeDomain, describeBranding, listGroups, getUser, listUsersGroups)
		return
	}
	one, err := g.cognito.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: &client})
	if g.answered(describeClient, err) {
		g.client = one.UserPoolClient
		g.hasSecret, g.client.ClientSecret = aws.ToString(g.client.ClientSecret) != "", nil
	} else if g.gaps[describeClient] == "" {
		g.without("there is no such client", listSecrets, describeBranding)
	}
	if g.client != nil {
		secrets, err := g.cognito.ListUserPoolClientSecrets(ctx, &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &pool, ClientId: &client})
		if g.answered(listSecrets, err) {
			g.secrets = len(secrets.ClientSecrets)
		}
		_, err = g.cognito.DescribeManagedLoginBrandingByClient(ctx, &cognitoidentityprovider.DescribeManagedLoginBrandingByClientInput{UserPoolId: &pool, ClientId: &client})
		g.branded = g.answered(describeBranding, err)
	}
	g.askDomain(ctx)
	for pages := cognitoidentityprovider.NewListGroupsPaginator(g.cognito, &cognitoidentityprovider.ListGroupsInput{UserPoolId: &pool}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if !g.answered(listGroups, err) {
			break
		}
		for _, one := range page.Groups {
			g.groups = append(g.groups, aws.ToString(one.GroupName))
		}
	}
}

func (g *gatherer) askDomain(ctx context.Context) {
	if g.pool == nil {
		g.without("depends on "+describePool, describeDomain)
		return
	}
	name := aws.ToString(g.pool.CustomDomain)
	if name == "" {
		name = aws.ToString(g.pool.Domain)
	}
	if name == "" {
		return
	}
	described, err := g.cognito.DescribeUserPoolDomain(ctx, &cognitoidentityprovider.DescribeUserPoolDomainInput{Domain: &name})
	if g.answered(describeDomain, err) && described.DomainDescription != nil && described.DomainDescription.Domain != nil {
		g.domain = described.DomainDescription
	}
}

func (g *gatherer) askUser(ctx context.Context) {
	name, pool := g.question.User, g.part.Pool()
	if name == "" || g.gaps[getUser] != "" {
		return
	}
	found, err := g.cognito.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &pool, Username: &name})
	if !g.answered(getUser, err) {
		if g.gaps[getUser] == "" {
			g.without("there is no such user", listUsersGroups)
		}
		return
	}
	u := &user{status: string(found.UserStatus), enabled: found.Enabled}
	for _, a := range found.UserAttributes {
		switch aws.ToString(a.Name) {
		case "email":
			u.email = aws.ToString(a.Value)
		case "email_verified":
			u.verified = strings.EqualFold(aws.ToString(a.Value), "true")
		}
	}
	pages := cognitoidentityprovider.NewAdminListGroupsForUserPaginator(g.cognito, &cognitoidentityprovider.AdminListGroupsForUserInput{UserPoolId: &pool, Username: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if !g.answered(listUsersGroups, err) {
			break
		}
		for _, one := range page.Groups {
			u.groups = append(u.groups, aws.ToString(one.GroupName))
			if role := aws.ToString(one.RoleArn); role != "" {
				u.roles = append(u.roles, role)
			}
		}
	}
	g.user = u
}

func (g *gatherer) askParameter(ctx context.Context) {
	name := "/" + g.part.Parameters["Name"] + "/auth"
	found, err := g.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if g.answered(getParameter, err) {
		g.hasParameter, g.parameter = true, aws.ToString(found.Parameter.Value)
	}
	former := name + "/former-secret" // whether it is there, not what it is
	_, err = g.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: &former})
	g.formerSecret = g.answered(getParameter, err)
}

func (g *gatherer) askFunctions(ctx context.Context) {
	name, live := g.authorizerName(), "live"
	get := func(name, qualifier string) *function {
		in := &lambda.GetFunctionConfigurationInput{FunctionName: &name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		out, err := g.lambda.GetFunctionConfiguration(ctx, in)
		if !g.answered(getFunction, err) {
			return nil
		}
		f := &function{version: aws.ToString(out.Version), code: aws.ToString(out.CodeSha256), role: aws.ToString(out.Role), environment: map[string]string{}}
		if out.Environment != nil {
			f.environment = out.Environment.Variables
		}
		return f
	}
	g.latest = get(name, "")
	alias, err := g.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &name, Name: &live})
	if g.answered(getAlias, err) {
		g.authorizer = g.latest
		if version := aws.ToString(alias.FunctionVersion); version != "$LATEST" {
			g.authorizer = get(name, version)
		}
	}
	g.configure()
	if out, err := g.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name}); g.answered(getConcurrency, err) {
		g.reserved = out.ReservedConcurrentExecutions
	}
	if out, err := g.lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{}); g.answered(getAccount, err) && out.AccountLimit != nil {
		g.accountLimit, g.accountLeft = out.AccountLimit.ConcurrentExecutions, aws.ToInt32(out.AccountLimit.UnreservedConcurrentExecutions)
	}
	if out, err := g.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &name, Qualifier: &live}); g.answered(getPolicy, err) {
		g.invokers = aws.ToString(out.Policy)
	}
	role := "/" + g.part.Parameters["CallbackRole"]
	g.stack.Each(func(_ string, r stack.Resource) {
		if r.Type != "AWS::Lambda::Function" || g.callback != nil || stack.FunctionName(r.ID) == name {
			return
		}
		if f := get(stack.FunctionName(r.ID), ""); f != nil && strings.HasSuffix(f.role, role) {
			g.callback = f
		}
	})
}

func (g *gatherer) askOperation(ctx context.Context) {
	g.facts.logs = map[string]int32{}
	var names []string
	g.stack.Each(func(_ string, r stack.Resource) {
		switch r.Type {
		case "AWS::Logs::LogGroup":
			out, err := g.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &r.ID})
			if !g.answered(describeLogs, err) {
				return
			}
			for _, one := range out.LogGroups {
				if aws.ToString(one.LogGroupName) == r.ID {
					g.facts.logs[r.ID] = aws.ToInt32(one.RetentionInDays)
				}
			}
		case "AWS::CloudWatch::Alarm":
			names = append(names, r.ID)
		case "AWS::Lambda::Function":
			g.askThrottles(ctx, stack.FunctionName(r.ID))
		}
	})
	if len(names) > 0 {
		out, err := g.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
		if g.answered(describeAlarms, err) {
			g.alarms = out.MetricAlarms
		}
	}
}

// askThrottles asks how often a function was refused to run, which is a 500 for whoever waited.
func (g *gatherer) askThrottles(ctx context.Context, name string) {
	out, err := g.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Throttles"), Dimensions: []cloudwatchtypes.Dimension{{Name: aws.String("FunctionName"), Value: &name}},
		StartTime: aws.Time(g.now.Add(-time.Hour)), EndTime: aws.Time(g.now.Add(time.Minute)), Period: aws.Int32(3600), Statistics: []cloudwatchtypes.Statistic{cloudwatchtypes.StatisticSum},
	})
	if !g.answered(getMetrics, err) {
		return
	}
	for _, point := range out.Datapoints {
		g.throttled[name] += aws.ToFloat64(point.Sum)
	}
}

func (g *gatherer) askAPI(ctx context.Context) {
	id, stage := g.part.Parameters["ApiId"], g.part.Parameters["StageName"]
	g.stack.Each(func(_ string, r stack.Resource) {
		if stage == "" && r.Type == "AWS::ApiGateway::Stage" {
			stage = r.ID
		}
	})
	api, err := g.gateway.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &id})
	if !g.answered(getAPI, err) {
		if g.gaps[getAPI] == "" {
			g.without("no REST API has the id "+id, getAPI, getAuthorizers, getResources, getResponses, getStage)
			return
		}
	} else {
		g.api = &apigatewaytypes.RestApi{Id: api.Id, DisableExecuteApiEndpoint: api.DisableExecuteApiEndpoint}
	}
	if out, err := g.gateway.GetAuthorizers(ctx, &apigateway.GetAuthorizersInput{RestApiId: &id, Limit: aws.Int32(500)}); g.answered(getAuthorizers, err) {
		g.authorizers = out.Items
	}
	pages := apigateway.NewGetResourcesPaginator(g.gateway, &apigateway.GetResourcesInput{RestApiId: &id, Embed: []string{"methods"}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if !g.answered(getResources, err) {
			break
		}
		for _, r := range page.Items {
			for method, m := range r.ResourceMethods {
				g.routes = append(g.routes, route{method, aws.ToString(r.Path), aws.ToString(m.AuthorizationType), aws.ToString(m.AuthorizerId)})
			}
		}
	}
	if out, err := g.gateway.GetGatewayResponses(ctx, &apigateway.GetGatewayResponsesInput{RestApiId: &id, Limit: aws.Int32(500)}); g.answered(getResponses, err) {
		g.responses = map[string]apigatewaytypes.GatewayResponse{}
		for _, one := range out.Items {
			g.responses[string(one.ResponseType)] = one
		}
	}
	if out, err := g.gateway.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &id, StageName: &stage}); g.answered(getStage, err) {
		g.methods = out.MethodSettings
	}
}

// askName asks about the application's own host name, if it has one.
func (g *gatherer) askName(ctx context.Context) {
	host := g.ownHost()
	if host == "" {
		return
	}
	out, err := g.gateway.GetDomainName(ctx, &apigateway.GetDomainNameInput{DomainName: &host})
	if g.answered(getDomainName, err) {
		g.host = &hostName{certificate: aws.ToString(out.RegionalCertificateArn)}
		mapped, err := g.gateway.GetBasePathMappings(ctx, &apigateway.GetBasePathMappingsInput{DomainName: &host, Limit: aws.Int32(500)})
		if g.answered(getMappings, err) {
			g.host.mappings = mapped.Items
		}
	} else if g.gaps[getDomainName] == "" {
		g.without("API Gateway does not know the name", getMappings, describeCert)
	} else {
		g.without("depends on "+getDomainName, getMappings, describeCert)
	}
	if g.host != nil && g.host.certificate != "" {
		out, err := g.acm.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &g.host.certificate})
		if g.answered(describeCert, err) {
			c := out.Certificate
			g.certificate = &certificate{status: string(c.Status), names: append([]string{aws.ToString(c.DomainName)}, c.SubjectAlternativeNames...), ends: aws.ToTime(c.NotAfter)}
		}
	}
	g.resolve(ctx, host)
}
