package base64url_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"edgeauth/internal/base64url"
)

func TestAppendDecode(t *testing.T) {
	for _, c := range []struct {
		text string
		want string
		err  error
	}{
		{"", "", nil},
		{"Zg", "f", nil},
		{"Zm8", "fo", nil},
		{"Zm9v", "foo", nil},
		{"-_-_", "\xfb\xff\xbf", nil},
		{"Zg==", "", base64url.Err},
		{"Zm8=", "", base64url.Err},
		{"Zh", "", base64url.Err},  // bits left over
		{"Zm9", "", base64url.Err}, // bits left over
		{"Zm9vY", "", base64url.Err},
		{"+/+/", "", base64url.Err},
		{"Zm\n9v", "", base64url.Err},
		{"Zm\r9v", "", base64url.Err},
		{"\nZm9v", "", base64url.Err},
		{"Zm9v\r\n", "", base64url.Err},
		{"\n", "", base64url.Err},
		{"Zm 9v", "", base64url.Err},
		{"Zm9\x00", "", base64url.Err},
	} {
		got, err := base64url.AppendDecode([]byte("x"), c.text)
		if !errors.Is(err, c.err) || err == nil && string(got) != "x"+c.want || err != nil && got != nil {
			t.Errorf("%q: got %q, %v", c.text, got, err)
		}
	}
}

func FuzzAppendDecode(f *testing.F) {
	for _, seed := range []string{"", "Zg", "Zh", "Zm8", "Zm9v", "Zg==", "-_", "+/", "Z\n", "Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := base64url.AppendDecode(nil, text)
		if err == nil && base64.RawURLEncoding.EncodeToString(b) != text {
			t.Fatalf("%q is not the text of %x", text, b)
		}
	})
}
