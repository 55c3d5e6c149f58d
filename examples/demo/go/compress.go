package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"multispool.dev/multispool"
)

// compressor is one goroutine's: a gzip.Writer is too large to make for each entry.
type compressor struct {
	gzip *gzip.Writer
	out  *bufio.Writer
}

func newCompressor() *compressor {
	return &compressor{gzip: gzip.NewWriter(nil), out: bufio.NewWriterSize(nil, 64<<10)}
}

// description is what the stage reads of an entry's metadata.
type description struct {
	Size   *int64 `json:"size"`
	SHA256 string `json:"sha256"`
}

// compress gzips the data of an entry and puts the digest of the original into its metadata, ready to
// be saved. It returns the original's length in bytes.
//
// It must be right whatever an earlier run did before it was killed. New data and new metadata are
// two steps, so such a run may have left, in the queue it took the entry from: the original, as it
// was; gzip under metadata without a digest; or gzip under metadata with one. Which of them it is
// cannot be seen from the data alone, for the original may be a gzip file itself, nor from the
// metadata. What tells is the length: the metadata has had the original's since the beginning, and
// what this stage commits never has that length, for it makes the gzip header longer if it must. So
// data of that length is the original, and any other must be our gzip of it, which is checked by
// unpacking it: it must be whole, and the original's length again.
func (c *compressor) compress(checkout *multispool.Checkout) (int64, error) {
	var entry description
	metadata := checkout.Metadata()
	if err := json.Unmarshal(metadata, &entry); err != nil {
		return 0, fmt.Errorf("metadata: %w", err)
	}
	if entry.Size == nil {
		return 0, errors.New(`metadata: there is no "size"`)
	}
	stat, err := checkout.DataFile().Stat()
	if err != nil {
		return 0, err
	}
	var digest string
	if stat.Size == *entry.Size {
		digest, err = c.replace(checkout, *entry.Size)
	} else {
		digest, err = unpackedDigest(checkout, *entry.Size)
	}
	if err != nil {
		return 0, err
	}
	switch entry.SHA256 {
	case digest:
	case "":
		if metadata, err = withDigest(metadata, digest); err == nil {
			err = checkout.SetMetadata(metadata)
		}
	default:
		err = fmt.Errorf("the data has the digest %s instead of %s", digest, entry.SHA256)
	}
	return *entry.Size, err
}

// replace puts the data's gzip, of any length but size, in its place. It returns the digest of what
// was there.
func (c *compressor) replace(checkout *multispool.Checkout, size int64) (string, error) {
	original, err := checkout.Data()
	if err != nil {
		return "", err
	}
	defer original.Close()
	for _, comment := range []string{"", "longer"} {
		digest, done, err := c.try(checkout, original, size, comment)
		if done || err != nil {
			return digest, err
		}
		if _, err := original.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
	}
	// The comment is the only difference between the two.
	return "", fmt.Errorf("gzip is %d bytes long with a comment and without", size)
}

// try commits the gzip with that comment in its header, unless it comes out size bytes long.
func (c *compressor) try(checkout *multispool.Checkout, original io.Reader, size int64, comment string) (digest string, done bool, err error) {
	writer, err := checkout.DataWriter()
	if err != nil {
		return "", false, err
	}
	defer writer.Close() // throws away what was not committed
	packed := &counter{writer: writer}
	c.out.Reset(packed)
	c.gzip.Reset(c.out)
	c.gzip.Comment = comment
	sum := sha256.New()
	length, err := io.Copy(io.MultiWriter(sum, c.gzip), original)
	if err != nil {
		return "", false, err
	}
	if length != size {
		return "", false, fmt.Errorf("the data has %d bytes instead of %d", length, size)
	}
	if err := c.gzip.Close(); err != nil {
		return "", false, err
	}
	if err := c.out.Flush(); err != nil {
		return "", false, err
	}
	if packed.length == size {
		return "", false, nil
	}
	return hex.EncodeToString(sum.Sum(nil)), true, writer.Commit()
}

// counter knows how much was written through it.
type counter struct {
	writer io.Writer
	length int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.writer.Write(p)
	c.length += int64(n)
	return n, err
}

// unpackedDigest is the digest of the contents of data that is gzip already, which must be size bytes.
func unpackedDigest(checkout *multispool.Checkout, size int64) (string, error) {
	packed, err := checkout.Data()
	if err != nil {
		return "", err
	}
	defer packed.Close()
	reader, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("the data is neither the original of %d bytes nor its gzip: %w", size, err)
	}
	sum := sha256.New()
	length, err := io.Copy(sum, reader)
	if err != nil {
		return "", fmt.Errorf("the data is not the whole gzip of the original: %w", err)
	}
	if length != size {
		return "", fmt.Errorf("the data is the gzip of %d bytes instead of %d", length, size)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// withDigest adds a member to a JSON object that has some, and keeps every other byte as it is.
func withDigest(object []byte, digest string) ([]byte, error) {
	end := bytes.LastIndexByte(object, '}')
	if end < 0 {
		return nil, errors.New("metadata: not an object")
	}
	return fmt.Appendf(object[:end:end], ",\"sha256\":\"%s\"}", digest), nil
}
