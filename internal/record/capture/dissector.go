package capture

import _ "embed"

// Q3PDissector is a script for Wireshark and tshark that shows the headers of
// Q3P frames on UDP port 50104.
//
//go:embed q3p.lua
var Q3PDissector []byte

// Q3PPort is the UDP port of Q3P frames in captures; Q3P has none of its own.
const Q3PPort = 50104
