package cloudwatch

// This file decides how GetMetricData is asked and answered: by Smithy's RPC protocol over CBOR, which AWS's newer SDKs speak to CloudWatch.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html

import (
	"io"
	"mime"
	"net/http"
	"regexp"

	"github.com/fxamacker/cbor/v2"
)

// Path begins what CloudWatch answers at an endpoint that other services share.
const Path = "/service/GraniteServiceVersion20100801/"

const (
	protocol  = "rpc-v2-cbor"
	mediaType = "application/cbor"
	bodyLimit = 500_000
)

var (
	credentialScope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/ ]+/\d{8}/([a-z0-9-]+)/([a-z-]+)/aws4_request, ?SignedHeaders=[^ ]+, ?Signature=[0-9a-f]{64}$`)

	reading = must(cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, DupMapKey: cbor.DupMapKeyEnforcedAPF, FieldNameMatching: cbor.FieldNameMatchingCaseSensitive}.DecMode())
	writing = must(cbor.EncOptions{Time: cbor.TimeUnixDynamic, TimeTag: cbor.EncTagRequired}.EncMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err) // options of ours
	}
	return mode
}

// failure is an error as the protocol has it.
type failure struct {
	Type    string `cbor:"__type"`
	Message string `cbor:"message"`
}

// Handler answers calls. A page of another origin cannot make one: its type of content has to be asked for first, and nobody answers that.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		status, body := s.answer(r)
		raw, err := writing.Marshal(body)
		if err != nil {
			panic(err) // values of ours
		}
		w.Header().Set("Smithy-Protocol", protocol)
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = w.Write(raw)
	})
}

func (s *Server) answer(r *http.Request) (int, any) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaType || r.Header.Get("Smithy-Protocol") != protocol || r.Method != http.MethodPost {
		return http.StatusUnsupportedMediaType, failure{"SerializationException", "this stand-in takes Smithy's RPC protocol, version 2, over CBOR"}
	}
	if r.URL.Path != Path+"operation/GetMetricData" {
		return http.StatusNotFound, failure{"UnknownOperationException", "this stand-in does not know the operation"}
	}
	if m := credentialScope.FindStringSubmatch(r.Header.Get("Authorization")); m == nil || m[1] != s.region || m[2] != "monitoring" {
		return http.StatusForbidden, failure{"MissingAuthenticationTokenException", "the request is not signed for this Region and service"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err != nil || len(body) > bodyLimit {
		return http.StatusRequestEntityTooLarge, failure{"SerializationException", "the body is too large or broken"}
	}
	var in input
	if err := reading.Unmarshal(body, &in); err != nil {
		return http.StatusBadRequest, failure{"SerializationException", "the body is not what is modelled of this operation: " + err.Error()}
	}
	out, err := s.getMetricData(in)
	if err != nil {
		return http.StatusBadRequest, failure{"com.amazonaws.cloudwatch#InvalidParameterValueException", err.Error()}
	}
	return http.StatusOK, out
}
