"""Writes frames.csv: frames built from the layout alone, independently of the
Go code. The field arithmetic is Python's integers; AES is that of the package
`cryptography` (OpenSSL). Run: python3 generate_frames.py > frames.csv"""

import struct
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MODULUS = 1 << 128 | 0x87


def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a >> 128:
            a ^= MODULUS
        b >>= 1
    return product


def evaluation_hash(key, message):
    t, k = 0, int.from_bytes(key, "big")
    for i in range(0, len(message), 16):
        t = times(t ^ int.from_bytes(message[i:i + 16].ljust(16, b"\0"), "big"), k)
    return t.to_bytes(16, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


BITS = {"otp": 0, "aes-wc": 1, "aes": 2}


def frame(mode, direction, channel, message_id, command, hash_key, offset, key, payload):
    enc_id = auth_id = offset
    pad, session = key, None
    if mode == "otp":
        auth_id = offset + 8 * len(payload)
        one_time, pad = key[:len(payload)], key[len(payload):]
    else:
        session, pad = key[:len(key) - (16 if mode == "aes-wc" else 0)], key[-16:]
        if mode == "aes-wc":
            auth_id = offset + 8 * len(session)
    header = struct.pack(">IIBBHII", 36 + len(payload), message_id, 0x43 | BITS[mode] << 3,
                         command, channel, enc_id, auth_id)
    nonce = struct.pack(">HBBII", channel, direction, BITS[mode], 0, message_id)
    if mode == "aes":
        return header + AESGCM(session).encrypt(nonce, payload, header)
    if mode == "otp":
        body = xor(payload, one_time)
    else:
        e = Cipher(algorithms.AES(session), modes.CTR(nonce + bytes(4))).encryptor()
        body = e.update(payload) + e.finalize()
    return header + body + xor(evaluation_hash(hash_key, header + body), pad)


def octets(seed, n):
    return bytes((seed * 31 + i * 17 + i * i * 7) & 0xff for i in range(n))


print("mode,direction,channel,command,hash_key,offset,key,payload,frame")
case = 0
for mode in BITS:
    for session_octets in ((16, 32) if mode != "otp" else (0,)):
        for size in (1, 16, 42, 255):
            case += 1
            pad = 0 if mode == "aes" else 16
            key = octets(case, session_octets + pad + (size if mode == "otp" else 0))
            hash_key, payload = octets(100 + case, 16), octets(200 + case, size)
            direction, channel, command = case % 2, 257 * case, 1 + case % 2
            f = frame(mode, direction, channel, 1, command, hash_key, 8 * 1000 * case, key, payload)
            print(mode, direction, channel, command, hash_key.hex(), 8000 * case, key.hex(), payload.hex(), f.hex(), sep=",")
