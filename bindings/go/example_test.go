package multispool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"multispool.dev/multispool"
)

// open is a new spool in a temporary directory.
func open(queues ...string) (spool *multispool.Spool, closeAll func()) {
	dir, err := os.MkdirTemp("", "multispool")
	if err != nil {
		log.Fatal(err)
	}
	spool, err = multispool.Create(filepath.Join(dir, "spool"), queues)
	if err != nil {
		log.Fatal(err)
	}
	return spool, func() {
		spool.Close()
		os.RemoveAll(dir)
	}
}

func Example() {
	spool, closeAll := open("incoming", "done")
	defer closeAll()
	if _, err := spool.Enqueue("incoming", []byte("greeting"), []byte("hello")); err != nil {
		log.Fatal(err)
	}

	reader, err := spool.Reader("incoming")
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	checkout, err := reader.Dequeue(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer checkout.Close()
	data, err := checkout.DataFile().Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", checkout.Metadata(), data)
	if err := checkout.Save("done"); err != nil {
		log.Fatal(err)
	}
	// Output: greeting: hello
}

func ExampleDiscover() {
	spool, closeAll := open("incoming", "done")
	defer closeAll()
	queues, err := multispool.Discover(spool.Dir())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(queues)
	// Output: [done incoming]
}

func ExampleSpool_EnqueueReader() {
	spool, closeAll := open("incoming")
	defer closeAll()
	entry, err := spool.EnqueueReader("incoming", []byte("from a stream"), strings.NewReader("as long as you like"))
	if err != nil {
		log.Fatal(err)
	}
	data, err := entry.Direct().DataFile().Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", data)
	// Output: as long as you like
}

func ExampleSpool_Reserve() {
	spool, closeAll := open("incoming")
	defer closeAll()
	name, err := spool.Reserve()
	if err != nil {
		log.Fatal(err)
	}
	// The name can be told to others before the entry is there.
	entry, err := spool.Enqueue("incoming", nil, nil, multispool.WithName(name))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(entry.Name() == name)
	// Output: true
}

func ExampleSpool_List() {
	spool, closeAll := open("incoming")
	defer closeAll()
	for _, metadata := range []string{"first", "second"} {
		if _, err := spool.Enqueue("incoming", []byte(metadata), nil); err != nil {
			log.Fatal(err)
		}
	}
	for entry, err := range spool.List("incoming") {
		if err != nil {
			log.Fatal(err)
		}
		metadata, err := entry.Direct().Contents()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", metadata)
	}
	// Output:
	// first
	// second
}

func ExampleReader_Available() {
	spool, closeAll := open("incoming", "done")
	defer closeAll()
	for _, metadata := range []string{"keep", "drop"} {
		if _, err := spool.Enqueue("incoming", []byte(metadata), nil); err != nil {
			log.Fatal(err)
		}
	}
	reader, err := spool.Reader("incoming")
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	for checkout, err := range reader.Available() {
		if err != nil {
			log.Fatal(err)
		}
		outcome := multispool.Save("done")
		if string(checkout.Metadata()) == "drop" {
			outcome = multispool.Remove()
		}
		fmt.Printf("%s: %v\n", checkout.Metadata(), outcome)
		if err := checkout.Finish(outcome); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// keep: save to done
	// drop: remove
}

func ExampleEntry_TryWithEntry() {
	spool, closeAll := open("incoming")
	defer closeAll()
	entry, err := spool.Enqueue("incoming", []byte("once"), nil)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		err := entry.TryWithEntry(func(checkout *multispool.Checkout) (multispool.Outcome, error) {
			fmt.Printf("%s\n", checkout.Metadata())
			return multispool.Remove(), nil
		})
		if errors.Is(err, multispool.ErrNotFound) {
			fmt.Println("someone else has it")
		} else if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// once
	// someone else has it
}

func ExampleCheckout_DataWriter() {
	spool, closeAll := open("incoming")
	defer closeAll()
	entry, err := spool.Enqueue("incoming", nil, []byte("loud"))
	if err != nil {
		log.Fatal(err)
	}
	err = entry.WithEntry(func(checkout *multispool.Checkout) (multispool.Outcome, error) {
		old, err := checkout.Data()
		if err != nil {
			return multispool.Outcome{}, err
		}
		defer old.Close()
		writer, err := checkout.DataWriter()
		if err != nil {
			return multispool.Outcome{}, err
		}
		defer writer.Close() // without Commit the old data stays
		if _, err := io.Copy(writer, io.MultiReader(old, strings.NewReader("er"))); err != nil {
			return multispool.Outcome{}, err
		}
		return multispool.Release(), writer.Commit()
	})
	if err != nil {
		log.Fatal(err)
	}
	data, err := entry.Direct().DataFile().Load()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", data)
	// Output: louder
}
