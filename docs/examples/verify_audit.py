#!/usr/bin/env python3
"""Verifies an audit bundle against a genesis file, as docs/audit-format.md says and with nothing else.

    python3 verify_audit.py FILE.fwaudit FILE.fwgenesis

Exit code 0: valid. 1: invalid. 2: the files cannot be read. Stands beside verify_proof.py, which has encodings,
hashes, signatures and certificates. Needs Python 3.9 and its standard library.
"""

import json
import sys
from hashlib import sha256

from verify_proof import (
    Invalid, Reader, block_hash, certified, check_genesis, need, parse_certificate, parse_change, parse_file,
    parse_genesis, parse_header, signed, tagged,
)

MAX_FILE = 64 << 20
MAX_LINE = (2 << 20) + 64
ZERO = bytes(32)
EMPTY = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
NAMES = {
    "begin": ["format", "readme", "chain", "node", "made", "asked", "first", "before"],
    "shown": ["entry", "transaction"],
    "told": ["entry"],
    "unproven": ["number", "words"],
}
KINDS = ("registered", "changed", "policy", "asked", "decided", "reviewed", "served", "read",
         "erased")
STATES = ("waiting", "granted", "denied", "refused", "ended")


# 1. The log


def whole(data, parse):
    """What all the bytes are."""
    reader = Reader(data)
    found = parse(reader)
    reader.end()
    return found


def parse_request(r):
    return {
        "handle": r.digest(), "purpose": r.variant(5), "emergency": r.variant_byte(),
        "state": STATES[r.variant(5)], "metrics": r.list(r.text), "by": r.list(r.text), "until": r.u64(),
    }


def parse_entry(r):
    return {
        "number": r.u64(), "height": r.u64(), "time": r.u64(), "transaction": r.digest(),
        "kind": KINDS[r.variant(9)], "organisation": r.raw(16), "signer": r.option(r.digest),
        "person": r.option(r.digest), "subject": r.option(r.digest),
        "request": r.option(lambda: parse_request(r)),
    }


def parse_transaction(data):
    body, sender, signature = whole(data, lambda r: (r.bytes(), r.digest(), r.raw(64)))
    return {
        "chain": body[:32], "id": tagged("fogward/tx-id/1", sender, signature, body), "sender": sender,
        "holds": signed(sender, b"fogward/tx/1\x00" + body, signature),
    }


# State proofs: docs/light-client.md


def parse_state_proof(r):
    kind = r.variant(3)
    end = (r.bytes(),) if kind == 0 else (r.digest(), r.digest()) if kind == 1 else ()
    siblings = r.list(lambda: r.option(r.digest))
    need(len(siblings) <= 256 and EMPTY not in siblings, "siblings are not in their one form")
    return kind, end, siblings


