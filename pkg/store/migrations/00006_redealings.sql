-- +goose Up
-- Keys that are opened with another dealing from a journal entry on. extra: numbers that
-- its owner says were opened before, beyond those that were counted here.
CREATE TABLE redealings (
    dealing   BYTEA PRIMARY KEY REFERENCES dealings (key),
    key       BYTEA  NOT NULL REFERENCES dealings (key),
    extra     BIGINT NOT NULL,
    statement BYTEA  NOT NULL REFERENCES journal (statement)
);
CREATE INDEX redealings_by_key ON redealings (key);

-- +goose Down
DROP TABLE redealings;
