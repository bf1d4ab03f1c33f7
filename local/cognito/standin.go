// This file decides what tests and the curious can ask of the stand-in itself, under /_standin/. None of it exists at Cognito.

package cognito

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// settings change how the pool answers until they are changed again.
type settings struct {
	EscapeSlash         bool     `json:"escape_slash" doc:"tokens spell the slash \\/, as Cognito's do"`
	ErrorState          bool     `json:"error_state" doc:"error callbacks carry the state"`
	MismatchError       string   `json:"mismatch_error" doc:"what the token endpoint calls a wrong redirect_uri: unauthorized_client or invalid_grant"`
	CodeReuseRevokes    bool     `json:"code_reuse_revokes" doc:"a code that comes back revokes what it was exchanged for"`
	RefreshReuseRevokes bool     `json:"refresh_reuse_revokes" doc:"a rotated refresh token that comes back after its grace revokes its whole family"`
	RefreshNonce        bool     `json:"refresh_nonce" doc:"renewed ID tokens repeat the nonce"`
	Rotation            string   `json:"rotation" doc:"whether refresh tokens rotate: on, off, or empty: as the client says"`
	RotationGrace       duration `json:"rotation_grace" doc:"with rotation on: how long a rotated refresh token stays good"`
	Skew                duration `json:"skew" doc:"how far the times in tokens are ahead of the clock, such as -90s"`
	IDValidity          duration `json:"id_validity" doc:"life of ID tokens; 0s: as the client says"`
	AccessValidity      duration `json:"access_validity" doc:"life of access tokens; 0s: as the client says"`
	RefreshValidity     duration `json:"refresh_validity" doc:"life of refresh tokens; 0s: as the client says"`
	Groups              int      `json:"groups" doc:"so many more groups in every token"`
	GroupLength         int      `json:"group_length" doc:"how long the names of those groups are"`
	IDTokenBytes        int      `json:"id_token_bytes" doc:"a custom attribute brings ID tokens to this size"`
	RefreshTokenBytes   int      `json:"refresh_token_bytes" doc:"the size of refresh tokens"`
}

func defaultSettings() settings {
	return settings{EscapeSlash: true, MismatchError: "unauthorized_client", CodeReuseRevokes: true, GroupLength: 20, RefreshTokenBytes: 1750}
}

// A duration is written as Go writes it: 90s, 1h30m.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = duration(v)
	return err
}

// guardAdmin lets no web page in: a form cannot send JSON, and a script of another origin would have to ask first, which nobody answers.
func (s *Server) guardAdmin(c *call, serve func(*call) reply) reply {
	if origin := c.Header.Get("Origin"); origin != "" && origin != s.cfg.Domain {
		return adminError(http.StatusForbidden, "not for pages of another origin")
	}
	media, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if c.Method == http.MethodPost && (err != nil || media != "application/json") {
		return adminError(http.StatusUnsupportedMediaType, "send a JSON object with Content-Type: application/json")
	}
	return serve(c)
}

func adminError(status int, message string) reply {
	return jsonReply(status, object{{"error", message}}, "refused")
}

func done(v any) reply { return jsonReply(http.StatusOK, v, "ok") }

// decode reads the body strictly: a misspelt member would otherwise be a fault that never happens.
func (c *call) decode(into any) *reply {
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	d.UseNumber()
	err := d.Decode(into)
	if err == nil && d.Decode(&struct{}{}) != io.EOF {
		err = fmt.Errorf("more than one JSON value")
	}
	if err != nil && len(bytes.TrimSpace(c.body)) > 0 {
		rep := adminError(http.StatusBadRequest, err.Error())
		return &rep
	}
	return nil
}

