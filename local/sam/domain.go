package sam

// This file decides which host stands here for an API's own and for a custom domain, and what is mapped to it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-basepathmapping.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-apimapping.html

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	restDomainType  = "AWS::ApiGateway::DomainName"
	restMappingType = "AWS::ApiGateway::BasePathMapping"
	domainNameType  = "AWS::ApiGatewayV2::DomainName"
	mappingType     = "AWS::ApiGatewayV2::ApiMapping"
)

// gatewayID makes an id that looks like API Gateway's, the same in every run.
func gatewayID(logicalID string) string {
	sum := sha256.Sum256([]byte("API " + logicalID))
	return "l" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:9]
}

// hosts gives out the names under which APIs and domains are reached here: the first gets the plain host, the others a name under it, so that each is an
// origin with cookies of its own, as on AWS.
type hosts struct {
	scheme, plain string
	names         map[string]string // by API id, or domain
}

func newHosts(appURL string) hosts {
	scheme, plain, _ := strings.Cut(appURL, "://")
	return hosts{scheme, plain, map[string]string{}}
}

func (h *hosts) of(key, label string) string {
	name := h.names[key]
	if name == "" {
		if name = h.plain; len(h.names) > 0 {
			name = label + "." + h.plain
		}
		h.names[key] = name
	}
	return name
}

// generatedStage is the name of the stage that SAM makes beside an API, under an id of its own: ApiProdStage.
func (t *template) generatedStage(id string) (string, bool) {
	for api, r := range t.resources {
		otherwise, known := map[string]string{apiType: "", httpAPIType: DefaultStage, socketAPIType: "default"}[r.kind]
		if !known || !strings.HasPrefix(id, api) {
			continue
		}
		stage, err := t.own(api, "StageName", otherwise)
		name, _ := stage.(string)
		infix := name
		switch {
		case err != nil:
			continue
		case name == DefaultStage:
			infix = "ApiGatewayDefault"
		case name == "default" && r.kind == socketAPIType:
			infix = "Default"
		}
		if id == api+infix+"Stage" {
			return name, true
		}
	}
	return "", false
}

// kindOf is the kind of API that a resource makes.
func (t *template) kindOf(id string) Kind {
	r := t.resources[id]
	switch r.kind {
	case apiType, restAPIType:
		return REST
	case httpAPIType:
		return HTTP
	case socketAPIType:
		return WebSocket
	case apiV2Type:
		protocol, _ := r.properties["ProtocolType"].(string)
		return Kind(protocol)
	}
	return ""
}

// nameHosts makes the hosts of this stack known: custom domains first, since they are what an application's addresses are made from.
func (t *template) nameHosts() error {
	ids := slices.Sorted(maps.Keys(t.resources))
	for _, id := range ids {
		domain, err := t.domainOf(id)
		if err != nil {
			return fmt.Errorf("resource %s: DomainName: %w", t.path+id, err)
		}
		if domain != "" {
			t.nameDomain(domain)
		}
	}
	for _, kind := range []Kind{REST, HTTP, WebSocket} {
		for _, id := range ids {
			if t.kindOf(id) != kind {
				continue
			}
			api := gatewayID(t.path + id)
			host := t.hosts.of(api, strings.ToLower(strings.ReplaceAll(t.path+id, "/", "-")))
			far := "://" + api + ".execute-api." + Region + "." + urlSuffix
			if t.dns.knows("https" + far) {
				continue
			}
			t.dns.add("wss"+far, strings.Replace(t.hosts.scheme, "http", "ws", 1)+"://"+host)
			if kind == WebSocket { // what functions send to, at a name that every program can resolve
				host = t.hosts.plain
			}
			t.dns.add("https"+far, t.hosts.scheme+"://"+host)
		}
	}
	return nil
}

// domainOf is the custom domain that a resource makes or maps to, if it does.
func (t *template) domainOf(id string) (string, error) {
	r := t.resources[id]
	v := r.properties["DomainName"]
	switch r.kind {
	case restDomainType, domainNameType, restMappingType, mappingType:
	case apiType, httpAPIType, socketAPIType:
		domain, err := t.resolve(r.properties["Domain"])
		if err != nil {
			return "", err
		}
		fields, _ := domain.(map[string]any)
		v = fields["DomainName"]
	default:
		return "", nil
	}
	value, err := t.resolve(v)
	name, _ := value.(string)
	return name, err
}

// nameDomain returns the host that stands for a domain.
func (t *template) nameDomain(name string) string {
	host := t.hosts.of(name, name)
	if !t.dns.knows("https://" + name) {
		t.dns.add("wss://"+name, strings.Replace(t.hosts.scheme, "http", "ws", 1)+"://"+host)
		t.dns.add("https://"+name, t.hosts.scheme+"://"+host)
	}
	return host
}

// mapsTo is a mapping whose API may not be read yet.
type mapsTo struct {
	place, domain, path string
	api, stage          string // as references name them; no stage: not given
}

