#!/usr/bin/env python3
"""Verifies a proof file against a genesis file, as docs/proof-format.md says and with nothing else.

    python3 verify_proof.py FILE.fwproof FILE.fwgenesis

Exit code 0: valid. 1: invalid. 2: the files cannot be read. Needs Python 3.9 and its standard library.
Written for clarity: it takes some hundredths of a second for each signature.
"""

import sys
from hashlib import sha256, sha512

MAX_FILE = 1 << 20


class Invalid(Exception):
    """A check that does not hold, or bytes that do not decode."""


def need(condition, why):
    if not condition:
        raise Invalid(why)


# 1. Encoding


class Reader:
    """Takes values off the front of a byte string."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, n):
        need(self.at + n <= len(self.data), "the bytes end too early")
        self.at += n
        return self.data[self.at - n : self.at]

    def u8(self):
        return self.raw(1)[0]

    def varint(self, bits):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            need(shift < bits, "a number is too long")
        need(value >> bits == 0, "a number is too large")
        need(byte != 0 or shift == 7, "a number is longer than needed")
        return value

    def u16(self):
        return self.varint(16)

    def u32(self):
        return self.varint(32)

    def u64(self):
        return self.varint(64)

    def zigzag(self, bits):
        value = self.varint(bits)
        return value // 2 if value % 2 == 0 else -(value + 1) // 2

    def i16(self):
        return self.zigzag(16)

    def i64(self):
        return self.zigzag(64)

    def i8(self):
        byte = self.u8()
        return byte if byte < 0x80 else byte - 0x100

    def variant(self, count):
        value = self.u32()
        need(value < count, "an unknown variant")
        return value

    def variant_byte(self):
        byte = self.u8()
        need(byte < 2, "neither 00 nor 01")
        return byte

    def bytes(self):
        return self.raw(self.length())

    def length(self):
        return self.u64()

    def text(self):
        try:
            return self.bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise Invalid("a text is not UTF-8") from None

    def list(self, element):
        return [element() for _ in range(self.length())]

    def option(self, element):
        return element() if self.variant_byte() else None

    def digest(self):
        return self.raw(32)

    def kept(self, parse):
        """What `parse` returns, with the bytes it took as `raw`."""
        start = self.at
        value = parse()
        value["raw"] = self.data[start : self.at]
        return value

    def end(self):
        need(self.at == len(self.data), "bytes follow after the end")


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# 2. Hashes


def tagged(tag, *parts):
    tag = tag.encode("ascii")
    return sha256(bytes([len(tag)]) + tag + b"".join(parts)).digest()


def leaf(data):
    return sha256(b"\x00" + data).digest()


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


def leads_to(start, index, count, path, root):
    if not 0 <= index < count or len(path) > 32:
        return False
    f, s, h = index, count - 1, start
    for p in path:
        if s == 0:
            return False
        if f % 2 == 1 or f == s:
            h = node(p, h)
            while f % 2 == 0 and f != 0:
                f, s = f // 2, s // 2
        else:
            h = node(h, p)
        f, s = f // 2, s // 2
    return s == 0 and h == root


# 3. Signatures: RFC 8032 in extended coordinates

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decode_point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * I % P
    if (x * x - xx) % P or (x == 0 and sign):
        return None
    if x % 2 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key, message, signature):
    a, r = decode_point(key), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    if same(multiply(8, a), NEUTRAL) or same(multiply(8, r), NEUTRAL):
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    return same(multiply(s, BASE), add(r, multiply(k, a)))


# 4. to 6. What is in the files


def parse_validators(r):
    def one():
        return {"key": r.digest(), "power": r.u64(), "name": r.text()}

    def many():
        return {"list": r.list(one)}

    found = r.kept(many)
    keys = [one["key"] for one in found["list"]]
    need(keys == sorted(set(keys)) and 1 <= len(keys) <= 1024, "not a list of validators")
    powers = [one["power"] for one in found["list"]]
    need(min(powers) >= 1 and sum(powers) < 2**60, "not a list of validators")
    return found


def parse_standing(r):
    return r.u64() if r.variant(2) == 1 else None


def parse_genesis(r):
    return {
        "name": r.text(),
        "time": r.u64(),
        "validators": parse_validators(r),
        "organisations": r.list(lambda: (r.raw(16), r.text(), r.list(r.digest), parse_standing(r))),
        "members": r.list(lambda: (r.digest(), r.digest(), r.text(), r.text(), r.raw(16), parse_standing(r))),
        "thresholds": [(r.u16(), r.u16()) for _ in range(5)],
        "rules": (r.u32(), r.u32(), r.u32(), r.u32(), r.u64()),
        "nonce": r.digest(),
        "policy_engine": r.text(),
    }


def parse_value(r):
    kind = r.variant(3)
    if kind == 0:
        return ("quantity", r.i64(), r.i8())
    if kind == 1:
        return ("samples", r.u32(), r.list(lambda: r.option(r.i16)))
    return ("absent",)


def parse_reading(r):
    return {
        "stream": r.raw(16),
        "sequence": r.u64(),
        "code": r.text(),
        "unit": r.text(),
        "value": parse_value(r),
        "quality": r.variant(7),
        "origin": r.variant(3),
        "device_time": r.option(r.i64),
        "host_time": r.i64(),
    }


def parse_entry(r):
    return {
        "salt": r.raw(16),
        "stream": r.raw(16),
        "first": r.u64(),
        "count": r.u32(),
        "root": r.digest(),
    }


def parse_header(r):
    names = (
        ("version", r.u16), ("chain", r.digest), ("height", r.u64), ("time", r.u64),
        ("proposer", r.digest), ("parent", r.digest), ("tx_count", r.u32), ("tx_root", r.digest),
        ("state_root", r.digest), ("validators_hash", r.digest), ("next_validators_hash", r.digest),
    )
    return {name: take() for name, take in names}


def parse_certificate(r):
    return {
        "height": r.u64(),
        "round": r.u32(),
        "block": r.digest(),
        "signatures": r.list(lambda: (r.u16(), r.raw(64))),
    }


def parse_change(r):
    return {
        "header": r.kept(lambda: parse_header(r)),
        "certificate": parse_certificate(r),
        "next": parse_validators(r),
    }


def parse_proof(r):
    return {
        "chain": r.digest(),
        "reading": r.kept(lambda: parse_reading(r)),
        "salt": r.raw(16),
        "reading_path": r.list(r.digest),
        "entry": r.kept(lambda: parse_entry(r)),
        "entry_index": r.u32(),
        "entry_path": r.list(r.digest),
        "transaction": r.bytes(),
        "transaction_index": r.u32(),
        "transaction_path": r.list(r.digest),
        "header": r.kept(lambda: parse_header(r)),
        "certificate": parse_certificate(r),
        "changes": r.list(lambda: parse_change(r)),
    }


def parse_file(data, magic, parse):
    need(data[:8] == magic, "the first eight bytes are not " + magic.decode())
    need(len(data) - 8 <= MAX_FILE, "the file is too long")
    r = Reader(data[8:])
    found = r.kept(lambda: parse(r))
    r.end()
    return found


def parse_transaction(data):
    r = Reader(data)
    body, sender, signature = r.bytes(), r.digest(), r.raw(64)
    r.end()
    r = Reader(body)
    chain, nonce = r.digest(), r.u64()
    need(r.variant(3) == 2, "the transaction does not anchor a batch")
    anchor = {"batch": r.u64(), "root": r.digest(), "streams": r.u32(), "readings": r.u32()}
    r.end()
    need(len(body) <= 65536, "the transaction is too long")
    return {
        "body": body, "sender": sender, "signature": signature, "chain": chain, "nonce": nonce,
        "anchor": anchor, "id": tagged("fogward/tx-id/1", sender, signature, body),
    }


# 7. The six checks


def block_hash(header):
    return tagged("fogward/header/1", header["raw"])


def validators_hash(validators):
    return tagged("fogward/validators/1", validators["raw"])


def vote(chain, certificate, key):
    tag = b"fogward/vote/1"
    height, round_ = varint(certificate["height"]), varint(certificate["round"])
    block = b"\x01" + certificate["block"]
    return varint(len(tag)) + tag + b"\x01" + chain + height + round_ + block + key


def certified(chain, header, certificate, validators):
    need(certificate["block"] == block_hash(header), "the certificate is for another block")
    need(certificate["height"] == header["height"], "the certificate is for another height")
    need(header["validators_hash"] == validators_hash(validators), "other validators certify this block")
    places = [place for place, _ in certificate["signatures"]]
    need(places == sorted(set(places)), "signers are not in order")
    power = 0
    for place, signature in certificate["signatures"]:
        need(place < len(validators["list"]), "a signer is no validator")
        validator = validators["list"][place]
        message = vote(chain, certificate, validator["key"])
        need(signed(validator["key"], message, signature), "a signature does not hold")
        power += validator["power"]
    total = sum(validator["power"] for validator in validators["list"])
    need(3 * power > 2 * total, f"{power} of {total} power is not more than two thirds")


def check_commitment(proof, genesis):
    entry, reading = proof["entry"], proof["reading"]
    need(entry["stream"] == reading["stream"], "the reading is of another stream")
    commitment = tagged("fogward/reading/1", proof["salt"], reading["raw"])
    index = reading["sequence"] - entry["first"]
    holds = leads_to(leaf(commitment), index, entry["count"], proof["reading_path"], entry["root"])
    need(holds, "the reading does not lead to its stream's root")
    return commitment


def check_batch(proof, genesis):
    check_commitment(proof, genesis)
    entry, anchor = proof["entry"], parse_transaction(proof["transaction"])["anchor"]
    need(entry["count"] <= anchor["readings"], "the stream has more readings than the batch")
    start = leaf(tagged("fogward/stream/1", entry["raw"]))
    path = proof["entry_path"]
    holds = leads_to(start, proof["entry_index"], anchor["streams"], path, anchor["root"])
    need(holds, "the stream does not lead to the batch root")
    return anchor["root"]


def check_transaction(proof, genesis):
    found = parse_transaction(proof["transaction"])
    need(found["chain"] == proof["chain"], "the transaction is for another chain")
    message = b"fogward/tx/1\x00" + found["body"]
    need(signed(found["sender"], message, found["signature"]), "the sender's signature does not hold")
    return found["id"]


def check_inclusion(proof, genesis):
    header, start = proof["header"], leaf(parse_transaction(proof["transaction"])["id"])
    path, index = proof["transaction_path"], proof["transaction_index"]
    holds = leads_to(start, index, header["tx_count"], path, header["tx_root"])
    need(holds, "the transaction does not lead to the header")
    return block_hash(header)


def check_certificate(proof, genesis):
    changes = proof["changes"]
    validators = changes[-1]["next"] if changes else genesis["validators"]
    certified(proof["chain"], proof["header"], proof["certificate"], validators)
    return proof["certificate"]["block"]


def check_genesis(proof, genesis):
    chain, last = tagged("fogward/genesis/1", genesis["raw"]), proof["header"]
    need(proof["chain"] == chain and last["chain"] == chain, "the proof is of another chain")
    validators, height = genesis["validators"], -1
    for change in proof["changes"]:
        header, following = change["header"], change["next"]
        need(header["chain"] == chain, "a change is of another chain")
        need(height < header["height"] < last["height"], "changes are not in order")
        certified(chain, header, change["certificate"], validators)
        need(header["next_validators_hash"] == validators_hash(following), "other validators follow")
        need(following["raw"] != validators["raw"], "a change that changes nothing")
        validators, height = following, header["height"]
    return chain


CHECKS = (
    check_commitment, check_batch, check_transaction, check_inclusion, check_certificate, check_genesis,
)


def verify(proof_file, genesis_file, say=lambda line: None):
    """Whether the proof holds; tells each check's outcome through `say`."""
    try:
        genesis = parse_file(genesis_file, b"FWGENES1", parse_genesis)
        proof = parse_file(proof_file, b"FWPROOF1", parse_proof)
    except Invalid as why:
        say(f"cannot be decoded: {why}")
        return False
    for name, value in proof["reading"].items():
        if name != "raw":
            say(f"{name.ljust(12)} {value.hex() if isinstance(value, bytes) else value}")
    valid = True
    for check in CHECKS:
        name = check.__name__[6:].ljust(12)
        try:
            say(f"{name} {check(proof, genesis).hex()}")
        except Invalid as why:
            say(f"{name} FAILS: {why}")
            valid = False
    return valid


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        files = []
        for name in arguments:
            with open(name, "rb") as file:
                files.append(file.read(MAX_FILE + 9))
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    valid = verify(files[0], files[1], print)
    print("valid" if valid else "INVALID")
    return 0 if valid else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
