package ws

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// A resume token is a number of its own and a code that only this run can have
// made of it for this name. A server that was started anew with the secret of
// before thus knows its tokens without having kept them.
const (
	nonceBytes = 8
	codeBytes  = 16
)

func (s *Server) newToken(name string) string {
	var nonce [nonceBytes]byte
	_, _ = rand.Read(nonce[:]) // never fails
	return s.token(name, hex.EncodeToString(nonce[:]))
}

func (s *Server) token(name, nonce string) string {
	return nonce + s.code("federate "+name+" "+nonce, codeBytes)
}

// gave says whether a token is one that this run has given for a name.
func (s *Server) gave(token, name string) bool {
	const n = 2 * nonceBytes
	return len(token) > n && sameToken(token, s.token(name, token[:n]))
}

// runID tells this run from every other, whatever they are called.
func (s *Server) runID() string { return s.code("run", 8) }

func (s *Server) code(of string, size int) string {
	h := hmac.New(sha256.New, s.cfg.Secret)
	h.Write([]byte(of))
	return hex.EncodeToString(h.Sum(nil)[:size])
}
