package main

// #include <time.h>
import "C"

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// now is in seconds of a clock that all processes share, which the standard library does not show.
func now() float64 {
	var time C.struct_timespec
	C.clock_gettime(C.CLOCK_MONOTONIC, &time)
	return float64(time.tv_sec) + float64(time.tv_nsec)*1e-9
}

// cpu is in seconds of the processor that this process has used.
func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)*1e-6
}

// residentKB is a line of /proc/self/status: VmHWM: is the most memory so far, VmRSS: what is in use now.
func residentKB(field string) (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, field); found {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no %s", field)
}

// samples are durations in seconds.
type samples []float64

// at is in microseconds, of sorted samples.
func (s samples) at(percent int) float64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)*percent/100] * 1e6
}

func (s samples) report(began, ended, used float64) error {
	slices.Sort(s)
	kb, err := residentKB("VmHWM:")
	fmt.Printf("{\"n\":%d,\"t0\":%.6f,\"t1\":%.6f,\"cpu\":%.6f,\"rss_kb\":%d,\"p50us\":%.1f,\"p99us\":%.1f}\n",
		len(s), began, ended, used, kb, s.at(50), s.at(99))
	return err
}

func (s samples) reportLatency() {
	slices.Sort(s)
	fmt.Printf("{\"n\":%d,\"min\":%.1f,\"p50\":%.1f,\"p99\":%.1f}\n", len(s), s.at(0), s.at(50), s.at(99))
}