def held(proof, root, key):
    """What the state with this root holds under a key; None if nothing."""
    kind, end, siblings = proof
    way = sha256(key).digest()
    bit = lambda of, at: of[at // 8] >> (7 - at % 8) & 1
    hashed = lambda one, value: sha256(b"JMT::LeafNode" + one + value).digest()
    if kind == 0:
        h = hashed(way, sha256(end[0]).digest())
    elif kind == 1:
        shares = all(bit(end[0], at) == bit(way, at) for at in range(len(siblings)))
        need(end[0] != way and shares, "the other leaf is in another place")
        h = hashed(*end)
    else:
        h = EMPTY
    for at, sibling in zip(reversed(range(len(siblings))), siblings):
        s = sibling or EMPTY
        h = sha256(b"JMT::IntrnalNode" + (s + h if bit(way, at) else h + s)).digest()
    need(h == root, "a state proof does not lead to the state root")
    return end[0] if kind == 0 else None


# 2. The file


def parse_line(text):
    need(len(text) <= MAX_LINE, "a line is too long")
    try:
        line = json.loads(text)
        (name, value), = line.items()
    except (ValueError, AttributeError, RecursionError):
        raise Invalid("a line is no object with one name") from None
    written = json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
    need(written.encode("utf-8") == text, "a line is not written in its one way")
    if name in NAMES:
        need(isinstance(value, dict) and list(value) == NAMES[name], f"{name} has other fields")
    return name, value


def unhex(text):
    try:
        found = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise Invalid("not hexadecimal digits") from None
    need(found.hex() == text, "not hexadecimal digits in lower case")
    return found


def verify(file, genesis, say):
    lines = [text + b"\n" for text in file.split(b"\n")]
    need(lines.pop() == b"\n", "the last line does not end")
    need(len(lines) >= 3, "too few lines")
    lines = [(text, *parse_line(text)) for text in lines]
    (_, name, begin), (_, last, signature) = lines[0], lines[-1]
    need(name == "begin" and begin["format"] == "fogward-audit-1", "it is of another format")
    chain, node = unhex(begin["chain"]), unhex(begin["node"])
    number, accumulator = begin["first"], unhex(begin["before"])
    # 1. Entries
    need((number == 0) == (accumulator == ZERO), "nothing comes before entry 0")
    at = 1
    while at < len(lines) and lines[at][1] in ("shown", "told", "left_out"):
        _, name, value = lines[at]
        if name == "left_out":
            digest = unhex(value)
        else:
            bytes_ = unhex(value["entry"])
            entry = whole(bytes_, parse_entry)
            need(entry["number"] == number, f"entry {number} is missing")
            digest = tagged("fogward/access-log-entry/1", bytes_)
            state = entry["request"]["state"] if entry["request"] else ""
            say(f"{number:>6}  block {entry['height']:>6}  {entry['kind']:<10}  {state:<8}  {name}")
        if name == "shown":
            transaction = parse_transaction(unhex(value["transaction"]))
            need(transaction["id"] == entry["transaction"], f"entry {number} has another transaction")
            need(transaction["chain"] == chain and transaction["holds"], f"transaction {number} does not hold")
        need(len(digest) == 32, "a digest has 32 bytes")
        accumulator = tagged("fogward/access-log/1", accumulator, digest)
        number, at = number + 1, at + 1
    need(at < len(lines) and lines[at][1] == "end", "the end is missing")
    end = whole(unhex(lines[at][2]), lambda r: {
        "header": r.kept(lambda: parse_header(r)), "certificate": parse_certificate(r),
        "changes": r.list(lambda: parse_change(r)), "log": parse_state_proof(r), "node": parse_state_proof(r),
    })
    # 2. Final
    check_genesis({"chain": chain, **end}, genesis)
    validators = end["changes"][-1]["next"] if end["changes"] else genesis["validators"]
    certified(chain, end["header"], end["certificate"], validators)
    # 3. Head
    root = end["header"]["state_root"]
    head = held(end["log"], root, b"access-log")
    count, expected = whole(head, lambda r: (r.u64(), r.digest())) if head else (0, ZERO)
    need((count, expected) == (number, accumulator), "the entries do not lead to the log's head")
    # 4. Node
    member = held(end["node"], root, b"member/" + node)
    need(member is not None, "the node is no member")
    name, standing = whole(member, lambda r: (
        (r.digest(), r.digest(), r.text(), r.text(), r.raw(16))[2], r.variant(2)))
    need(standing == 0, "the node takes no part any more")
    # 5. Signature
    need(all(name == "unproven" for _, name, _ in lines[at + 1 : -1]), "a line is not in its place")
    need(last == "signature", "the signature is missing")
    message = b"fogward/audit-bundle/1\x00" + tagged(
        "fogward/audit-bundle/1", b"".join(text for text, _, _ in lines[:-1]))
    signature = unhex(signature)
    need(len(signature) == 64 and signed(node, message, signature), "the signature does not hold")
    say(f"{count} entries by block {end['header']['height']} {block_hash(end['header']).hex()}, told by {name}")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[0], "rb") as file:
            bundle = file.read(MAX_FILE + 1)
        with open(arguments[1], "rb") as file:
            genesis = file.read((1 << 20) + 9)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        need(len(bundle) <= MAX_FILE, "the file is too long")
        verify(bundle, parse_file(genesis, b"FWGENES1", parse_genesis), print)
    except Invalid as why:
        print(f"INVALID: {why}")
        return 1
    print("valid")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
