package sam

// This file reads AWS::Serverless::WebSocketApi, whose routes name their functions themselves.
// https://github.com/aws/serverless-application-model/blob/develop/samtranslator/model/api/websocket_api_generator.py

import (
	"errors"
	"fmt"
	"time"
)

const socketAPIType = "AWS::Serverless::WebSocketApi"

func (t *template) readSocketAPI(_ *Model, id string, p *properties) {
	p.aside("AccessLogSettings", "ApiKeySelectionExpression", "DefaultRouteSettings", "Description", "DisableSchemaValidation", "FailOnWarnings", "IpAddressType", "Name",
		"PropagateTags", "RouteSettings", "Tags")
	b := t.newAPI(id, WebSocket)
	b.off = p.boolean("DisableExecuteApiEndpoint", false)
	b.Selection = p.need("RouteSelectionExpression")
	if b.Stage = p.text("StageName"); b.Stage == "" {
		b.Stage = "default"
	}
	b.Variables = p.textMap("StageVariables")
	authorizer := b.readSocketAuth(p)
	p.each("Routes", func(key string, p *properties) {
		p.aside("ModelSelectionExpression", "OperationName", "RequestModels", "RequestParameters")
		p.aside("RouteResponseSelectionExpression") // SAM makes no route response, and without one no answer goes back
		if p.boolean("ApiKeyRequired", false) {
			p.fail("ApiKeyRequired", errors.New("true is not modelled"))
		}
		r := Route{Path: key, Timeout: integrationTimeout}
		if ms, ok := p.integer("IntegrationTimeout"); ok {
			if r.Timeout = time.Duration(ms) * time.Millisecond; r.Timeout < 50*time.Millisecond || r.Timeout > integrationTimeout {
				p.fail("IntegrationTimeout", errors.New("not between 50 and 29000"))
			}
		}
		p.fail("", checkKey(key))
		if key == "$connect" {
			r.Authorizer, authorizer = authorizer, ""
		}
		// SAM lets API Gateway call each function that a route names.
		b.documented = append(b.documented, documented{r, integration{arn: p.need("FunctionArn"), trusted: true, timeout: r.Timeout}})
	})
	if authorizer != "" {
		p.fail("Auth", errors.New("without a route $connect it guards nothing: everybody may connect"))
	}
	t.readSAMDomain(b, p)
}

// readSocketAuth returns the name of the one authorizer that there can be.
func (b *building) readSocketAuth(p *properties) string {
	auth := p.sub("Auth")
	defer func() { _ = auth.done() }()
	switch kind := auth.text("AuthType"); kind {
	case "":
		if len(auth.fields) > 0 {
			auth.fail("AuthType", errors.New("missing"))
		}
		return ""
	case "NONE":
		return ""
	case "CUSTOM":
	default:
		auth.fail("AuthType", fmt.Errorf("%s is not modelled", kind))
		return ""
	}
	auth.aside("Name", "InvokeRole")
	name := b.LogicalID + "ConnectAuthorizer"
	b.asked[name] = asked{arn: readURI(auth, "AuthArn")}
	b.Authorizers[name] = Authorizer{Sources: auth.texts("IdentitySource")}
	return name
}

// checkKey wants a route key that is API Gateway's own, or does not look like one.
func checkKey(key string) error {
	if len(key) > 0 && key[0] == '$' && key != "$connect" && key != "$disconnect" && key != "$default" {
		return fmt.Errorf("%q: a key that begins with $ is one of API Gateway's own", key)
	}
	return nil
}
