package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"time"

	"multispool.dev/multispool"
)

// The queues that an upload goes through.
const (
	uploads = "uploads"
	done    = "done"
	failed  = "failed"
)

// enough is after how many attempts a job that fails is not tried any more.
const enough = 3

// Job is what is known of an upload.
type Job struct {
	ContentType string    `json:"content_type"`
	Received    time.Time `json:"received"`
	Attempts    int       `json:"attempts"`
	// Result is there once it is done, Error once it has failed for good.
	Result *Result `json:"result,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// Result is what came of an upload.
type Result struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Lines  int64  `json:"lines"`
}

// jobs says what the spool holds.
var jobs = multispool.Spoolable[Job, []byte]{
	Metadata: multispool.JSON[Job](),
	Data:     multispool.Bytes[[]byte](),
	Queues:   []string{uploads, done, failed},
}

// work is done for each upload. It may run again for the same one, and comes to the same result.
func work(ctx context.Context, checkout *multispool.TypedCheckout[Job, []byte]) (multispool.Outcome, error) {
	data, err := checkout.Data()
	if err != nil {
		return multispool.Release(), err
	}
	defer data.Close()
	result, err := examine(ctx, data)
	if err != nil {
		return multispool.Release(), err
	}
	job := checkout.Metadata()
	job.Attempts++
	job.Result = result
	return checkout.SaveWith(done, job)
}

// examine reads to the end, however long that is, unless ctx ends it.
func examine(ctx context.Context, data io.Reader) (*Result, error) {
	digest := sha256.New()
	result := &Result{}
	buffer := make([]byte, 256<<10)
	for {
		n, err := data.Read(buffer)
		digest.Write(buffer[:n])
		result.Bytes += int64(n)
		result.Lines += int64(bytes.Count(buffer[:n], []byte{'\n'}))
		switch {
		case err == io.EOF:
			result.SHA256 = hex.EncodeToString(digest.Sum(nil))
			return result, nil
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

// failedIn says what becomes of a job whose work failed: another attempt, or that was enough.
func failedIn(spool *multispool.Typed[Job, []byte]) func(*multispool.Checkout, error) multispool.Outcome {
	return func(checkout *multispool.Checkout, err error) multispool.Outcome {
		typed, undecodable := spool.Decode(checkout)
		if undecodable != nil {
			return multispool.Save(failed)
		}
		job := typed.Metadata()
		job.Attempts++
		queue := uploads
		if job.Attempts >= enough {
			job.Error = err.Error()
			queue = failed
		}
		outcome, err := typed.SaveWith(queue, job)
		if err != nil {
			slog.Error("the attempt is not counted", "entry", checkout, "error", err)
			return multispool.Release()
		}
		return outcome
	}
}

// errUnknown is an id that no upload has.
var errUnknown = errors.New("no such job")

// find is what is known of a job, and the queue that it has reached: done, failed or, for one that is
// on its way, uploads.
func find(spool *multispool.Typed[Job, []byte], id string) (job Job, queue string, err error) {
	for _, queue := range []string{done, failed} {
		entry, err := spool.Entry(queue, id)
		if err != nil {
			return job, "", err
		}
		if job, err = entry.Direct().Contents(); !errors.Is(err, multispool.ErrNotFound) {
			return job, queue, err
		}
	}
	// The name is reserved from before the upload is there until it is forgotten.
	entry, err := spool.Entry(uploads, id)
	if err == nil {
		_, err = entry.Stat()
	}
	if errors.Is(err, multispool.ErrNotFound) {
		err = errUnknown
	}
	return job, uploads, err
}

// isWhole tells whether a job's upload has come to its end. A job that moves meanwhile may be missed.
func isWhole(spool *multispool.Typed[Job, []byte], id string) (bool, error) {
	for _, queue := range []string{uploads, done, failed} {
		entry, err := spool.Entry(queue, id)
		if err != nil {
			return false, err
		}
		if _, err := entry.Direct().Contents(); !errors.Is(err, multispool.ErrNotFound) {
			return err == nil, err
		}
		if queue != uploads {
			continue
		}
		for checkout, err := range spool.ListCheckoutsUnsafe(uploads) {
			if err == nil && checkout.Name() == id {
				return true, nil
			}
		}
	}
	return false, nil
}
