-- +goose Up
-- Numbers of datasets with privacy terms that journaled queries release, each once, and
-- what all of them cost, in millionths of rho.
CREATE TABLE privacy_numbers (
    dataset    TEXT NOT NULL,
    functional BYTEA NOT NULL,
    PRIMARY KEY (dataset, functional)
);
CREATE TABLE privacy_spent (
    dataset TEXT PRIMARY KEY,
    spent   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE privacy_spent;
DROP TABLE privacy_numbers;
