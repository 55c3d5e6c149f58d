// Producer puts files into the queue "incoming" of a spool: the path is the metadata, the contents
// are the data.
//
//	producer SPOOL FILE...
//	... | producer SPOOL -        standard input, as one entry
//
// It prints the name of each entry once it is safe on disk: from then on it survives a loss of
// power. Exit status: 0 done, 1 some file failed, 2 wrong usage.
package main

import (
	"errors"
	"fmt"
	"os"

	"multispool.dev/multispool"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: producer SPOOL FILE...")
		os.Exit(2)
	}
	if err := produce(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "producer:", err)
		os.Exit(1)
	}
}

// produce enqueues what it can, and returns what it could not.
func produce(dir string, files []string) error {
	spool, err := multispool.Create(dir, []string{"incoming", "done"})
	if err != nil {
		return err
	}
	defer spool.Close()
	var failures []error
	for _, file := range files {
		entry, err := enqueue(spool, file)
		if err != nil {
			failures = append(failures, err)
		}
		// With ErrNotDurable the entry is there as well: enqueuing it again would make a second one.
		if entry != nil {
			fmt.Println(entry.Name())
		}
	}
	return errors.Join(failures...)
}

func enqueue(spool *multispool.Spool, file string) (*multispool.Entry, error) {
	if file == "-" {
		return spool.EnqueueReader("incoming", []byte(file), os.Stdin)
	}
	return spool.EnqueueFile("incoming", []byte(file), file)
}