// serveIndex says what there is.
func (s *Server) serveIndex(*call) reply {
	kinds, alters, said := object{}, object{}, object{}
	for _, k := range faultKinds {
		sentence := k.sentence
		if k.at != nil {
			sentence += " (at " + strings.Join(k.at, ", ") + ")"
		}
		kinds.set(k.name, sentence)
	}
	for _, a := range alterations() {
		alters.set(a.name, a.sentence)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		said.set(f.Tag.Get("json"), f.Tag.Get("doc"))
	}
	faults := s.faults
	if faults == nil {
		faults = []*fault{}
	}
	return done(object{
		{"about", "a local stand-in for the Amazon Cognito user pool " + s.cfg.Pool + ": a model, not AWS"},
		{"endpoints", object{
			{"GET /_standin/", "this"},
			{"GET /_standin/stats", "counters of requests by point; token.<grant> and token.<grant>.ok, login.ok and login.failed, codes, aws.<operation>"},
			{"POST /_standin/reset", "ends faults, releases held answers, restores settings and clock, zeroes the counters; keys, users and sessions stay"},
			{"POST /_standin/fault", `spoils answers: {"at":"token","kind":"status","status":503,"times":2,"grant":"refresh_token"}`},
			{"POST /_standin/clear", `ends the faults at a point, or all, and releases held answers: {"at":"token"}`},
			{"POST /_standin/rotate", `signing keys: {"step":"publish"} adds a new pair, "use" signs with it, "retire" drops the older; none is publish and use`},
			{"POST /_standin/settings", `changes settings, the others stay: {"id_validity":"5m","rotation":"on"}`},
			{"POST /_standin/clock", `moves the pool's clock: {"advance":"61m"}`},
			{"POST /_standin/user", `adds or changes a user: {"user":"eve@example.com","password":"…","groups":["admins"],"attributes":{},"disabled":false}`},
			{"POST /_standin/revoke", `revokes all refresh tokens and browser sessions, of a user or of everybody: {"user":"alice@example.com"}`},
			{"POST /_standin/secret", `changes a client's secret; the old one stays good unless told: {"client_id":"…","secret":"…","drop_old":false}`},
			{"POST /_standin/parameter", `sets an SSM parameter, or removes it with null: {"name":"/app/auth","value":"…"}`},
			{"POST /_standin/mint", `a token without a sign-in, its use id, access or machine: {"user":"…","client_id":"…","use":"id","nonce":"…","alter":"expired","claims":{"exp":1}}`},
		}},
		{"fault_points", points},
		{"fault_kinds", kinds},
		{"alterations", alters},
		{"settings", said},
		{"settings_now", s.settings},
		{"faults_now", faults},
		{"clock_ahead", s.ahead.String()},
	})
}

func (s *Server) serveStats(*call) reply { return done(s.counts) }

func (s *Server) serveReset(*call) reply {
	s.faults, s.settings, s.ahead, s.counts = nil, defaultSettings(), 0, map[string]int{}
	s.releaseHeld()
	return done(object{})
}

func (s *Server) releaseHeld() {
	close(s.release)
	s.release = make(chan struct{})
}

func (s *Server) serveFault(c *call) reply {
	f := fault{Status: http.StatusInternalServerError, Bytes: 10 << 20, Error: "access_denied"}
	if bad := c.decode(&f); bad != nil {
		return *bad
	}
	if f.Times == 0 {
		f.Times = 1
	}
	if problem := f.problem(); problem != "" {
		return adminError(http.StatusBadRequest, problem)
	}
	s.faults = append(s.faults, &f)
	return done(object{})
}

