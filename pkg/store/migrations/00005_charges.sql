-- +goose Up
-- Numbers that journaled queries open under dataset keys, each once, and how many.
CREATE TABLE charges (
    dataset_key BYTEA NOT NULL,
    functional  BYTEA NOT NULL,
    PRIMARY KEY (dataset_key, functional)
);
CREATE TABLE charged (
    dataset_key BYTEA PRIMARY KEY,
    numbers     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE charged;
DROP TABLE charges;
