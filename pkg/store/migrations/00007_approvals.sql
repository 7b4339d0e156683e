-- +goose Up
-- Parties that are to approve queries; statement is absent while they have not. binding:
-- nothing is computed before. And keyholders that wait for people.
CREATE TABLE approvals (
    query     BYTEA  NOT NULL REFERENCES queries (statement),
    party     TEXT   NOT NULL,
    binding   BIGINT NOT NULL,
    statement BYTEA REFERENCES journal (statement),
    PRIMARY KEY (query, party)
);
CREATE INDEX approvals_by_party ON approvals (party);
CREATE TABLE deferrals (
    query     BYTEA NOT NULL REFERENCES queries (statement),
    party     TEXT  NOT NULL,
    statement BYTEA NOT NULL REFERENCES journal (statement),
    PRIMARY KEY (query, party)
);

-- +goose Down
DROP TABLE deferrals;
DROP TABLE approvals;
