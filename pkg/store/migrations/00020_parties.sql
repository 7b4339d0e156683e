-- +goose Up
-- All statements of a party, in the order of the journal; parties has the present one.
CREATE TABLE party_statements (
    statement BYTEA PRIMARY KEY REFERENCES journal (statement),
    id        TEXT NOT NULL
);
CREATE INDEX party_statements_by_id ON party_statements (id);
INSERT INTO party_statements (statement, id) SELECT statement, id FROM parties;
-- Parties that the registrar revoked.
CREATE TABLE party_revocations (
    id        TEXT PRIMARY KEY,
    statement BYTEA NOT NULL REFERENCES journal (statement)
);

-- +goose Down
DROP TABLE party_revocations;
DROP TABLE party_statements;
