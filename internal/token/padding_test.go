package token_test

// Signatures whose padding is almost right (RFC 8017 section 8.2.2 and 9.2). The families are those
// of Project Wycheproof's RS256 and RSA-2048 vectors (https://github.com/C2SP/wycheproof, flags
// ModifiedPadding, BerEncodedPadding, InvalidAsnInPadding, InvalidPadding, WrongHash, NoHash,
// MissingNull, ShortPadding, InvalidSignature, SignatureMalleability, WrongPrimitive). Its tokens
// hold no claims, so they would be refused for another reason: here the defects are made anew, by
// the private key itself, over tokens that are good in all else.

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"edgeauth/internal/token"
)

// node is an ASN.1 value: a tag, and bytes or children.
type node struct {
	name     string
	tag      byte
	bytes    []byte
	children []*node
}

func (n *node) value(defect map[*node]func(tag byte, value []byte) []byte) []byte {
	if n.children == nil {
		return n.bytes
	}
	var b []byte
	for _, c := range n.children {
		b = append(b, c.encode(defect)...)
	}
	return b
}

// encode writes n, a node with a defect as the defect has it.
func (n *node) encode(defect map[*node]func(tag byte, value []byte) []byte) []byte {
	value := n.value(defect)
	if d := defect[n]; d != nil {
		return d(n.tag, value)
	}
	return tlv(n.tag, value)
}

func tlv(tag byte, value ...[]byte) []byte {
	b := slices.Concat(value...)
	return append([]byte{tag, byte(len(b))}, b...)
}

// digestInfo is what RS256 signs, as a tree.
func digestInfo(oid, digest []byte) (root *node, all []*node) {
	id := &node{name: "oid", tag: 0x06, bytes: oid}
	null := &node{name: "null", tag: 0x05}
	algorithm := &node{name: "digestAlgorithm", tag: 0x30, children: []*node{id, null}}
	sum := &node{name: "digest", tag: 0x04, bytes: digest}
	root = &node{name: "digestInfo", tag: 0x30, children: []*node{algorithm, sum}}
	return root, []*node{root, algorithm, id, null, sum}
}

var oidSHA256 = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}

// emsa pads info to the length of the key.
func emsa(info []byte) []byte {
	return slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 256-3-len(info)), []byte{0}, info)
}

