-- +goose Up
-- Owners' statements about who may have a key next, and what keyholders hand on.
CREATE TABLE successions (
    statement BYTEA PRIMARY KEY REFERENCES journal (statement),
    key       BYTEA NOT NULL REFERENCES dealings (key)
);
CREATE INDEX successions_by_key ON successions (key);
-- The newest contribution of each keyholder of a dealing to a committee.
CREATE TABLE contributions (
    dealing   BYTEA   NOT NULL REFERENCES dealings (key),
    committee BYTEA   NOT NULL REFERENCES journal (statement),
    number    INTEGER NOT NULL,
    statement BYTEA   NOT NULL REFERENCES journal (statement),
    PRIMARY KEY (dealing, committee, number)
);
-- Signatures of a resharing that is not complete, as envelopes.
CREATE TABLE takeovers (
    dealing  BYTEA   NOT NULL,
    number   INTEGER NOT NULL,
    envelope BYTEA   NOT NULL,
    PRIMARY KEY (dealing, number)
);

-- +goose Down
DROP TABLE takeovers;
DROP TABLE contributions;
DROP TABLE successions;
