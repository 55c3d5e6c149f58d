package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress counts what was done since the start.
type progress struct {
	start time.Time
	out   io.Writer

	mu      sync.Mutex
	entries int64
	bytes   int64
}

func newProgress(out io.Writer) *progress {
	return &progress{start: time.Now(), out: out}
}

func (p *progress) count(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries++
	p.bytes += bytes
}

func (p *progress) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "{\"stage\":\"compress\",\"entries\":%d,\"bytes\":%d,\"seconds\":%.1f}\n",
		p.entries, p.bytes, time.Since(p.start).Seconds())
}
