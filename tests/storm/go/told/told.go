// Package told is what the two programs of the storm in Go share: their log, and their luck.
package told

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"multispool.dev/multispool"
)

// recordLength is that of each line of the log: a power of two, so that no write is cut short.
const recordLength = 256

// Arguments that both programs have: SPOOL LOG PROCESS SEED DURABILITY.
const Arguments = 5

// Record is one line of the log. The two sums are those of the metadata and the data.
type Record struct {
	Event    string
	Session  uint64
	Serial   string
	Name     string
	Queue    string
	Metadata uint32
	Data     uint32
}

// Process is this process's number, as the driver gave it.
var Process = "storm"

var (
	log  *os.File
	luck = struct {
		sync.Mutex
		*rand.Rand
	}{}
)

// Begin takes the arguments, opens the log and the spool.
func Begin(arguments []string) *multispool.Spool {
	Process = arguments[2]
	seed, err := strconv.ParseUint(arguments[3], 10, 64)
	Must(err)
	luck.Rand = rand.New(rand.NewPCG(seed, 0))
	log, err = os.OpenFile(arguments[1], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	Must(err)
	level, known := map[string]multispool.Durability{
		"none":     multispool.DurabilityNone,
		"original": multispool.DurabilityOriginal,
		"full":     multispool.DurabilityFull,
	}[arguments[4]]
	if !known {
		Must(fmt.Errorf("a durability is none, original or full, not %q", arguments[4]))
	}
	queues := []string{"incoming", "middle", "outgoing", "done"}
	spool, err := multispool.Load(arguments[0], queues, multispool.WithDurability(level))
	Must(err)
	return spool
}

// Must ends the process unless all went well.
func Must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", Process, err)
		os.Exit(1)
	}
}

// Note adds a line to the log, by one write; the time is that of the call.
func (r Record) Note(event string) {
	var now syscall.Timespec
	const monotonic = 1
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		Must(errno)
	}
	line := fmt.Appendf(make([]byte, 0, recordLength), "%d %s %s %d %s %s %s %08x %08x", now.Nano(), event, Process,
		r.Session, orDash(r.Serial), orDash(r.Name), orDash(r.Queue), r.Metadata, r.Data)
	if len(line) >= recordLength {
		Must(fmt.Errorf("a record is too long: %s", line))
	}
	line = append(line, bytes.Repeat([]byte{' '}, recordLength-len(line)-1)...)
	_, err := log.Write(append(line, '\n'))
	Must(err)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Sum is CRC-32.
func Sum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// Below is a random number below n.
func Below(n int) int {
	luck.Lock()
	defer luck.Unlock()
	return luck.IntN(n)
}

// Linger waits half of the time not at all, else up to so many milliseconds.
func Linger(most int) {
	if Below(2) == 0 {
		time.Sleep(time.Duration(Below(most*1000)) * time.Microsecond)
	}
}

// Data tells which entry it is of, and who made it.
func Data(serial, maker string) []byte {
	most := 4096
	if Below(16) == 0 {
		most = 256 * 1024
	}
	length := Below(most)
	line := fmt.Sprintf("%s by %s\n", serial, maker)
	return bytes.Repeat([]byte(line), length/len(line)+1)[:length]
}
