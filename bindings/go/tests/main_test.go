package tests

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain draws the same sequences at each run, unless -rapid.seed says otherwise, and fails if any
// test leaves a goroutine behind.
func TestMain(m *testing.M) {
	flag.Parse()
	if seed := flag.Lookup("rapid.seed"); seed.Value.String() == "0" {
		if err := seed.Value.Set("1"); err != nil {
			panic(err)
		}
	}
	if os.Getenv(sabotage) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
