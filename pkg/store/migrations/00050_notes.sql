-- +goose Up
-- What queries use of datasets, which would have to be found by compiling them again; and
-- times that hold over restarts, in nanoseconds since 1970.
CREATE TABLE query_uses (
    query BYTEA PRIMARY KEY REFERENCES journal (statement),
    uses  BYTEA NOT NULL
);
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE marks;
DROP TABLE query_uses;
