#!/usr/bin/env python3
"""Prints the vectors of docs/level0-protocol.md, written from that page and the standards alone.

It shares no code with the reference implementation: HMAC is Python's, Ed25519 that of the package
`cryptography`, Ascon-AEAD128 is written here from NIST SP 800-232. Bodies are given as bytes.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MASK = (1 << 64) - 1
KEY = bytes(range(32))
SECRET = bytes(range(32, 64))
DEVICE = bytes.fromhex("0123456789abcdef")


def permute(s, rounds):
    def turn(x, n):
        return (x >> n | x << (64 - n)) & MASK

    for i in range(12 - rounds, 12):
        s[2] ^= (0xF - i) << 4 | i
        s[0] ^= s[4]
        s[4] ^= s[3]
        s[2] ^= s[1]
        s[:] = [s[j] ^ (~s[(j + 1) % 5] & s[(j + 2) % 5] & MASK) for j in range(5)]
        s[1] ^= s[0]
        s[0] ^= s[4]
        s[3] ^= s[2]
        s[2] ^= MASK
        turns = [(19, 28), (61, 39), (1, 6), (10, 17), (7, 41)]
        s[:] = [x ^ turn(x, a) ^ turn(x, b) for x, (a, b) in zip(s, turns)]


def ascon(key, nonce, data, plain=b""):
    """Ciphertext and tag of Ascon-AEAD128."""

    def word(b):
        return int.from_bytes(b, "little")

    def padded(b):
        b += b"\x01"
        return b + bytes(-len(b) % 16)

    k = [word(key[:8]), word(key[8:])]
    s = [0x00001000808C0001, *k, word(nonce[:8]), word(nonce[8:])]
    permute(s, 12)
    s[3] ^= k[0]
    s[4] ^= k[1]
    if data:
        data = padded(data)
        for at in range(0, len(data), 16):
            s[0] ^= word(data[at : at + 8])
            s[1] ^= word(data[at + 8 : at + 16])
            permute(s, 8)
    s[4] ^= 1 << 63
    cipher = b""
    blocks = padded(plain)
    for at in range(0, len(blocks), 16):
        s[0] ^= word(blocks[at : at + 8])
        s[1] ^= word(blocks[at + 8 : at + 16])
        cipher += s[0].to_bytes(8, "little") + s[1].to_bytes(8, "little")
        if at + 16 < len(blocks):
            permute(s, 8)
    s[2] ^= k[0]
    s[3] ^= k[1]
    permute(s, 12)
    tag = (s[3] ^ k[0]).to_bytes(8, "little") + (s[4] ^ k[1]).to_bytes(8, "little")
    return cipher[: len(plain)], tag


CODE = bytes(range(16))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def code_text(code):
    """128 bits and their CRC-12/DECT, in letters of 5 bits."""
    check = 0
    for bit in bin(1 << 128 | int.from_bytes(code, "big"))[3:]:
        carry = check >> 11 ^ int(bit)
        check = (check << 1 ^ (0x80F if carry else 0)) & 0xFFF
    number = int.from_bytes(code, "big") << 12 | check
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(135, -1, -5))
    return "-".join(letters[at : at + 4] for at in range(0, 28, 4))


def code_key(direction):
    return ascon(CODE, direction * 16, b"")[1]


def prove(number, direction, signed):
    if number == 1:
        return hmac.new(KEY, signed, hashlib.sha256).digest()[:16]
    if number == 2 and direction == b"D":
        return Ed25519PrivateKey.from_private_bytes(SECRET).sign(signed)
    if number == 15:
        return ascon(code_key(direction), signed[2:18], signed)[1]
    half = KEY[:16] if direction == b"D" else KEY[16:]
    return ascon(half, signed[2:18], signed)[1]


def checksum(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value.to_bytes(2, "little")


def cobs(data):
    blocks = data.split(b"\0")
    assert all(len(block) < 254 for block in blocks)
    return b"".join(bytes([len(block) + 1]) + block for block in blocks)


def wire(plain):
    return (b"\0" + cobs(plain) + b"\0").hex(" ")


def frame(number, direction, counter, body):
    signed = bytes([number << 4 | 1]) + direction + DEVICE + counter.to_bytes(8, "little") + body
    plain = signed + prove(number, direction, signed)
    return wire(plain + checksum(plain))


def key_frame(counter, secret):
    """The host's answer to an offer: the key is encrypted."""
    clear = b"\xf1H" + DEVICE + counter.to_bytes(8, "little") + b"\0"
    cipher, tag = ascon(code_key(b"H"), clear[2:18], clear, secret)
    plain = clear + cipher + tag
    return wire(plain + checksum(plain))


HELLO = bytes.fromhex("00 01 02 03 01 d0 0f 01")
READINGS = bytes.fromhex("01 01 80 c8 e2 e1 c1 33 03 00 00 c2 01 00 01 05 00 00 04 00 f4 38 fe")
WAVE = bytes.fromhex("02 02 00 95 68 05 00 80 01 7f ff ff 03 d8 04")
IDENTIFY = bytes.fromhex("00")
ACK = bytes.fromhex("01 84 80 80 80 70")
FINAL = bytes.fromhex("02 84 80 80 80 70")
TIME = bytes.fromhex("03 80 c8 e2 e1 c1 33")
RELAY = bytes.fromhex("04 a1 b2 c3 d4 00 01 80 c8 e2 e1 c1 33 04 00 f4 38 fe")
STARTED = 7 << 32
CLOCK = 1770000000000

VECTORS = [
    ("Vector 1: Hello", 0, b"D", STARTED, HELLO),
    ("Vector 2: Readings", 0, b"D", STARTED + 1, READINGS),
    ("Vector 3: Wave", 0, b"D", STARTED + 4, WAVE),
    ("Vector 4: Identify", 0, b"H", CLOCK, IDENTIFY),
    ("Vector 5: Ack", 0, b"H", CLOCK + 1, ACK),
    ("Vector 6: Readings, low-cost", 1, b"D", STARTED + 1, READINGS),
    ("Vector 7: Ack, low-cost", 1, b"H", CLOCK, ACK),
    ("Vector 8: Readings, signing", 2, b"D", STARTED + 1, READINGS),
    ("Vector 9: Ack, signing", 2, b"H", CLOCK, ACK),
    ("Vector 10: Final", 0, b"H", CLOCK + 2, FINAL),
    ("Vector 11: Time", 0, b"H", CLOCK + 3, TIME),
]

if __name__ == "__main__":
    public = Ed25519PrivateKey.from_private_bytes(SECRET).public_key()
    public = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    print("Public key:", public.hex())
    for name, number, direction, counter, body in VECTORS:
        print(f"\n### {name}\n\nCounter {counter}, body `{body.hex(' ')}`.\n")
        print(f"```text\n{frame(number, direction, counter, body)}\n```")
    print(f"\n### Vector 12: Code\n\n```text\n{code_text(CODE)}\n```")
    offer = frame(15, b"D", STARTED, b"\0\2" + public)
    print(f"\n### Vector 13: Offer, signing\n\nCounter {STARTED}.\n\n```text\n{offer}\n```")
    for name, secret in [("14: Key, low-cost", KEY), ("15: Key, signing", KEY[16:])]:
        answer = key_frame(CLOCK, secret)
        print(f"\n### Vector {name}\n\nCounter {CLOCK}.\n\n```text\n{answer}\n```")
    print(f"\n### Vector 16: Relay\n\nCounter {CLOCK + 4}, body `{RELAY.hex(' ')}`.\n")
    print(f"```text\n{frame(0, b'H', CLOCK + 4, RELAY)}\n```")