// defects spoil how one node is written, and how its value is.
var defects = map[string]func(tag byte, v []byte) []byte{
	"length in long form":     func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x81, byte(len(v))}, v) },
	"length with a leading 0": func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x82, 0, byte(len(v))}, v) },
	"length one too large":    func(t byte, v []byte) []byte { return slices.Concat([]byte{t, byte(len(v) + 1)}, v) },
	"length one too small":    func(t byte, v []byte) []byte { return slices.Concat([]byte{t, byte(len(v) - 1)}, v) },
	"length overflows uint32": func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x85, 1, 0, 0, 0, byte(len(v))}, v) },
	"length overflows uint64": func(t byte, v []byte) []byte {
		return slices.Concat([]byte{t, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, byte(len(v))}, v)
	},
	"length 2^31-1":                       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x84, 0x7f, 0xff, 0xff, 0xff}, v) },
	"length 2^32-1":                       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x84, 0xff, 0xff, 0xff, 0xff}, v) },
	"length 2^40-1":                       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x85, 0xff, 0xff, 0xff, 0xff, 0xff}, v) },
	"length 2^64-1":                       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x88}, bytes.Repeat([]byte{0xff}, 8), v) },
	"length 255":                          func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0xff}, v) },
	"truncated length":                    func(t byte, v []byte) []byte { return []byte{t, 0x81} },
	"indefinite length without end":       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v) },
	"indefinite length":                   func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v, []byte{0, 0}) },
	"indefinite length, end cut off":      func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v, []byte{0}) },
	"indefinite length, one element more": func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v, []byte{5, 0, 0, 0}) },
	"indefinite length, half an element":  func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v, []byte{6, 0x81, 0, 0}) },
	"indefinite length, garbage": func(t byte, v []byte) []byte {
		return slices.Concat([]byte{t, 0x80}, v, []byte{0, 0, 0xfe, 2, 0xbe, 0xef})
	},
	"indefinite length, end not empty":       func(t byte, v []byte) []byte { return slices.Concat([]byte{t, 0x80}, v, []byte{0, 2, 0xbe, 0xef}) },
	"removed":                                func(t byte, v []byte) []byte { return nil },
	"tag alone":                              func(t byte, v []byte) []byte { return []byte{t} },
	"value dropped":                          func(t byte, v []byte) []byte { return tlv(t) },
	"null instead":                           func(t byte, v []byte) []byte { return []byte{5, 0} },
	"zeros appended":                         func(t byte, v []byte) []byte { return tlv(t, v, []byte{0, 0}) },
	"zeros prepended":                        func(t byte, v []byte) []byte { return tlv(t, []byte{0, 0}, v) },
	"zeros after":                            func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), []byte{0, 0}) },
	"null appended":                          func(t byte, v []byte) []byte { return tlv(t, v, []byte{5, 0}) },
	"null after":                             func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), []byte{5, 0}) },
	"null with explicit tag after":           func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), []byte{0xa0, 2, 5, 0}) },
	"null with implicit tag after":           func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), []byte{0xa0, 0}) },
	"garbage prepended":                      func(t byte, v []byte) []byte { return tlv(t, []byte{0x49, 0x81, 0x77}, v) },
	"garbage before":                         func(t byte, v []byte) []byte { return slices.Concat([]byte{0x25, 0, 0x81, 0x77}, tlv(t, v)) },
	"garbage appended":                       func(t byte, v []byte) []byte { return tlv(t, v, []byte{4, 4, 0xde, 0xad, 0xbe, 0xef}) },
	"garbage with a high tag after":          func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), []byte{0xbf, 0x7f, 0}) },
	"undefined tags before":                  func(t byte, v []byte) []byte { return slices.Concat([]byte{0xaa, 0, 0xbb, 0, 0xcd, 0}, tlv(t, v)) },
	"undefined tags inside":                  func(t byte, v []byte) []byte { return tlv(t, []byte{0xaa, 2, 0xbb, 0}, v) },
	"wrapped, indefinite length":             func(t byte, v []byte) []byte { return slices.Concat([]byte{t | 0x20, 0x80}, tlv(t, v), []byte{0, 0}) },
	"wrapped, wrong tag, indefinite length":  func(t byte, v []byte) []byte { return slices.Concat([]byte{0x31, 0x80}, tlv(t, v), []byte{0, 0}) },
	"wrapped in a sequence":                  func(t byte, v []byte) []byte { return tlv(0x30, tlv(t, v)) },
	"composed of two halves":                 func(t byte, v []byte) []byte { return tlv(t|0x20, tlv(t, v[:len(v)/2]), tlv(t, v[len(v)/2:])) },
	"composed of an empty half and the rest": func(t byte, v []byte) []byte { return tlv(t|0x20, tlv(t), tlv(t, v)) },
	"empty sequence prepended":               func(t byte, v []byte) []byte { return tlv(t, []byte{0x30, 0}, v) },
	"empty sequence appended":                func(t byte, v []byte) []byte { return tlv(t, v, []byte{0x30, 0}) },
	"twice":                                  func(t byte, v []byte) []byte { return slices.Concat(tlv(t, v), tlv(t, v)) },
	"tag 00":                                 func(t byte, v []byte) []byte { return tlv(0, v) },
	"tag ff":                                 func(t byte, v []byte) []byte { return tlv(0xff, v) },
	"next tag":                               func(t byte, v []byte) []byte { return tlv(t+1, v) },
	"constructed bit flipped":                func(t byte, v []byte) []byte { return tlv(t^0x20, v) },
	"class flipped":                          func(t byte, v []byte) []byte { return tlv(t^0x80, v) },
	"first byte cut off":                     func(t byte, v []byte) []byte { return tlv(t, v[min(1, len(v)):]) },
	"last byte cut off":                      func(t byte, v []byte) []byte { return tlv(t, v[:max(0, len(v)-1)]) },
	"first byte changed":                     func(t byte, v []byte) []byte { return tlv(t, flip(v, 0)) },
	"last byte changed":                      func(t byte, v []byte) []byte { return tlv(t, flip(v, len(v)-1)) },
	"byte in the middle changed":             func(t byte, v []byte) []byte { return tlv(t, flip(v, len(v)/2)) },
}

