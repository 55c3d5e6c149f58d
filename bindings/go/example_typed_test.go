package multispool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"multispool.dev/multispool"
)

// Order is an example of metadata.
type Order struct {
	Customer string
	Paid     bool
}

// Orders says what a spool of orders holds.
var Orders = multispool.Spoolable[Order, []string]{
	Metadata: multispool.JSON[Order](),
	Data:     multispool.Gob[[]string](),
	Queues:   []string{"incoming", "paid"},
}

// openOrders is a new spool of orders in a temporary directory.
func openOrders() (spool *multispool.Typed[Order, []string], closeAll func()) {
	dir, err := os.MkdirTemp("", "multispool")
	if err != nil {
		log.Fatal(err)
	}
	spool, err = Orders.Create(filepath.Join(dir, "spool"))
	if err != nil {
		log.Fatal(err)
	}
	return spool, func() {
		spool.Close()
		os.RemoveAll(dir)
	}
}

func ExampleSpoolable() {
	spool, closeAll := openOrders()
	defer closeAll()
	if _, err := spool.Enqueue("incoming", Order{Customer: "Ada"}, []string{"tea", "milk"}); err != nil {
		log.Fatal(err)
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
		items, err := checkout.DataFile().Load()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s wants %s\n", checkout.Metadata().Customer, strings.Join(items, " and "))
		err = checkout.Update(func(order Order) Order {
			order.Paid = true
			return order
		})
		if err != nil {
			log.Fatal(err)
		}
		if err := checkout.Save("paid"); err != nil {
			log.Fatal(err)
		}
	}
	// Output: Ada wants tea and milk
}

func ExampleWorker() {
	spool, closeAll := openOrders()
	defer closeAll()
	for _, customer := range []string{"Ada", "Bob"} {
		if _, err := spool.Enqueue("incoming", Order{Customer: customer}, nil); err != nil {
			log.Fatal(err)
		}
	}
	// A program would take a context that a signal ends: signal.NotifyContext.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	worker := multispool.Worker{
		Spool: spool.Spool, Queue: "incoming", Goroutines: 1,
		Handler: spool.Handler(func(_ context.Context, checkout *multispool.TypedCheckout[Order, []string]) (multispool.Outcome, error) {
			order := checkout.Metadata()
			order.Paid = true
			fmt.Println(order.Customer, "has paid")
			if order.Customer == "Bob" {
				cancel()
			}
			return checkout.SaveWith("paid", order)
		}),
	}
	if err := worker.Run(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Ada has paid
	// Bob has paid
}

func ExampleCodecError() {
	spool, closeAll := openOrders()
	defer closeAll()
	if _, err := spool.Spool.Enqueue("incoming", []byte("no JSON"), nil); err != nil {
		log.Fatal(err)
	}
	reader, err := spool.Reader("incoming")
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	_, err = reader.DequeueAvailable()
	var wrong *multispool.CodecError
	if errors.As(err, &wrong) {
		// It was given back. What is of no use to anyone can be taken as bytes, and put away.
		err := wrong.Entry.TryWithEntry(func(checkout *multispool.Checkout) (multispool.Outcome, error) {
			fmt.Printf("put away: %s\n", checkout.Metadata())
			return multispool.Remove(), nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output: put away: no JSON
}

func ExampleSpool_EnqueueMany() {
	spool, closeAll := open("incoming", "done")
	defer closeAll()
	_, err := spool.EnqueueMany("incoming", []multispool.Item{{Metadata: []byte("one")}, {Metadata: []byte("two")}})
	if err != nil {
		log.Fatal(err)
	}
	reader, err := spool.Reader("incoming")
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	checkouts, err := reader.DequeueMany(context.Background(), 100)
	if err != nil {
		log.Fatal(err)
	}
	for _, checkout := range checkouts {
		defer checkout.Close()
		fmt.Printf("%s\n", checkout.Metadata())
	}
	if err := multispool.SaveMany(checkouts, "done"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// one
	// two
}

func ExampleWithNameGenerator() {
	spool, closeAll := open("incoming")
	defer closeAll()
	byCustomer := multispool.NameGeneratorFunc(func(attempt int) string { return fmt.Sprintf("ada-%03d", attempt) })
	for range 2 {
		entry, err := spool.Enqueue("incoming", nil, nil, multispool.WithNameGenerator(byCustomer))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Name())
	}
	// Output:
	// ada-000
	// ada-001
}

func ExampleWithThrottle() {
	dir, err := os.MkdirTemp("", "multispool")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// The disk has two places, which this spool shares with whatever else uses the channel.
	places := make(chan struct{}, 2)
	spool, err := multispool.Create(filepath.Join(dir, "spool"), []string{"incoming"}, multispool.WithThrottle(func(operation func()) {
		places <- struct{}{}
		defer func() { <-places }()
		operation()
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer spool.Close()
	if _, err := spool.Enqueue("incoming", []byte("one"), nil); err != nil {
		log.Fatal(err)
	}
	// Output:
}

func ExampleMonitor() {
	spool, closeAll := open("incoming")
	defer closeAll()
	if err := os.WriteFile(filepath.Join(spool.Dir(), ".data", "stray"), nil, 0o600); err != nil {
		log.Fatal(err)
	}
	monitor, err := multispool.NewMonitor(spool.Dir(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer monitor.Close()
	problems, err := monitor.RunOnce(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, problem := range problems {
		fmt.Println(problem.Kind, problem.File.Filename, problem.Mend)
	}
	// Output: orphaned stray repair
}
