PRAGMA application_id = Integer(1180126290);
PRAGMA user_version = Integer(4);
PRAGMA journal_mode = Text("wal");
CREATE TABLE access_log (
    number  INTEGER NOT NULL PRIMARY KEY,
    before  BLOB NOT NULL,
    entry   BLOB NOT NULL,
    subject BLOB,
    signer  BLOB,
    person  BLOB
) STRICT;
CREATE INDEX access_log_person ON access_log (person, number) WHERE person IS NOT NULL;
CREATE INDEX access_log_signer ON access_log (signer, number) WHERE signer IS NOT NULL;
CREATE INDEX access_log_subject ON access_log (subject, number) WHERE subject IS NOT NULL;
CREATE TABLE certificates (
    height      INTEGER NOT NULL PRIMARY KEY REFERENCES headers (height),
    certificate BLOB NOT NULL
) STRICT;
CREATE TABLE headers (
    height             INTEGER NOT NULL PRIMARY KEY,
    hash               BLOB NOT NULL UNIQUE,
    header             BLOB NOT NULL,
    time_millis        INTEGER NOT NULL,
    transactions_total INTEGER NOT NULL,
    readings_total     INTEGER NOT NULL
) STRICT;
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pruned (
    height   INTEGER NOT NULL PRIMARY KEY REFERENCES headers (height),
    readings INTEGER NOT NULL,
    ids      BLOB NOT NULL
) STRICT;
CREATE TABLE state (
    key      BLOB NOT NULL PRIMARY KEY,
    key_hash BLOB NOT NULL UNIQUE,
    height   INTEGER NOT NULL,
    value    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE transaction_ids (
    era    INTEGER NOT NULL,
    head   BLOB NOT NULL,
    height INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (era, head, height, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE transactions (
    height INTEGER NOT NULL REFERENCES headers (height),
    place  INTEGER NOT NULL,
    id     BLOB NOT NULL,
    sender BLOB NOT NULL,
    kind   TEXT NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (height, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE tree_nodes (
    path   BLOB NOT NULL PRIMARY KEY,
    height INTEGER NOT NULL,
    node   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE undecided (
    height       INTEGER NOT NULL,
    round        INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    bytes        BLOB NOT NULL,
    check_digest BLOB NOT NULL,
    PRIMARY KEY (height, round, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE validator_sets (
    from_height INTEGER NOT NULL PRIMARY KEY,
    validators  BLOB NOT NULL
) STRICT;