func flip(v []byte, i int) []byte {
	c := slices.Clone(v)
	if 0 <= i && i < len(c) {
		c[i] ^= 1
	}
	return c
}

// hashes are what RS256 is not: the object identifier of each and its digest of the input.
var hashes = map[string]struct {
	oid []byte
	sum func([]byte) []byte
}{
	"MD5":         {[]byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05}, func(b []byte) []byte { s := md5.Sum(b); return s[:] }},
	"SHA-1":       {[]byte{0x2b, 0x0e, 0x03, 0x02, 0x1a}, func(b []byte) []byte { s := sha1.Sum(b); return s[:] }},
	"SHA-224":     {nist(4), func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }},
	"SHA-384":     {nist(2), func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
	"SHA-512":     {nist(3), func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
	"SHA-512/224": {nist(5), func(b []byte) []byte { s := sha512.Sum512_224(b); return s[:] }},
	"SHA-512/256": {nist(6), func(b []byte) []byte { s := sha512.Sum512_256(b); return s[:] }},
	"SHA3-224":    {nist(7), func(b []byte) []byte { s := sha3.Sum224(b); return s[:] }},
	"SHA3-256":    {nist(8), func(b []byte) []byte { s := sha3.Sum256(b); return s[:] }},
	"SHA3-384":    {nist(9), func(b []byte) []byte { s := sha3.Sum384(b); return s[:] }},
	"SHA3-512":    {nist(10), func(b []byte) []byte { s := sha3.Sum512(b); return s[:] }},
}

func nist(last byte) []byte { return append(slices.Clone(oidSHA256[:8]), last) }

// misPadded returns the wrong encoded messages for input, by name.
func misPadded(input []byte) map[string][]byte {
	sum := sha256.Sum256(input)
	digest := sum[:]
	root, nodes := digestInfo(oidSHA256, digest)
	plain := root.encode(nil)
	messages := map[string][]byte{}
	for what, defect := range defects {
		for _, n := range nodes {
			info := root.encode(map[*node]func(byte, []byte) []byte{n: defect})
			messages[n.name+": "+what] = emsa(info)
		}
	}
	for name, oid := range map[string][]byte{
		"none": {}, "longer": append(slices.Clone(oidSHA256), 0), "another node": nist(0x7f), "a large node": append(slices.Clone(oidSHA256[:8]), 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01),
		"an unfinished node": append(slices.Clone(oidSHA256[:8]), 0x81), "a node with a leading 80": append(slices.Clone(oidSHA256[:8]), 0x80, 0x01), "rsaEncryption": {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1},
	} {
		other, _ := digestInfo(oid, digest)
		messages["oid: "+name] = emsa(other.encode(nil))
	}
	for name, h := range hashes {
		declared, _ := digestInfo(h.oid, digest)
		hashed, _ := digestInfo(oidSHA256, h.sum(input))
		both, _ := digestInfo(h.oid, h.sum(input))
		messages["hash: "+name+" declared"] = emsa(declared.encode(nil))
		messages["hash: "+name+" computed"] = emsa(hashed.encode(nil))
		messages["hash: "+name+" declared and computed"] = emsa(both.encode(nil))
	}
	messages["null: missing in the algorithm"] = emsa(tlv(0x30, tlv(0x30, tlv(6, oidSHA256)), tlv(4, digest)))
	messages["no hash: the input itself"] = emsa(tlv(0x30, tlv(0x30, tlv(6, oidSHA256), []byte{5, 0}), tlv(4, input[:100])))
	messages["no hash: digest without digestInfo"] = emsa(digest)
	messages["no hash: nothing"] = emsa(nil)

	frame := func(name string, change func(em []byte)) {
		em := emsa(plain)
		change(em)
		messages["frame: "+name] = em
	}
	end := 256 - len(plain) - 1 // where the zero after the padding stands
	for _, blockType := range []byte{0, 2, 3, 4, 0x7f, 0xfe, 0xff} {
		frame(fmt.Sprintf("block type %d", blockType), func(em []byte) { em[1] = blockType })
	}
	frame("zeros for padding, block type 0", func(em []byte) { em[1] = 0; clear(em[2:end]) })
	frame("zeros for padding", func(em []byte) { clear(em[2:end]) })
	frame("random padding, as for encryption", func(em []byte) { em[1] = 2; rand.Read(em[2:end]) })
	for _, i := range []int{2, 3, 9, 10, 100, end - 2, end - 1} {
		for _, b := range []byte{0x00, 0x01, 0xee, 0xfe, 0x7f} {
			frame(fmt.Sprintf("byte %d of the padding is %#02x", i, b), func(em []byte) { em[i] = b })
		}
	}
	frame("no zero after the padding", func(em []byte) { em[end] = 0xff })
	frame("one after the padding", func(em []byte) { em[end] = 1 })
	for _, ps := range []int{0, 1, 7, 8, 9, 100} {
		short := slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, ps), []byte{0}, plain)
		tail := bytes.Repeat([]byte{0}, 256-len(short))
		messages[fmt.Sprintf("frame: %d bytes of padding, zeros at the end", ps)] = slices.Concat(short, tail)
		messages[fmt.Sprintf("frame: %d bytes of padding, garbage at the end", ps)] = slices.Concat(short, bytes.Repeat([]byte{0xa5}, len(tail)))
		messages[fmt.Sprintf("frame: %d bytes of padding, zeros before", ps)] = slices.Concat(tail, short)
	}
	messages["frame: none"] = slices.Concat(make([]byte, 256-len(plain)), plain)
	return messages
}