func (s *Server) serveClear(c *call) reply {
	var in struct {
		At string `json:"at"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return in.At == "" || f.At == in.At })
	s.releaseHeld()
	return done(object{})
}

func (s *Server) serveRotate(c *call) reply {
	var in struct {
		Step string `json:"step"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	switch in.Step {
	case "publish", "":
		if err := s.keys.publish(); err != nil {
			return adminError(http.StatusInternalServerError, err.Error())
		}
		if in.Step == "" {
			s.keys.use()
		}
	case "use":
		s.keys.use()
	case "retire":
		s.keys.retire()
	default:
		return adminError(http.StatusBadRequest, "step must be publish, use, retire or nothing")
	}
	var kids []string
	for _, p := range s.keys.published {
		kids = append(kids, p.id.kid, p.access.kid)
	}
	return done(object{{"published", kids}, {"signing", []string{s.keys.signing.id.kid, s.keys.signing.access.kid}}})
}

func (s *Server) serveSettings(c *call) reply {
	next := s.settings
	if bad := c.decode(&next); bad != nil {
		return *bad
	}
	if !slices.Contains([]string{"unauthorized_client", "invalid_grant"}, next.MismatchError) {
		return adminError(http.StatusBadRequest, "mismatch_error must be unauthorized_client or invalid_grant")
	}
	if !slices.Contains([]string{"", "on", "off"}, next.Rotation) {
		return adminError(http.StatusBadRequest, "rotation must be on, off or empty")
	}
	s.settings = next
	return done(s.settings)
}

func (s *Server) serveClock(c *call) reply {
	var in struct {
		Advance duration `json:"advance"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	s.ahead += time.Duration(in.Advance)
	return done(object{{"now", s.now().UTC().Format(time.RFC3339)}})
}

func (s *Server) serveUser(c *call) reply {
	var in struct {
		User       string            `json:"user"`
		Password   string            `json:"password"`
		Groups     []string          `json:"groups"`
		Attributes map[string]string `json:"attributes"`
		Disabled   *bool             `json:"disabled"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	if in.User == "" {
		return adminError(http.StatusBadRequest, "user must name somebody")
	}
	u := s.userNamed(in.User)
	if u == nil {
		u = s.newUser(in.User, nil) // nobody has verified the address, unless attributes say so: as AdminCreateUser leaves it
		u.setPassword(formatToken(s.random(32)))
		s.users = append(s.users, u)
	}
	if in.Password != "" {
		u.setPassword(in.Password)
		u.status = confirmed
	}
	if in.Groups != nil {
		u.groups = in.Groups
	}
	if in.Disabled != nil {
		u.disabled = *in.Disabled
	}
	maps.Copy(u.attributes, in.Attributes)
	return done(object{{"user", u.email}, {"sub", u.sub}, {"groups", u.groups}, {"disabled", u.disabled}})
}

func (s *Server) serveRevokeAll(c *call) reply {
	var in struct {
		User string `json:"user"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	u := s.userNamed(in.User)
	if u == nil && in.User != "" {
		return adminError(http.StatusNotFound, "no such user")
	}
	s.revokeUser(u)
	return done(object{})
}

func (s *Server) serveSecret(c *call) reply {
	var in struct {
		ClientID string `json:"client_id"`
		Secret   string `json:"secret"`
		DropOld  bool   `json:"drop_old"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	client := s.client(in.ClientID)
	switch {
	case client == nil:
		return adminError(http.StatusNotFound, "no such client")
	case !clientSecret.MatchString(in.Secret):
		return adminError(http.StatusBadRequest, "the secret must match "+clientSecret.String())
	}
	client.oldSecret, client.Secret = client.Secret, in.Secret
	if in.DropOld {
		client.oldSecret = ""
	}
	return done(object{})
}

func (s *Server) serveParameter(c *call) reply {
	var in struct {
		Name  string  `json:"name"`
		Value *string `json:"value"`
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	if in.Value == nil {
		delete(s.parameters, in.Name)
		return done(object{})
	}
	s.parameters[in.Name] = *in.Value
	return done(object{})
}

// serveMint makes a token as a sign-in now would have given it, then alters it. The claims named replace the token's own; null removes one.
func (s *Server) serveMint(c *call) reply {
	in := struct {
		User     string         `json:"user"`
		ClientID string         `json:"client_id"`
		Use      string         `json:"use"`
		Nonce    string         `json:"nonce"`
		Alter    string         `json:"alter"`
		Claims   map[string]any `json:"claims"`
	}{Use: "id"}
	if len(s.users) > 0 {
		in.User = s.users[0].email
	}
	if bad := c.decode(&in); bad != nil {
		return *bad
	}
	u, client, machine := s.userNamed(in.User), s.client(in.ClientID), in.Use == "machine"
	if in.ClientID == "" {
		client = s.clientFor(machine)
	}
	switch {
	case client == nil && machine:
		return adminError(http.StatusNotFound, "there is no machine client; the parameter MachineScope makes one")
	case u == nil || client == nil || client.ClientCredentials != machine:
		return adminError(http.StatusNotFound, "no such user or client")
	}
	var d *draft
	switch in.Use {
	case "id":
		d = newDraft(s.keys.signing.id, s.idClaims(s.newChain(client, u, client.Scopes, s.now()), in.Nonce, ""))
	case "access":
		d = newDraft(s.keys.signing.access, s.accessClaims(s.newChain(client, u, client.Scopes, s.now())))
	case "machine":
		d = newDraft(s.keys.signing.access, s.accessClaims(&chain{client: client, scopes: client.Scopes, authTime: s.now()}))
	default:
		return adminError(http.StatusBadRequest, "use must be id, access or machine")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Claims)) {
		if in.Claims[name] == nil {
			d.claims.remove(name)
			continue
		}
		d.claims.set(name, in.Claims[name])
	}
	if in.Alter != "" {
		a, ok := alterationNamed(in.Alter)
		if !ok {
			return adminError(http.StatusBadRequest, "no such alteration; GET /_standin/ lists them")
		}
		a.apply(s, d)
	}
	if in.Use == "id" && s.settings.IDTokenBytes > 0 {
		s.pad(d, s.settings.IDTokenBytes)
	}
	return done(object{{"token", s.encode(d)}})
}
