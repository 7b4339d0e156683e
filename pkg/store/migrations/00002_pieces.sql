-- +goose Up
-- Ciphertext is stored in column files, and the index names their pieces.
DROP TABLE blocks;
CREATE TABLE pieces (
    nonce BYTEA  NOT NULL REFERENCES uploads (nonce),
    idx   BIGINT NOT NULL,
    hash  BYTEA  NOT NULL,
    PRIMARY KEY (nonce, idx)
);

-- +goose Down
DROP TABLE pieces;
CREATE TABLE blocks (
    nonce BYTEA  NOT NULL REFERENCES uploads (nonce),
    idx   BIGINT NOT NULL,
    hash  BYTEA  NOT NULL,
    PRIMARY KEY (nonce, idx)
);
