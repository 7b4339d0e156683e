// Package agefile keeps a keyholder's secrets in one file encrypted with age
// (https://age-encryption.org), under a passphrase or an age identity.
//
// The file is decrypted once, when the store is opened. Every change writes the
// whole new contents to a temporary file beside it, flushes it, renames it over the
// old one and flushes the directory, so that after a crash either the old or the
// new contents are there, never a mixture. A lock file keeps two processes from
// changing it at once. To back up, copy the file; to restore, copy it back.
//
// Destroying a key removes it from the file. It can't remove it from copies, nor
// from blocks that a file system or a disk keeps after overwriting.
package agefile
