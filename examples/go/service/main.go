// Service takes uploads over HTTP, works on each, and gives out what came of it.
//
//	service [-listen ADDRESS] [-goroutines N] [-limit BYTES] SPOOL
//
//	POST   /jobs       the body is an upload: 202 and {"id": ...} once it survives a loss of power
//	PUT    /jobs/{id}  the same under an id of the client's, who may repeat it until it is answered
//	GET    /jobs/{id}  200 with the result, 202 while there is none yet, 404
//	DELETE /jobs/{id}  forgets a result
//	GET    /stats      how much waits, is worked on, and is done
//
// What was answered with 202 is worked on, whatever is killed meanwhile. Several services may share
// one spool. SIGTERM and SIGINT end it: it answers the requests that it has, finishes the entries in
// hand and ends with status 0; a second signal ends it at once. Exit status: 0 done, 1 failure, 2
// wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"multispool.dev/multispool"
)

// answerLimit is how long requests may take when the service is told to end.
const answerLimit = 20 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "the address to serve")
	goroutines := flag.Int("goroutines", runtime.GOMAXPROCS(0), "how many uploads to work on at once")
	limit := flag.Int64("limit", 1<<30, "the bytes that an upload may have")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: service [-listen ADDRESS] [-goroutines N] [-limit BYTES] SPOOL")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *goroutines < 1 || *limit < 0 {
		flag.Usage()
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal is not caught any more
	if err := run(ctx, flag.Arg(0), *listen, *goroutines, *limit); err != nil {
		slog.Error("service", "error", err)
		os.Exit(1)
	}
}

// run serves and works until ctx is done; then it finishes what it has.
func run(ctx context.Context, dir, address string, goroutines int, limit int64) error {
	spool, err := jobs.Create(dir)
	if err != nil {
		return err
	}
	defer spool.Close()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	worker := multispool.Worker{
		Spool: spool.Spool, Queue: uploads, Handler: spool.Handler(work), Failed: failedIn(spool), Goroutines: goroutines,
	}
	worked := make(chan error, 1)
	go func() {
		defer cancel() // without the worker there is nothing to serve
		worked <- worker.Run(ctx)
	}()

	server := &http.Server{Handler: logged((&api{spool, limit}).routes()), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() {
		defer cancel()
		served <- server.Serve(listener)
	}()
	slog.Info("serving", "address", listener.Addr().String(), "spool", spool, "goroutines", goroutines)

	<-ctx.Done()
	slog.Info("ending")
	answer, over := context.WithTimeout(context.WithoutCancel(ctx), answerLimit)
	defer over()
	err = server.Shutdown(answer)
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return errors.Join(err, <-worked)
}
