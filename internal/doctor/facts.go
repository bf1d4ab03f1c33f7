package doctor

// This file decides what is known of a stack. Rules read nothing else.

import (
	"net/url"
	"strings"
	"time"

	"edgeauth/internal/config"
	"edgeauth/internal/policy"
	"edgeauth/internal/stack"

	apigateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// facts are what AWS and the application have answered. What was not answered is in gaps, by the question; what is not there is nil or "".
type facts struct {
	question Question
	now      time.Time
	gaps     map[string]string

	stack, part *stack.Stack

	// The user pool.
	pool         *cognito.UserPoolType
	client       *cognito.UserPoolClientType // without its secret
	hasSecret    bool
	secrets      int // how many secrets the client has at a time
	domain       *cognito.DomainDescriptionType
	branded      bool
	groups       []string
	user         *user
	parameter    string // the callback's parameter, as it is stored
	hasParameter bool
	formerSecret bool

	// The functions.
	authorizer   *function // the version that API Gateway calls
	latest       *function
	callback     *function
	reserved     *int32 // concurrency that is set aside for the authorizer
	accountLimit int32
	accountLeft  int32
	invokers     string             // the policy of the alias
	throttled    map[string]float64 // invocations refused within the last hour, by function
	logs         map[string]int32   // days of retention by log group; 0: for ever
	alarms       []cloudwatch.MetricAlarm
	keySets      map[string]keySet // by URL

	settings         *config.Authorizer
	settingsProblems string

	// The API.
	api         *apigateway.RestApi
	authorizers []apigateway.Authorizer
	routes      []route
	responses   map[string]apigateway.GatewayResponse
	methods     map[string]apigateway.MethodSetting
	host        *hostName
	certificate *certificate
	lookup      string // why it leads nowhere

	site site
}

type user struct {
	status   string
	enabled  bool
	verified bool
	email    string
	groups   []string
	roles    []string
}

type function struct {
	version, code, role string
	environment         map[string]string
}

type route struct{ method, path, authorization, authorizer string }

// keySet is what is at the address of a key set.
type keySet struct {
	kids    []string
	problem string
}

// hostName is the application's own name at API Gateway.
type hostName struct {
	certificate string
	mappings    []apigateway.BasePathMapping
}

type certificate struct {
	status string
	names  []string
	ends   time.Time
}

// site is what the application answers to strangers.
type site struct {
	problem                 string
	program, browser, login answer
	ahead                   time.Duration // by how much this machine's clock is ahead of the application's
	around                  time.Duration // how long the question took
}

type answer struct {
	status         int
	location, text string
}

// base is where the application is, without a slash at the end.
func (f *facts) base() string { return f.part.Parameters["BaseUrl"] }

// ownHost is the application's host name if it is not API Gateway's.
func (f *facts) ownHost() string {
	u, err := url.Parse(f.base())
	if err != nil || strings.Contains(u.Hostname(), ".execute-api.") {
		return ""
	}
	return u.Hostname()
}

func (f *facts) clientID() string { return f.part.Resources["UserPoolClient"].ID }

func (f *facts) authorizerName() string {
	return stack.FunctionName(f.part.Resources["AuthorizerFunction"].ID)
}

// configure reads the settings of the authorizer as it would itself.
func (f *facts) configure() {
	f.settings, f.settingsProblems = nil, ""
	if f.authorizer == nil {
		return
	}
	settings, err := config.ForAuthorizer(func(name string) (string, bool) { v, ok := f.authorizer.environment[name]; return v, ok })
	if err == nil && settings.Rules != "" {
		_, err = policy.Parse(settings.Rules)
	}
	if err != nil {
		f.settingsProblems = err.Error()
		return
	}
	f.settings = &settings
}
