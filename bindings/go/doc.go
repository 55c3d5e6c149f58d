// Package multispool is a queue that is a directory: processes on one machine put entries in, and
// others take them out. An entry has one owner at a time, and none is lost, whatever crashes in between.
//
// To build it, install the C library first (libmultispool.so, multispool.h and multispool.pc: in
// its source tree, "make && sudo make install"), a C compiler and pkg-config; cgo must be on
// (CGO_ENABLED=1). A library outside the system's folders is found by PKG_CONFIG_PATH when building
// and LD_LIBRARY_PATH when running. The build tag multispool_static links the library in, so that
// the program runs without it.
//
// # The life of an entry
//
// [Create] or [Load] opens a spool with its closed set of queues. [Spool.Enqueue] adds an entry: a
// little metadata, and data of any size. [Spool.Reader] waits for entries of one queue and takes
// them; [Spool.List] looks at them without taking any. A [Checkout] is an entry that this process
// owns: it ends in [Checkout.Save] to any queue, [Checkout.Remove], or [Checkout.Release].
//
//	reader, err := spool.Reader("incoming")
//	if err != nil {
//		return err
//	}
//	defer reader.Close()
//	for checkout, err := range reader.All(ctx) {
//		if err != nil {
//			slog.Error("take", "error", err)
//			continue
//		}
//		if err := handle(checkout); err != nil {
//			slog.Error("handle", "entry", checkout, "error", err)
//			continue // not finished: the loop gives the entry back
//		}
//		if err := checkout.Save("done"); err != nil {
//			slog.Error("save", "entry", checkout, "error", err)
//		}
//	}
//
// [Spoolable] and [Typed] are the same with Go values for metadata and data, by codecs such as [JSON].
// A [Worker] runs a handler on the entries of a queue, several at once, and drains when it is told to
// end. [Spool.EnqueueMany], [Reader.DequeueMany], [SaveMany] and [RemoveMany] share the price of a
// sync. A [Monitor] tells what is wrong with a spool.
//
// # Promises
//
// With [DurabilityFull], the default, what a call reported as done survives the loss of power. An
// entry whose owner dies is given to the next by [Spool.Recover], which is safe beside live workers:
// call it when a worker starts and every 15 seconds, as a Worker does. The entry's work may then run again, so
// handlers must be able to repeat it; the entry's name stays the same.
//
// # Handles
//
// A [Spool], [Reader], [Checkout] and writer may be used from several goroutines at once, and
// closed while in use; each later use is [ErrClosed]. Close is idempotent. Closing is the contract;
// the garbage collector is only a net. A Checkout that is closed unfinished is released, so that
// "defer checkout.Close()" is a rollback; one that is garbage collected unfinished stays checked
// out until the next Recover. Blocked readers hold no operating system thread.
//
// # Errors
//
// Each error that comes from the library is an [*Error]: operation, path, errno and reason. The
// sentinels ([ErrNotFound], [ErrNotDurable], ...), [io/fs.ErrNotExist], [io/fs.ErrPermission] and
// errnos such as [syscall.ENOSPC] work with [errors.Is].
package multispool