// readDomainName reads a domain by itself: it answers nothing until something is mapped to it.
func (t *template) readDomainName(_ *Model, _ string, p *properties) {
	for _, name := range []string{"MutualTlsAuthentication", "Policy", "RoutingMode"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled"))
		}
	}
	p.aside("CertificateArn", "RegionalCertificateArn", "DomainNameConfigurations", "EndpointConfiguration", "EndpointAccessMode", "SecurityPolicy", "Tags", "OwnershipVerificationCertificateArn")
	p.need("DomainName")
}

func (t *template) readMapping(_ *Model, id string, p *properties) {
	path, api := "BasePath", "RestApiId"
	if t.resources[id].kind == mappingType {
		path, api = "ApiMappingKey", "ApiId"
	}
	t.mappingsTo = append(t.mappingsTo, mapsTo{
		place: "resource " + t.path + id, domain: p.need("DomainName"), path: p.text(path), api: p.need(api), stage: p.need("Stage"),
	})
}

// readSAMDomain reads the property Domain of an API.
func (t *template) readSAMDomain(b *building, p *properties) {
	if p.get("Domain") == nil {
		return
	}
	d := p.sub("Domain")
	d.aside("CertificateArn", "EndpointConfiguration", "Route53", "SecurityPolicy", "OwnershipVerificationCertificateArn", "NormalizeBasePath", "AccessAssociation", "IpAddressType")
	for _, name := range []string{"MutualTlsAuthentication", "Policy"} {
		if d.get(name) != nil {
			d.fail(name, errors.New("not modelled"))
		}
	}
	paths := []string{"/"}
	if _, isText := d.get("BasePath").(string); isText {
		paths = []string{d.text("BasePath")}
	} else if d.get("BasePath") != nil {
		paths = d.texts("BasePath")
	}
	for _, path := range paths {
		t.mappingsTo = append(t.mappingsTo, mapsTo{place: p.place + ": Domain", domain: d.need("DomainName"), path: path, api: b.ref, stage: b.Stage})
	}
	_ = d.done()
}

// wireDomains puts every API at its stages, on its own host and on the domains that it is mapped to.
func (t *template) wireDomains(m *Model) error {
	domains := map[string]*Domain{}
	mapped := map[string]bool{}
	for _, to := range t.mappingsTo {
		b := t.api(to.api)
		if b == nil {
			return fmt.Errorf("%s: there is no API %s in the template", to.place, to.api)
		}
		d := domains[to.domain]
		if d == nil {
			d = &Domain{Name: to.domain, Host: t.nameDomain(to.domain)}
			domains[to.domain] = d
		}
		mapped[b.ID] = true
		path := strings.Trim(to.path, "/")
		if path == "(none)" {
			path = ""
		}
		d.Mappings = append(d.Mappings, Mapping{Path: path, API: b.ID, Stage: to.stage})
	}
	for _, name := range slices.Sorted(maps.Keys(domains)) {
		m.Domains = append(m.Domains, *domains[name])
	}
	for _, b := range t.apis {
		if b.off && !mapped[b.ID] {
			return fmt.Errorf("resource %s: DisableExecuteApiEndpoint: true, and nothing is mapped to a domain: it could not be reached", b.LogicalID)
		}
		b.addPreflights()
		if !b.off {
			b.Host = t.hosts.names[b.ID]
		}
		if b.Stage == "" {
			return fmt.Errorf("resource %s: it has no stage", b.LogicalID)
		}
		m.APIs = append(m.APIs, b.API)
	}
	slices.SortStableFunc(m.APIs, func(a, b API) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	m.Addresses = t.addresses(m)
	return nil
}

// Address is where an API is reached.
type Address struct{ API, URL string }

// addresses lists every place where an API is reached, the application's own first.
func (t *template) addresses(m *Model) []Address {
	var all []Address
	add := func(a API, host, path string) {
		scheme := t.hosts.scheme
		if a.Kind == WebSocket {
			scheme = strings.Replace(scheme, "http", "ws", 1)
		}
		all = append(all, Address{a.LogicalID, strings.TrimSuffix(scheme+"://"+host+"/"+path, "/")})
	}
	for _, a := range m.APIs {
		if a.Host != "" && a.Stage == DefaultStage {
			add(a, a.Host, "")
		} else if a.Host != "" {
			add(a, a.Host, a.Stage)
		}
		for _, d := range m.Domains {
			for _, to := range d.Mappings {
				if to.API == a.ID && to.Stage == a.Stage {
					add(a, d.Host, to.Path)
				}
			}
		}
	}
	plain := func(a Address) int {
		_, host, _ := strings.Cut(a.URL, "://")
		if host == t.hosts.plain || strings.HasPrefix(host, t.hosts.plain+"/") {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b Address) int {
		if x, y := plain(a), plain(b); x != y || x == 1 {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(len(a.URL), len(b.URL))
	})
	return all
}
