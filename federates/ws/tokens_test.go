package ws_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/federates/ws"
)

// Whatever stands in a token file: it is read, or the line that is wrong is
// named without what may be a token on it.
func FuzzReadTokens(f *testing.F) {
	for _, text := range []string{
		"", "# none\n\n", "a 0123456789abcdef\nb fedcba9876543210\n", "a 0123456789abcdef\r\n", "a short\n", "a\n", "a b c\n",
		"a 0123456789abcdef\na 0123456789abcdef\n", "\x00 0123456789abcdef", "a 0123456789abcdef # secret\n", strings.Repeat("x", 70000),
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, "tokens")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tokens, err := ws.ReadTokens(file)
		if err != nil {
			if !strings.Contains(err.Error(), file) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for name, token := range tokens {
			if name == "" || strings.HasPrefix(name, "#") || len(token) < 16 || !strings.Contains(text, token) {
				t.Errorf("%q gives %q the token %q", text, name, token)
			}
		}
	})
}
