-- +goose Up
-- One SQL text for SQLite and PostgreSQL: BYTEA has no meaning to SQLite, which
-- stores the blob as it is; times are nanoseconds since 1970; hashes are 32 bytes.

-- The journal, and the only home of statements. hash is the entry's hash, which the
-- next entry repeats as prev; statement is the hash of the signed bytes.
CREATE TABLE journal (
    seq       BIGINT PRIMARY KEY,
    prev      BYTEA  NOT NULL,
    hash      BYTEA  NOT NULL,
    statement BYTEA  NOT NULL UNIQUE,
    type      TEXT   NOT NULL,
    envelope  BYTEA  NOT NULL
);

CREATE TABLE parties    (id TEXT PRIMARY KEY, statement BYTEA NOT NULL REFERENCES journal (statement));
CREATE TABLE committees (id TEXT PRIMARY KEY, statement BYTEA NOT NULL REFERENCES journal (statement));
CREATE TABLE schemas    (id TEXT PRIMARY KEY, statement BYTEA NOT NULL REFERENCES journal (statement));

-- A dealing's key is the hash of its statement.
CREATE TABLE dealings (
    key       BYTEA PRIMARY KEY REFERENCES journal (statement),
    owner     TEXT  NOT NULL,
    nonce     BYTEA NOT NULL,
    committee BYTEA NOT NULL,
    UNIQUE (owner, nonce)
);
CREATE TABLE dealing_seeds (
    key    BYTEA  NOT NULL REFERENCES dealings (key),
    number BIGINT NOT NULL,
    sealed BYTEA  NOT NULL,
    PRIMARY KEY (key, number)
);
CREATE TABLE confirmations (
    key    BYTEA  NOT NULL REFERENCES dealings (key),
    number BIGINT NOT NULL,
    ok     BIGINT NOT NULL,
    reason TEXT   NOT NULL,
    PRIMARY KEY (key, number)
);

-- Every nonce ever announced stays here: it can't be used again.
CREATE TABLE uploads (
    nonce    BYTEA PRIMARY KEY,
    owner    TEXT   NOT NULL,
    dataset  TEXT   NOT NULL,
    profile  TEXT   NOT NULL,
    columns  BIGINT NOT NULL,
    blocks   BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    manifest BYTEA  NOT NULL,
    active   BIGINT NOT NULL
);
CREATE INDEX uploads_by_state ON uploads (state, active);
CREATE TABLE blocks (
    nonce BYTEA  NOT NULL REFERENCES uploads (nonce),
    idx   BIGINT NOT NULL,
    hash  BYTEA  NOT NULL,
    PRIMARY KEY (nonce, idx)
);

CREATE TABLE datasets (
    id         TEXT PRIMARY KEY,
    manifest   BYTEA  NOT NULL REFERENCES journal (statement),
    owner      TEXT   NOT NULL,
    schema     BYTEA  NOT NULL,
    layout     TEXT   NOT NULL,
    profile    TEXT   NOT NULL,
    key        BYTEA  NOT NULL REFERENCES dealings (key),
    row_count  BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    revocation BYTEA REFERENCES journal (statement)
);
CREATE TABLE products (
    id        TEXT PRIMARY KEY,
    statement BYTEA NOT NULL REFERENCES journal (statement),
    words     TEXT  NOT NULL
);

CREATE TABLE queries (
    statement    BYTEA PRIMARY KEY REFERENCES journal (statement),
    id           BYTEA  NOT NULL,
    buyer        TEXT   NOT NULL,
    product      TEXT   NOT NULL,
    published    BYTEA  NOT NULL,
    committee    BYTEA  NOT NULL,
    threshold    BIGINT NOT NULL,
    keyholders   BIGINT NOT NULL,
    openings     BIGINT NOT NULL,
    scalar_bytes BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    public_hash  BYTEA  NOT NULL,
    blocks_done  BIGINT NOT NULL,
    blocks_total BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    failure      TEXT   NOT NULL,
    updated      BIGINT NOT NULL,
    UNIQUE (buyer, id)
);
CREATE INDEX queries_by_state ON queries (state);
CREATE TABLE answers (
    query     BYTEA  NOT NULL REFERENCES queries (statement),
    number    BIGINT NOT NULL,
    party     TEXT   NOT NULL,
    statement BYTEA  NOT NULL REFERENCES journal (statement),
    sealed    BYTEA  NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (query, number)
);
-- Decisions name queries by hash; a refused query is not stored.
CREATE TABLE decisions (
    query     BYTEA NOT NULL,
    party     TEXT  NOT NULL,
    statement BYTEA NOT NULL REFERENCES journal (statement),
    PRIMARY KEY (query, party)
);

CREATE TABLE checkpoints (
    size    BIGINT PRIMARY KEY,
    head    BYTEA NOT NULL,
    payload BYTEA NOT NULL
);
CREATE TABLE cosignatures (
    size  BIGINT NOT NULL REFERENCES checkpoints (size),
    party TEXT   NOT NULL,
    keyid TEXT   NOT NULL,
    sig   BYTEA  NOT NULL,
    PRIMARY KEY (size, party)
);

-- +goose Down
DROP TABLE cosignatures;
DROP TABLE checkpoints;
DROP TABLE decisions;
DROP TABLE answers;
DROP TABLE queries;
DROP TABLE products;
DROP TABLE datasets;
DROP TABLE blocks;
DROP TABLE uploads;
DROP TABLE confirmations;
DROP TABLE dealing_seeds;
DROP TABLE dealings;
DROP TABLE schemas;
DROP TABLE committees;
DROP TABLE parties;
DROP TABLE journal;
