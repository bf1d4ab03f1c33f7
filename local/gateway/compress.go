package gateway

// This file compresses answers of a REST API with a minimum compression size, and unpacks its requests.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// unpack resolves the content coding of a request. Functions do not see that there was one.
func (g *gate) unpack(q *request) *failure {
	coding, coded := q.header("Content-Encoding")
	if g.api.Compression == nil || !coded || len(q.body) < *g.api.Compression {
		return nil
	}
	var in io.ReadCloser
	var err error
	switch packed := bytes.NewReader(q.body); strings.ToLower(coding) {
	case "identity":
		return nil
	case "gzip":
		in, err = gzip.NewReader(packed)
	case "deflate":
		in, err = zlib.NewReader(packed)
	default:
		return unsupportedMediaType()
	}
	if err != nil {
		return unsupportedMediaType()
	}
	if q.body, err = io.ReadAll(io.LimitReader(in, bodyLimit+1)); err != nil {
		return unsupportedMediaType()
	}
	if len(q.body) > bodyLimit {
		return requestTooLarge()
	}
	q.fields = slices.DeleteFunc(q.fields, func(f field) bool { return strings.EqualFold(f.name, "Content-Encoding") })
	return nil
}

// pack compresses an answer's body for a client that asked for it, unless the function has done so.
func (g *gate) pack(h http.Header, q *request, body []byte) []byte {
	if g.api.Compression == nil || len(body) < *g.api.Compression || h.Get("Content-Encoding") != "" {
		return body
	}
	accepted, _ := q.header("Accept-Encoding")
	coding := preferred(accepted)
	var packed bytes.Buffer
	var out io.WriteCloser
	switch coding {
	case "gzip":
		out = gzip.NewWriter(&packed)
	case "deflate":
		out = zlib.NewWriter(&packed)
	default:
		return body
	}
	_, _ = out.Write(body) // into memory: cannot fail
	_ = out.Close()
	h.Set("Content-Encoding", coding)
	return packed.Bytes()
}

// preferred is the coding of the highest weight, the first of several. If that is none of API Gateway's, the answer is not compressed.
func preferred(accepted string) string {
	best, weight := "", 0.0
	for one := range strings.SplitSeq(accepted, ",") {
		coding, parameters, _ := strings.Cut(one, ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			q, _ = strconv.ParseFloat(text, 64)
		}
		if q > weight {
			best, weight = strings.ToLower(strings.TrimSpace(coding)), q
		}
	}
	return best
}
