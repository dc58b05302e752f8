package wc

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// evaluate is the rule at any width, written for clarity: polynomials are big
// integers and a product is shift, add and reduce, bit by bit.
func evaluate(width int, modulusLow uint64, key, message []byte) []byte {
	modulus := new(big.Int).SetUint64(modulusLow)
	modulus.SetBit(modulus, width, 1)
	k := new(big.Int).SetBytes(key)
	t := new(big.Int)
	for size := width / 8; len(message) > 0; {
		block := make([]byte, size)
		message = message[copy(block, message):]
		t.Xor(t, new(big.Int).SetBytes(block))
		product := new(big.Int)
		for i := width - 1; i >= 0; i-- {
			product.Lsh(product, 1)
			if product.Bit(width) == 1 {
				product.Xor(product, modulus)
			}
			if t.Bit(i) == 1 {
				product.Xor(product, k)
			}
		}
		t = product
	}
	return t.FillBytes(make([]byte, width/8))
}

type vector struct {
	width                        int
	modulusLow                   uint64
	key, pad, message, hash, tag []byte
}

func vectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open("testdata/wc_evhash_vectors.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var vs []vector
	for _, r := range rows[1:] {
		width, err := strconv.Atoi(r[0])
		if err != nil {
			t.Fatal(err)
		}
		low, err := strconv.ParseUint(r[1], 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, vector{width, low, unhex(r[2]), unhex(r[3]), unhex(r[4]), unhex(r[5]), unhex(r[6])})
	}
	return vs
}

func TestReferenceRuleReproducesVectorsOfEveryWidth(t *testing.T) {
	for i, v := range vectors(t) {
		if got := evaluate(v.width, v.modulusLow, v.key, v.message); !bytes.Equal(got, v.hash) {
			t.Errorf("vector %d (%d bits): hash %x, want %x", i, v.width, got, v.hash)
		}
	}
}

func TestTagReproduces128BitVectors(t *testing.T) {
	tested := 0
	for i, v := range vectors(t) {
		if v.width != 128 {
			continue
		}
		tested++
		h := New([Size]byte(v.key))
		var got [Size]byte
		h.Sum(&got, v.message)
		if !bytes.Equal(got[:], v.hash) {
			t.Errorf("vector %d: hash %x, want %x", i, got, v.hash)
		}
		pad := [Size]byte(v.pad)
		h.Tag(&got, &pad, v.message)
		if !bytes.Equal(got[:], v.tag) {
			t.Errorf("vector %d: tag %x, want %x", i, got, v.tag)
		}
		if !h.Verify(v.tag, &pad, v.message) {
			t.Errorf("vector %d: its own tag is refused", i)
		}
	}
	if tested != 4 {
		t.Errorf("%d vectors of 128 bits, want 4", tested)
	}
}

func TestSumOfPartsIsSumOfConcatenation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [Size]byte(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "key"))
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 0, 5).Draw(t, "parts")
		whole := bytes.Join(parts, nil)
		var got [Size]byte
		New(key).Sum(&got, parts...)
		if want := evaluate(128, 0x87, key[:], whole); !bytes.Equal(got[:], want) {
			t.Fatalf("hash %x, want %x", got, want)
		}
	})
}

func TestEveryFlippedBitIsRefused(t *testing.T) {
	h := New([Size]byte{7: 1, 15: 42})
	message := []byte("a header of twenty b" + "and a ciphertext that is not a multiple of 16")
	pad := [Size]byte{1, 2, 3}
	var tag [Size]byte
	h.Tag(&tag, &pad, message)
	for i := range 8 * len(message) {
		message[i/8] ^= 1 << (i % 8)
		if h.Verify(tag[:], &pad, message) {
			t.Fatalf("message with bit %d flipped is accepted", i)
		}
		message[i/8] ^= 1 << (i % 8)
	}
	for i := range 8 * Size {
		tag[i/8] ^= 1 << (i % 8)
		if h.Verify(tag[:], &pad, message) {
			t.Fatalf("tag with bit %d flipped is accepted", i)
		}
		tag[i/8] ^= 1 << (i % 8)
	}
	if h.Verify(tag[:Size-1], &pad, message) || h.Verify(nil, &pad, message) {
		t.Fatal("a short tag is accepted")
	}
}

func TestLengthIsNotBound(t *testing.T) {
	h := New([Size]byte{15: 3})
	var a, b [Size]byte
	h.Sum(&a, []byte("a"))
	h.Sum(&b, []byte("a\x00"))
	if a != b {
		t.Error("zero padding is said to be invisible to the hash, and is not")
	}
}

func TestSumDoesNotAllocate(t *testing.T) {
	h := New([Size]byte{1})
	header, body := make([]byte, 20), make([]byte, 40)
	var tag, pad [Size]byte
	if n := testing.AllocsPerRun(100, func() {
		h.Tag(&tag, &pad, header, body)
		h.Verify(tag[:], &pad, header, body)
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func BenchmarkTag(b *testing.B) {
	for _, n := range []int{16, 60, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			h := New([Size]byte{1, 2, 3})
			header, body := make([]byte, n/3), make([]byte, n-n/3)
			var tag, pad [Size]byte
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				h.Tag(&tag, &pad, header, body)
			}
		})
	}
}

func ExampleHash() {
	session := New([Size]byte{15: 2}) // the evaluation point is the polynomial x
	pad := [Size]byte{15: 0xff}       // fresh key, for this message only
	header, ciphertext := []byte{0x80}, []byte{0x01}

	var tag [Size]byte
	session.Tag(&tag, &pad, header, ciphertext)
	fmt.Printf("%x %v\n", tag, session.Verify(tag[:], &pad, header, ciphertext))
	// Output: 00020000000000000000000000000078 true
}
