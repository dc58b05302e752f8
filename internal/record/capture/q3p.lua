-- Q3P for Wireshark and tshark:  tshark -X lua_script:q3p.lua -r wire.pcapng
-- The header of 20 octets is plain; what it heads is enciphered.

local q3p = Proto("q3p", "Q3P")
local modes = { [0] = "otp", [1] = "aes-wc", [2] = "aes" }
local commands = { [1] = "data", [2] = "control" }

local f = q3p.fields
f.length = ProtoField.uint32("q3p.length", "Length")
f.id = ProtoField.uint32("q3p.message_id", "Message id")
f.enciphered = ProtoField.bool("q3p.enciphered", "Enciphered", 8, nil, 0x01)
f.authenticated = ProtoField.bool("q3p.authenticated", "Authenticated", 8, nil, 0x02)
f.mode = ProtoField.uint8("q3p.mode", "Mode", base.DEC, modes, 0x18)
f.version = ProtoField.uint8("q3p.version", "Version", base.DEC, nil, 0xe0)
f.command = ProtoField.uint8("q3p.command", "Command", base.DEC, commands)
f.channel = ProtoField.uint16("q3p.channel", "Channel")
f.encryption_key = ProtoField.uint32("q3p.encryption_key_id", "Encryption key id")
f.authentication_key = ProtoField.uint32("q3p.authentication_key_id", "Authentication key id")
f.content = ProtoField.bytes("q3p.content", "Enciphered content")
f.tag = ProtoField.bytes("q3p.tag", "Tag")

local header, tag = 20, 16

function q3p.dissector(packet, info, tree)
	local size = packet:len()
	if size < header + tag or packet(0, 4):uint() ~= size then
		return 0 -- none, or one that an adversary made
	end
	local t = tree:add(q3p, packet())
	t:add(f.length, packet(0, 4))
	t:add(f.id, packet(4, 4))
	t:add(f.enciphered, packet(8, 1))
	t:add(f.authenticated, packet(8, 1))
	t:add(f.mode, packet(8, 1))
	t:add(f.version, packet(8, 1))
	t:add(f.command, packet(9, 1))
	t:add(f.channel, packet(10, 2))
	t:add(f.encryption_key, packet(12, 4))
	t:add(f.authentication_key, packet(16, 4))
	t:add(f.content, packet(header, size - header - tag))
	t:add(f.tag, packet(size - tag, tag))
	local mode = packet(8, 1):bitfield(3, 2)
	info.cols.protocol = "Q3P"
	info.cols.info = string.format("%s %s  message %d  channel %d  keys %d, %d", modes[mode] or "?",
		commands[packet(9, 1):uint()] or "?", packet(4, 4):uint(), packet(10, 2):uint(), packet(12, 4):uint(), packet(16, 4):uint())
	return size
end

DissectorTable.get("udp.port"):add(50104, q3p)
