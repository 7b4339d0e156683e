-- +goose Up
-- Queries with a private parameter: how many keyholders must agree on its check, and
-- what each of them published.
ALTER TABLE queries ADD COLUMN checks BIGINT NOT NULL DEFAULT 0;
CREATE TABLE checks (
    query     BYTEA  NOT NULL REFERENCES queries (statement),
    number    BIGINT NOT NULL,
    party     TEXT   NOT NULL,
    statement BYTEA  NOT NULL REFERENCES journal (statement),
    PRIMARY KEY (query, number)
);

-- +goose Down
DROP TABLE checks;
ALTER TABLE queries DROP COLUMN checks;