func TestPaddingDefects(t *testing.T) {
	s := newStand(t)
	raw := s.IDToken(nil)
	input := raw[:strings.LastIndexByte(raw, '.')]
	key := s.id.Private
	sum := sha256.Sum256([]byte(input))
	root, _ := digestInfo(oidSHA256, sum[:])
	good := emsa(root.encode(nil))
	power := func(em []byte) *big.Int { return new(big.Int).Exp(new(big.Int).SetBytes(em), key.D, key.N) }
	signed := func(n *big.Int) string {
		return input + "." + base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 256)))
	}
	if signed(power(good)) != raw {
		t.Fatal("the padding made here is not the right one")
	}

	var cases []refuse
	distinct := map[string]bool{}
	for name, em := range misPadded([]byte(input)) {
		if bytes.Equal(em, good) || distinct[string(em)] || new(big.Int).SetBytes(em).Cmp(key.N) >= 0 {
			continue // a defect of what has no bytes is none
		}
		distinct[string(em)] = true
		cases = append(cases, refuse{name, signed(power(em)), token.ErrSignature})
	}

	one := big.NewInt(1)
	signature := power(good)
	for name, n := range map[string]*big.Int{
		"0": new(big.Int), "1": one, "2": big.NewInt(2), "n-1": new(big.Int).Sub(key.N, one), "n": key.N, "n+1": new(big.Int).Add(key.N, one),
		"-1": new(big.Int).Sub(new(big.Int).Lsh(one, 2048), one), "n-s": new(big.Int).Sub(key.N, signature), "the message": new(big.Int).SetBytes(good),
	} {
		cases = append(cases, refuse{"signature is " + name, signed(n), token.ErrSignature})
	}
	for k := range int64(3) {
		unreduced := new(big.Int).Add(signature, new(big.Int).Mul(key.N, big.NewInt(k+1)))
		cases = append(cases, refuse{fmt.Sprintf("signature is not reduced, %d n too large", k+1), input + "." + base64.RawURLEncoding.EncodeToString(unreduced.Bytes()), token.ErrSignature})
	}
	for _, salt := range []int{0, 20, 32, rsa.PSSSaltLengthAuto} {
		pss, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, refuse{fmt.Sprintf("PSS with salt %d", salt), input + "." + base64.RawURLEncoding.EncodeToString(pss), token.ErrSignature})
	}
	t.Logf("%d defects", len(cases))
	if len(cases) < 213 {
		t.Fatalf("only %d distinct defects, want at least 213", len(cases))
	}
	s.refuse(t, token.ID, cases)
}
