-- +goose Up
-- Keys whose use their owners ended, and keyholders that destroyed their seeds.
CREATE TABLE retirements (
    key       BYTEA PRIMARY KEY REFERENCES dealings (key),
    statement BYTEA NOT NULL REFERENCES journal (statement)
);
CREATE TABLE destructions (
    key       BYTEA  NOT NULL REFERENCES dealings (key),
    number    BIGINT NOT NULL,
    statement BYTEA  NOT NULL REFERENCES journal (statement),
    PRIMARY KEY (key, number)
);

-- +goose Down
DROP TABLE destructions;
DROP TABLE retirements;
