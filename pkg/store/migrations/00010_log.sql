-- +goose Up
-- The journal's entries are leaves of a Merkle tree: salt is what the leaf is salted with,
-- tree the roots of the perfect subtrees after the entry, 32 bytes each, the largest first.
ALTER TABLE journal DROP COLUMN prev;
ALTER TABLE journal DROP COLUMN hash;
ALTER TABLE journal ADD COLUMN salt BYTEA NOT NULL DEFAULT '';
ALTER TABLE journal ADD COLUMN tree BYTEA NOT NULL DEFAULT '';

-- Checkpoints that the log has published: note is the text with the log's signature.
DROP TABLE cosignatures;
DROP TABLE checkpoints;
CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    note TEXT   NOT NULL
);
-- Keyholders' signatures of them, in the form of signed notes.
CREATE TABLE cosignatures (
    size  BIGINT NOT NULL REFERENCES checkpoints (size),
    party TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    hash  BIGINT NOT NULL,
    sig   TEXT   NOT NULL,
    PRIMARY KEY (size, party)
);
