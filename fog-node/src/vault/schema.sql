CREATE TABLE assignments (
    device TEXT NOT NULL REFERENCES devices(id),
    since INTEGER NOT NULL,
    until INTEGER,
    sealed BLOB NOT NULL,
    PRIMARY KEY (device, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    tx BLOB NOT NULL UNIQUE,
    root BLOB NOT NULL,
    readings INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE clocks (
    device TEXT NOT NULL REFERENCES devices(id),
    number INTEGER NOT NULL,
    host_time INTEGER NOT NULL,
    device_time INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (device, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE commissionings (
    number INTEGER PRIMARY KEY,
    subject BLOB NOT NULL,
    record BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE INDEX commissionings_of ON commissionings (subject, number);

CREATE TABLE consents (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,
    path TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    sealed_key BLOB,
    handle BLOB NOT NULL UNIQUE,
    added INTEGER NOT NULL,
    removed INTEGER,
    durable_sequence INTEGER
, handovers INTEGER NOT NULL DEFAULT 0, ward TEXT, bed TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE disclosures (
    read BLOB PRIMARY KEY,
    access BLOB NOT NULL,
    receipt BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX disclosures_by_access ON disclosures (access);

CREATE TABLE epochs (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    sealed_keys BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE erasures (
    number INTEGER PRIMARY KEY,
    device TEXT REFERENCES devices(id),
    body BLOB NOT NULL,
    salt BLOB NOT NULL,
    signature BLOB NOT NULL,
    tx BLOB NOT NULL
) STRICT;

CREATE TABLE gaps (
    device TEXT NOT NULL REFERENCES devices(id),
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (device, kind, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE losses (
    first_batch INTEGER PRIMARY KEY,
    next_batch INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    anchored INTEGER NOT NULL,
    accumulator BLOB NOT NULL,
    is_over INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
    nonce INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    batch INTEGER,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE patients (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payloads (
    stream INTEGER NOT NULL REFERENCES streams(number),
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    batch INTEGER NOT NULL REFERENCES batches(number),
    newest INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (stream, first_sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX payloads_by_batch ON payloads (batch);

CREATE TABLE people (
    id BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE promises (
    receipt BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE provisionings (
    code BLOB PRIMARY KEY,
    sealed_key BLOB NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reasons (
    access BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sender (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    next_nonce INTEGER NOT NULL
) STRICT;

CREATE TABLE streams (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    device TEXT NOT NULL REFERENCES devices(id),
    code TEXT NOT NULL,
    unit TEXT NOT NULL,
    UNIQUE (device, code)
) STRICT;
