/*
 * multispool: a durable queue that is only a directory.
 *
 * Processes put entries into the queues of a spool, take them out one by one, and move them from queue
 * to queue. An entry is a name, metadata and data; each is a file, and each step is a rename. No server
 * runs: whoever may write to the directory may take part, in C, Go, Ruby, Rust or on the command line.
 *
 * The promise
 * -----------
 * When a call that enqueues, saves or removes has returned MULTISPOOL_OK, it is done for good, even if
 * the power goes the next moment (durability FULL, the default). Nothing half-written is ever seen. An
 * entry belongs to one owner at a time; when the owner dies, the entry goes back to its queue and to the
 * next one, so it is handled at least once. A handler must be able to run again for the same entry.
 *
 * Caveats
 * -------
 * - Power. FULL holds where the file system journals renames: ext4 with a journal, xfs, btrfs. On others
 *   the same steps are taken, and it is the best that can be done there.
 * - Dead owners. A lock ends with its process, at once. It is multispool_recover() that moves the entry
 *   back, so someone must call it: workers do when they start, every 15 seconds, and when their queue
 *   runs empty. A slow owner keeps what it has, however long it takes.
 * - Handles freed unfinished. multispool_checkout_free() never changes the disk: the entry stays checked
 *   out, with its lock free, until a recover.
 * - What crashes leave. A process that dies may leave temporary files, data or a reservation behind: no
 *   reader sees them, but they take room. multispool_spool_problems() names them, and
 *   multispool_plan_apply() clears them.
 * - Fork. A child may go on with a spool, an entry, options and a stop (its own one: it does not wake
 *   the parent). A checkout, its data file, a reader, a batch, a monitor, a daemon, a writer and a cursor
 *   answer MULTISPOOL_FORKED there to all but _free; the locks stay the parent's. exec closes every
 *   descriptor of this library. A child of a program with threads should exec, or take care, as always.
 * - Network file systems. Ownership rests on locks and renames of one machine. A spool must not be used
 *   from two machines at once; a load from a network file system is refused unless a mode is given.
 * - The original. Processes that take no locks may share a spool made with MULTISPOOL_OWNERS_MIXED;
 *   there a dead owner is told by its age alone.
 * - Paths and descriptors. What you write through a path or a descriptor that you were given is yours to
 *   sync, but for the two writers, whose commit does.
 *
 * What this library does to its process
 * -------------------------------------
 * It has no signal handlers, and leaves alone the umask, the working directory, the environment, the
 * locale, standard output and error, and exit. It registers fork handlers (pthread_atfork) with its
 * first lock; the one in the child takes the locks and the event sources out of the child's hands. It
 * starts one thread, in the first multispool_reader_fd(), with all signals blocked. There is no hook for
 * logs, since errors carry all there is to say, and none for an allocator, since it frees what it made.
 *
 * Ownership
 * ---------
 * Types are incomplete: only pointers to them exist. A function that makes something takes a pointer to
 * a pointer, sets it to NULL when it begins and, if it succeeds, to an object of the caller's, who frees
 * it once by the _free of its type. Each _free accepts NULL, releases memory and descriptors only, and
 * never touches the spool's files. An object keeps alive what it needs: free in any order.
 * What a getter returns is borrowed from its object; each says until when. Arguments are borrowed for
 * the call only, and copied where they must live longer.
 *
 * Arguments
 * ---------
 * A pointer is NULL or valid: NULL where it is not allowed gives MULTISPOOL_INVALID_ARGUMENT, or NULL, 0
 * or -1 from a getter. Names and paths are strings that end with NUL, the system's bytes, and need not be
 * UTF-8. Metadata and data are any bytes, none too: a pointer and a length, NULL allowed when the length
 * is 0. Names of queues, and of new entries, are 1 to 244 bytes without '/', not beginning with '.'.
 *
 * Threads
 * -------
 * Each type says: shareable (by any number of threads at once), or one thread at a time (calls on one
 * object must not overlap). All may be used, and freed, by another thread than the one that made them.
 * No object may be freed while a call uses it.
 *
 * Errors
 * ------
 * Functions return an int32_t, a status; every one that can fail says so to the compiler, for only 0 is
 * success: `if (status < 0)` would take MULTISPOOL_NAME_TAKEN for done. Each function lists after "Gives"
 * what it returns, without the prefix. To every list belong INVALID_ARGUMENT, for an argument that is
 * NULL or out of range, and PANIC, for a bug. A system call that was interrupted is tried again, but for
 * waits. Where a status is negative, the last argument, if it is not NULL, receives the error.
 */
/* Generated from src/ffi/ by `make header`: do not edit. */

#ifndef MULTISPOOL_H
#define MULTISPOOL_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header; multispool_version() tells that of the library. */
#define MULTISPOOL_VERSION_MAJOR 0
/* The second number. */
#define MULTISPOOL_VERSION_MINOR 1
/* The third number. */
#define MULTISPOOL_VERSION_PATCH 0
/* The three as text. */
#define MULTISPOOL_VERSION_STRING "0.1.0"
/* The three as a number that grows with them. */
#define MULTISPOOL_VERSION \
    ((MULTISPOOL_VERSION_MAJOR << 16) | (MULTISPOOL_VERSION_MINOR << 8) | MULTISPOOL_VERSION_PATCH)

/* A status must be looked at. */
#if defined(__GNUC__) || defined(__clang__)
#define MULTISPOOL_MUST_USE __attribute__((warn_unused_result))
#else
#define MULTISPOOL_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Types
 * =====
 */

/*
 * What failed, where, why, and what to do about it.
 * Shareable: it never changes.
 */
typedef struct multispool_error multispool_error;

/*
 * Owned bytes.
 * Shareable: it never changes.
 */
typedef struct multispool_buffer multispool_buffer;

/*
 * A cursor over names.
 * One thread at a time.
 */
typedef struct multispool_names multispool_names;

/*
 * An open spool.
 * Shareable: any number of threads may use it at once, and a forked child may go on using it.
 */
typedef struct multispool_spool multispool_spool;

/*
 * How to open or create a spool.
 * One thread at a time.
 */
typedef struct multispool_spool_options multispool_spool_options;

/*
 * A cursor over what is checked out.
 * One thread at a time.
 */
typedef struct multispool_checkouts multispool_checkouts;

/*
 * How to enqueue.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_enqueue_options multispool_enqueue_options;

/*
 * An entry whose data is being written; it is not visible yet.
 * One thread at a time.
 */
typedef struct multispool_enqueue_writer multispool_enqueue_writer;

/*
 * A cursor over entries.
 * One thread at a time.
 */
typedef struct multispool_entries multispool_entries;

/*
 * An entry of a queue.
 * Shareable: it never changes.
 */
typedef struct multispool_entry multispool_entry;

/*
 * An entry that this process owns.
 * One thread at a time; it may move between threads. A forked child gets FORKED.
 */
typedef struct multispool_checkout multispool_checkout;

/*
 * How to check out.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_checkout_options multispool_checkout_options;

/*
 * How to remove.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_remove_options multispool_remove_options;

/*
 * How to save.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_save_options multispool_save_options;

/*
 * The data file of an entry.
 * One thread at a time. Taken from a checkout, a forked child gets FORKED.
 */
typedef struct multispool_data_file multispool_data_file;

/*
 * New data that is being written; nobody sees it before the commit.
 * One thread at a time. A forked child gets FORKED.
 */
typedef struct multispool_data_writer multispool_data_writer;

/*
 * A signal to end waits.
 * Shareable. In a forked child it is the child's own: a trigger there wakes no one here.
 */
typedef struct multispool_stop multispool_stop;

/*
 * A reader of a queue.
 * One thread at a time; it may move between threads. A forked child gets FORKED.
 */
typedef struct multispool_reader multispool_reader;

/*
 * How to read a queue.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_reader_options multispool_reader_options;

/*
 * Entries that are enqueued together.
 * One thread at a time; it may move between threads. A forked child gets FORKED.
 */
typedef struct multispool_batch multispool_batch;

/*
 * What to recover.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_recover_options multispool_recover_options;

/*
 * What was counted.
 * Shareable: it never changes.
 */
typedef struct multispool_stats multispool_stats;

/*
 * What to count.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_stats_options multispool_stats_options;

/*
 * From when on something is too old, or too little.
 * One thread at a time; calls that read the same limits at once are fine.
 */
typedef struct multispool_limits multispool_limits;

/*
 * What is wrong with a spool, in order.
 * Shareable: it never changes.
 */
typedef struct multispool_problems multispool_problems;

/*
 * A monitor of a spool.
 * One thread at a time; it may move between threads. A forked child gets FORKED.
 */
typedef struct multispool_monitor multispool_monitor;

/*
 * What a daemon has to tell of a problem.
 * Shareable: it never changes.
 */
typedef struct multispool_event multispool_event;

/*
 * A monitor that goes on checking.
 * One thread at a time; it may move between threads. A forked child gets FORKED.
 */
typedef struct multispool_daemon multispool_daemon;

/*
 * How often to check, and from when on to tell.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_daemon_options multispool_daemon_options;

/*
 * What a repair would do.
 * Shareable: it never changes, and a forked child may go on using it.
 */
typedef struct multispool_plan multispool_plan;

/*
 * What a repair may clear.
 * One thread at a time; calls that read the same options at once are fine.
 */
typedef struct multispool_repair_options multispool_repair_options;

/*
 * What a repair did.
 * Shareable: it never changes.
 */
typedef struct multispool_repaired multispool_repaired;

/*
 * The steps of a plan, or those that were done; always borrowed from one of them.
 * Shareable: it never changes.
 */
typedef struct multispool_steps multispool_steps;

/*
 * Versions
 * ========
 * The macros say what a program was compiled against, the functions what it runs with. A wrapper
 * refuses another major version, and a minor version that is older than its own.
 */

/*
 * The version of the library that runs, to compare with `MULTISPOOL_VERSION`:
 * major in bits 16 to 23, minor in bits 8 to 15, patch in bits 0 to 7.
 */
uint32_t multispool_version(void);

/*
 * The same as text, to compare with `MULTISPOOL_VERSION_STRING`. It lives for ever; do not free it.
 */
const char *multispool_version_string(void);

/*
 * The version of the format on disk that this library writes: the number in the first line of a
 * spool's `.multispool/format`. A spool that asks for more is refused with UNSUPPORTED.
 */
uint32_t multispool_format_version(void);

/*
 * Statuses
 * ========
 * Only 0 is success. A positive status is something that is expected to happen: it sets no error.
 * A negative one is a failure and sets the error. The numbers are never used for anything else.
 */

/* Done, and as durable as was asked for. */
#define MULTISPOOL_OK 0

/* There is nothing (more) to give. */
#define MULTISPOOL_EMPTY 1

/* The stop was triggered; nothing was taken. */
#define MULTISPOOL_STOPPED 2

/* The time is over; nothing was taken. */
#define MULTISPOOL_TIMED_OUT 3

/* A signal interrupted the wait (EINTR); nothing was taken. Only waits give it. */
#define MULTISPOOL_INTERRUPTED 4

/* The entry, or the reserved name, is not there (any more): another process may have it. */
#define MULTISPOOL_NOT_FOUND 5

/* The name is in use. What is there was left alone. */
#define MULTISPOOL_NAME_TAKEN 6

/* The system failed a call, for none of the reasons below: see `multispool_error_errno`. */
#define MULTISPOOL_IO -1

/* An argument makes no sense: NULL where that is not allowed, or a number out of range. */
#define MULTISPOOL_INVALID_ARGUMENT -2

/* A name cannot be the name of an entry or a queue. The disk was not touched. */
#define MULTISPOOL_INVALID_NAME -3

/* The directory is not a spool, or is not a directory. */
#define MULTISPOOL_NOT_A_SPOOL -4

/* A spool cannot be created in a directory that holds other things. */
#define MULTISPOOL_NOT_EMPTY -5

/* The queue is not among those that the spool was opened with. */
#define MULTISPOOL_UNKNOWN_QUEUE -6

/*
 * The entry is damaged: no data, not a regular file, or in two places. The others are not affected.
 */
#define MULTISPOOL_CORRUPT -7

/* The handle was used up by a save, remove, release or commit. */
#define MULTISPOOL_FINISHED -8

/* The handle was made before a fork and belongs to the parent process. */
#define MULTISPOOL_FORKED -9

/* The spool or the caller asks for something that this version does not know, or cannot do here. */
#define MULTISPOOL_UNSUPPORTED -10

/* The disk, the quota or the inodes are used up. */
#define MULTISPOOL_NO_SPACE -11

/* A permission is lacking, or the spool was opened read-only. */
#define MULTISPOOL_PERMISSION -12

/* What must be there is not: the spool, one of its directories, or the entry to be checked out. */
#define MULTISPOOL_MISSING -13

/* The entry was taken away from its holder. Nothing was changed. */
#define MULTISPOOL_LOST_OWNERSHIP -14

/* Done and visible, but not known to survive the loss of power. Do not do it again. */
#define MULTISPOOL_NOT_DURABLE -15

/* The process or the system has no file descriptor left. */
#define MULTISPOOL_DESCRIPTORS -16

/* A name generator gave 1,000 names that were all taken. */
#define MULTISPOOL_NAMES_EXHAUSTED -17

/* A bug in this library. The handle refuses further use; free it. */
#define MULTISPOOL_PANIC -99

/*
 * The name of a status without its prefix, such as "NOT_FOUND"; "UNKNOWN" for any other number.
 * It lives for ever; do not free it.
 */
const char *multispool_status_name(int32_t status);

/*
 * Errors
 * ======
 * A function with a last parameter `error` sets it to NULL when it begins, and to an owned error when
 * its status is negative. `error` may be NULL for who wants the status alone. There is no "last error"
 * anywhere: an error belongs to who got it, whatever thread that is.
 */

/* The status that the function returned with this error. 0 for NULL. */
int32_t multispool_error_status(const multispool_error *error);

/* The system's error number (see errno(3)); 0 where no system call failed, and for NULL. */
int32_t multispool_error_errno(const multispool_error *error);

/*
 * The path (or the name) that the failure is about; NULL where there is none, and for NULL.
 * Borrowed until the error is freed.
 */
const char *multispool_error_path(const multispool_error *error);

/*
 * The operation that failed: "enqueue", "checkout" and so on. NULL for NULL.
 * Borrowed until the error is freed.
 */
const char *multispool_error_operation(const multispool_error *error);

/*
 * One sentence for people: operation, path, reason and what to do. NULL for NULL.
 * Borrowed until the error is freed.
 */
const char *multispool_error_message(const multispool_error *error);

/*
 * With NOT_DURABLE: the name of the entry that is visible. NULL otherwise, and for NULL.
 * Borrowed until the error is freed.
 */
const char *multispool_error_name(const multispool_error *error);

/* Frees an error. NULL is fine. */
void multispool_error_free(multispool_error *error);

/*
 * Buffers
 * =======
 * Bytes that the library allocated, for results that may be large.
 */

/*
 * The bytes, and in `*len` (which may be NULL) how many. Never NULL, not even for no bytes; NULL and 0
 * for NULL. Borrowed until the buffer is freed.
 */
const uint8_t *multispool_buffer_data(const multispool_buffer *buffer,
                                      size_t *len);

/* Frees a buffer. NULL is fine. */
void multispool_buffer_free(multispool_buffer *buffer);

/*
 * Names
 * =====
 * A list of names, read one by one.
 */

/*
 * The next name.
 *
 * Gives: OK; EMPTY at the end, each time; FORKED; IO, PERMISSION.
 * `*name` is borrowed until the next call with these names, or until they are freed.
 */
MULTISPOOL_MUST_USE
int32_t multispool_names_next(multispool_names *names,
                              const char **name,
                              multispool_error **error);

/* Frees the names. NULL is fine. */
void multispool_names_free(multispool_names *names);

/*
 * Spools
 * ======
 * A spool is a directory; a handle on it is cheap and serves a whole process, forked children included.
 */

/* What is acknowledged survives the death of any process, but not that of the machine. */
#define MULTISPOOL_DURABILITY_NONE 0

/* Metadata is synced before it becomes visible; directories are not. */
#define MULTISPOOL_DURABILITY_ORIGINAL 1

/* What is acknowledged survives the loss of power, whole. The default. */
#define MULTISPOOL_DURABILITY_FULL 2

/* Every process that uses the spool locks what it owns. The default of create. */
#define MULTISPOOL_OWNERS_LOCKING 0

/* Processes that take no locks, such as those of the original implementation, share the spool. */
#define MULTISPOOL_OWNERS_MIXED 1

/* The spool is used by the processes of one machine. */
#define MULTISPOOL_MODE_LOCAL 0

/* The spool is on a distributed file system and used by several machines. */
#define MULTISPOOL_MODE_NETWORK 1

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_spool_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_new(multispool_spool_options **options,
                                     multispool_error **error);

/*
 * What an acknowledged call through this spool promises: a `MULTISPOOL_DURABILITY_` number. Default: FULL.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_durability(multispool_spool_options *options,
                                                int32_t durability,
                                                multispool_error **error);

/*
 * 1: load needs only permission to read, and whatever would write gives PERMISSION before it touches
 * the disk. Default: 0.
 *
 * Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_read_only(multispool_spool_options *options,
                                               int32_t yes,
                                               multispool_error **error);

/*
 * For create: who will share the new spool, a `MULTISPOOL_OWNERS_` number. It is written into the spool.
 * Default: LOCKING.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_owners(multispool_spool_options *options,
                                            int32_t owners,
                                            multispool_error **error);

/*
 * Where the spool is used from, a `MULTISPOOL_MODE_` number: for create, and for a load from a network file
 * system of a spool that does not say. Default: what the spool says; of a new one, what the file system
 * says, which is NETWORK for a network or FUSE file system.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_mode(multispool_spool_options *options,
                                          int32_t mode,
                                          multispool_error **error);

/*
 * For create, of a spool that several hosts share: how long whoever takes an entry owns it unless it
 * renews (`multispool_checkout_renew`, `multispool_checkout_keep`), in milliseconds; whole seconds, from
 * 4 s to a day. It is written into the spool; one that is there keeps what it has. Default: 120 s.
 *
 * Gives: OK. What is no such time is refused by create.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_lease(multispool_spool_options *options,
                                           uint64_t lease_ms,
                                           multispool_error **error);

/*
 * How many threads of this process may be in a step on this spool's disk at once; 0, the default: any.
 * No one holds a place while it waits for an entry.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_max_concurrent(multispool_spool_options *options,
                                                    uint32_t n,
                                                    multispool_error **error);

/*
 * The exact permission bits of the files that are made, such as 0660, whatever the umask.
 * Default: 0666 less the umask.
 *
 * Gives: OK; INVALID_ARGUMENT for more than permission bits (07777).
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_file_mode(multispool_spool_options *options,
                                               uint32_t mode,
                                               multispool_error **error);

/*
 * The exact permission bits of the directories that are made, such as 02770, whatever the umask.
 * Default: 0777 less the umask.
 *
 * Gives: OK; INVALID_ARGUMENT for more than permission bits (07777).
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_dir_mode(multispool_spool_options *options,
                                              uint32_t mode,
                                              multispool_error **error);

/*
 * The group of the files and directories that are made. Default: as the system gives it.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_group(multispool_spool_options *options,
                                           uint32_t gid,
                                           multispool_error **error);

/*
 * 1: accept a spool directory that every user of the machine may write to. Default: 0, refuse it.
 *
 * Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_options_set_allow_world_writable(multispool_spool_options *options,
                                                          int32_t yes,
                                                          multispool_error **error);

/* Frees options. NULL is fine. Spools opened with them are not affected. */
void multispool_spool_options_free(multispool_spool_options *options);

/*
 * Opens the spool in `dir`, making what is missing: the directory itself, what belongs to every spool,
 * and the queues named by the `queue_count` strings of `queues`. Creating again, from several processes
 * at once, or with more queues than there were, is fine. A directory that holds anything else is left
 * untouched. `options` may be NULL: all defaults.
 *
 * Gives: OK; INVALID_NAME; NOT_A_SPOOL where `dir` is no directory; NOT_EMPTY; UNSUPPORTED;
 * PERMISSION; MISSING where the parent of `dir` does not exist; IO, NO_SPACE, DESCRIPTORS.
 * `*spool` is the caller's: `multispool_spool_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_create(const char *dir,
                                const char *const *queues,
                                size_t queue_count,
                                const multispool_spool_options *options,
                                multispool_spool **spool,
                                multispool_error **error);

/*
 * Opens the spool in `dir`, which must be there whole, with the queues named; nothing on disk is
 * changed. Calls on this handle know no other queues. `options` may be NULL: all defaults.
 *
 * Gives: OK; INVALID_NAME; NOT_A_SPOOL; MISSING where `dir`, one of its directories or a queue does
 * not exist; PERMISSION where one cannot be read, written or searched, or where all may write to it;
 * UNSUPPORTED where the spool needs a later version; IO, DESCRIPTORS.
 * `*spool` is the caller's: `multispool_spool_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_load(const char *dir,
                              const char *const *queues,
                              size_t queue_count,
                              const multispool_spool_options *options,
                              multispool_spool **spool,
                              multispool_error **error);

/*
 * Opens a spool without a look at its directories: what is wrong with them shows at first use.
 *
 * Gives: OK; INVALID_NAME; UNSUPPORTED where the spool says that it needs a later version.
 * `*spool` is the caller's: `multispool_spool_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_load_unsafe(const char *dir,
                                     const char *const *queues,
                                     size_t queue_count,
                                     const multispool_spool_options *options,
                                     multispool_spool **spool,
                                     multispool_error **error);

/*
 * Reads from the disk which queues the spool in `dir` has, in the order of their bytes.
 *
 * Gives: OK; NOT_A_SPOOL; MISSING; PERMISSION; IO, DESCRIPTORS.
 * `*queues` is the caller's: `multispool_names_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_discover(const char *dir,
                            multispool_names **queues,
                            multispool_error **error);

/* The spool's directory, as it was given. NULL for NULL. Borrowed until the spool is freed. */
const char *multispool_spool_dir(const multispool_spool *spool);

/* How many queues the spool was opened with. 0 for NULL. */
size_t multispool_spool_queue_count(const multispool_spool *spool);

/*
 * The name of one of them, from 0; NULL past the end, and for NULL. Borrowed until the spool is freed.
 */
const char *multispool_spool_queue(const multispool_spool *spool,
                                   size_t index);

/* The `MULTISPOOL_DURABILITY_` number that the spool was opened with. 0 for NULL. */
int32_t multispool_spool_durability(const multispool_spool *spool);

/*
 * Where it is used from, a `MULTISPOOL_MODE_` number. -1 for NULL, and where the spool's format cannot be
 * read after a load that checked nothing.
 */
int32_t multispool_spool_mode(const multispool_spool *spool);

/*
 * How long a lease lasts, in milliseconds, where several hosts share the spool. 0 where they do not, for
 * NULL, and where the spool's format cannot be read after a load that checked nothing.
 */
uint64_t multispool_spool_lease(const multispool_spool *spool);

/* 1 where the spool was opened read-only, else 0. 0 for NULL. */
int32_t multispool_spool_read_only(const multispool_spool *spool);

/*
 * Frees the handle; the spool on disk is not touched. NULL is fine. Entries, checkouts, readers and
 * cursors of this spool stay valid.
 */
void multispool_spool_free(multispool_spool *spool);

/*
 * Enqueueing and listing
 * ======================
 * An entry has a name, metadata and data. The name is unique in the whole spool: it is reserved first,
 * by the call itself or before. The entry becomes visible at once and whole, by a rename.
 */

/*
 * Reserves a name in the whole spool; an empty file in its registry keeps it, until the entry of that
 * name is removed. `name` NULL: a new name of the default generator, whose order is the order of time.
 * A generator of your own is a loop around this call: try the next name on NAME_TAKEN.
 * What is reserved and never used is for `repair` to find.
 *
 * Gives: OK; NAME_TAKEN; INVALID_NAME; NAMES_EXHAUSTED; PERMISSION (read-only too); MISSING; IO,
 * NO_SPACE, DESCRIPTORS.
 * `*reserved` (which may be NULL) is the caller's: `multispool_buffer_free`. It is the name, and a NUL
 * follows it that its length does not count.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reserve(const multispool_spool *spool,
                           const char *name,
                           multispool_buffer **reserved,
                           multispool_error **error);

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_enqueue_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_options_new(multispool_enqueue_options **options,
                                       multispool_error **error);

/*
 * What the enqueue promises, a `MULTISPOOL_DURABILITY_` number.
 * Default: the spool's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_options_set_durability(multispool_enqueue_options *options,
                                                  int32_t durability,
                                                  multispool_error **error);

/*
 * The name to use: one that was reserved before, by any process. Default: the enqueue reserves one of
 * the default generator. The string is copied.
 *
 * Gives: OK. A name that cannot be one gives INVALID_NAME when it is used.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_options_set_name(multispool_enqueue_options *options,
                                            const char *reserved_name,
                                            multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_enqueue_options_free(multispool_enqueue_options *options);

/*
 * Adds an entry with this metadata and data, any bytes, copied. When it returns OK, the entry is
 * visible in `queue`, and as durable as the spool or `options` (which may be NULL) promise. On a
 * failure everything that the call made is gone again.
 *
 * Gives: OK; with a name in `options` NOT_FOUND (it was never reserved) and NAME_TAKEN (in use);
 * NOT_DURABLE (`*entry` is given all the same); UNKNOWN_QUEUE; INVALID_NAME; PERMISSION (read-only
 * too); MISSING; IO, NO_SPACE, DESCRIPTORS, NAMES_EXHAUSTED; LOST_OWNERSHIP (several hosts share the
 * spool, and another has the name since this took longer than a lease).
 * `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue(const multispool_spool *spool,
                           const char *queue,
                           const uint8_t *metadata,
                           size_t metadata_len,
                           const uint8_t *data,
                           size_t data_len,
                           const multispool_enqueue_options *options,
                           multispool_entry **entry,
                           multispool_error **error);

/*
 * The same, with a copy of the file at `path` as data; it may be larger than memory.
 *
 * Gives: as `multispool_enqueue`; MISSING and PERMISSION also for `path`.
 * `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_file(const multispool_spool *spool,
                                const char *queue,
                                const uint8_t *metadata,
                                size_t metadata_len,
                                const char *path,
                                const multispool_enqueue_options *options,
                                multispool_entry **entry,
                                multispool_error **error);

/*
 * Begins an entry whose data comes piece by piece. Its name is reserved, and owned by this process
 * until the commit; nothing is visible before. `options` may be NULL.
 *
 * Gives: as `multispool_enqueue`, but for NOT_DURABLE.
 * `*writer` is the caller's: `multispool_enqueue_writer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_writer_create(const multispool_spool *spool,
                                         const char *queue,
                                         const multispool_enqueue_options *options,
                                         multispool_enqueue_writer **writer,
                                         multispool_error **error);

/*
 * Appends bytes to the data.
 *
 * Gives: OK; FINISHED after a commit; FORKED; IO, NO_SPACE. After a failure only free the writer.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_writer_write(multispool_enqueue_writer *writer,
                                        const uint8_t *data,
                                        size_t len,
                                        multispool_error **error);

/* The name that the entry will have. NULL for NULL. Borrowed until the writer is freed. */
const char *multispool_enqueue_writer_name(const multispool_enqueue_writer *writer);

/*
 * A descriptor that the data can be written to as well, for writev, splice or sendfile; the commit
 * syncs it as the rest. -1 for NULL, and once finished. Borrowed until the commit or free: never close
 * it.
 */
int multispool_enqueue_writer_fd(const multispool_enqueue_writer *writer);

/*
 * Makes the entry visible with this metadata and the data written. After a success, or NOT_DURABLE,
 * the writer is finished, and is still to be freed.
 *
 * Gives: OK; NOT_DURABLE (`*entry` is given all the same); FINISHED; FORKED; LOST_OWNERSHIP;
 * NAME_TAKEN; MISSING; PERMISSION; IO, NO_SPACE, DESCRIPTORS.
 * `*entry` (which may be NULL) is the caller's: `multispool_entry_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_enqueue_writer_commit(multispool_enqueue_writer *writer,
                                         const uint8_t *metadata,
                                         size_t metadata_len,
                                         multispool_entry **entry,
                                         multispool_error **error);

/* Frees a writer. NULL is fine. What was not committed is undone: data, name and all. */
void multispool_enqueue_writer_free(multispool_enqueue_writer *writer);

/*
 * Lists the entries that wait in a queue, in the order of their names' bytes. Nothing is taken: by the
 * time it is looked at, an entry may be gone. The disk is read by multispool_entries_next, piece by piece.
 *
 * Gives: OK; UNKNOWN_QUEUE.
 * `*entries` is the caller's: `multispool_entries_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_list(const multispool_spool *spool,
                        const char *queue,
                        multispool_entries **entries,
                        multispool_error **error);

/*
 * The next entry.
 *
 * Gives: OK; EMPTY at the end, each time; FORKED; MISSING where the queue's directory is gone; PERMISSION;
 * IO, DESCRIPTORS.
 * `*entry` is the caller's: `multispool_entry_free`. It does not need the cursor.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entries_next(multispool_entries *entries,
                                multispool_entry **entry,
                                multispool_error **error);

/* Frees a cursor. NULL is fine. The entries it gave stay valid. */
void multispool_entries_free(multispool_entries *entries);

/*
 * Gets hold of all that is checked out of a queue, whoever has it. This breaks the rule that one
 * process owns an entry: use it only where it is easy to tell which processes use the spool. A handle
 * takes the entry's lock at save or remove if it is free, and goes on without if not. The disk is read by
 * multispool_checkouts_next, piece by piece.
 *
 * Gives: OK; UNKNOWN_QUEUE.
 * `*checkouts` is the caller's: `multispool_checkouts_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_list_checkouts_unsafe(const multispool_spool *spool,
                                         const char *queue,
                                         multispool_checkouts **checkouts,
                                         multispool_error **error);

/*
 * The next of them.
 *
 * Gives: OK; EMPTY at the end, each time; CORRUPT for one bad entry (the next call goes on); FORKED;
 * MISSING where the queue's directory is gone; PERMISSION; IO, DESCRIPTORS.
 * `*checkout` is the caller's: `multispool_checkout_free`. It does not need the cursor.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkouts_next(multispool_checkouts *checkouts,
                                  multispool_checkout **checkout,
                                  multispool_error **error);

/* Frees a cursor. NULL is fine. The checkouts it gave stay valid. */
void multispool_checkouts_free(multispool_checkouts *checkouts);

/*
 * Entries
 * =======
 * An entry is a name in a queue, as it was when it was listed or enqueued; another process may have
 * taken it since. To work on it, check it out.
 */

/*
 * An entry of that name in that queue, whether it is there or not; the disk is not looked at.
 *
 * Gives: OK; UNKNOWN_QUEUE; INVALID_NAME.
 * `*entry` is the caller's: `multispool_entry_free`. It does not need `spool` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_create(const multispool_spool *spool,
                                const char *queue,
                                const char *name,
                                multispool_entry **entry,
                                multispool_error **error);

/* The entry's name. NULL for NULL. Borrowed until the entry is freed. */
const char *multispool_entry_name(const multispool_entry *entry);

/* The queue that it is looked for in. NULL for NULL. Borrowed until the entry is freed. */
const char *multispool_entry_queue(const multispool_entry *entry);

/*
 * When the entry was last moved (`*mtime_ns`, `*ctime_ns`: nanoseconds since 1970), by its file in the
 * registry, whose size is `*size`. The three may be NULL.
 *
 * Gives: OK; NOT_FOUND; PERMISSION; IO.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_stat(const multispool_entry *entry,
                              int64_t *mtime_ns,
                              int64_t *ctime_ns,
                              uint64_t *size,
                              multispool_error **error);

/*
 * Takes the entry out of its queue, so that it belongs to this process alone until it is saved,
 * removed or released, or until this process dies. For who expects to be the only one to take it:
 * that it is gone is an error. `options` may be NULL.
 *
 * Gives: OK; MISSING where it is gone or taken; CORRUPT; PERMISSION (read-only too); IO, NO_SPACE,
 * DESCRIPTORS.
 * `*checkout` is the caller's: `multispool_checkout_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_checkout(const multispool_entry *entry,
                                  const multispool_checkout_options *options,
                                  multispool_checkout **checkout,
                                  multispool_error **error);

/*
 * The same for who expects that another may be faster. It tries for up to 100 ms where the entry is
 * there but its name is busy for a moment.
 *
 * Gives: OK; NOT_FOUND where it is gone or taken; otherwise as `multispool_entry_checkout`.
 * `*checkout` is the caller's: `multispool_checkout_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_try_checkout(const multispool_entry *entry,
                                      const multispool_checkout_options *options,
                                      multispool_checkout **checkout,
                                      multispool_error **error);

/*
 * Reads the metadata where it lies in the queue, without a checkout: it may change at any time. Before
 * a write that depends on it, look again after a checkout.
 *
 * Gives: OK; NOT_FOUND; CORRUPT; PERMISSION; IO, DESCRIPTORS.
 * `*contents` is the caller's: `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_direct_contents(const multispool_entry *entry,
                                         multispool_buffer **contents,
                                         multispool_error **error);

/*
 * Writes the metadata to its place in the queue, without a checkout or any check: whole, over whatever
 * is there.
 *
 * Gives: OK; NOT_DURABLE; MISSING; PERMISSION (read-only too); IO, NO_SPACE, DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_direct_save(const multispool_entry *entry,
                                     const uint8_t *metadata,
                                     size_t len,
                                     multispool_error **error);

/*
 * Removes the entry from its queue, its data and its name, without a checkout or any check.
 *
 * Gives: OK; NOT_FOUND (nothing was touched); NOT_DURABLE; PERMISSION (read-only too); IO,
 * DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_direct_remove(const multispool_entry *entry,
                                       multispool_error **error);

/*
 * The entry's data file, without a checkout: not safe to change while another may take the entry.
 *
 * Gives: OK.
 * `*data_file` is the caller's: `multispool_data_file_free`. It does not need the entry to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_entry_direct_data_file(const multispool_entry *entry,
                                          multispool_data_file **data_file,
                                          multispool_error **error);

/* Frees the handle; the entry on disk is not touched. NULL is fine. */
void multispool_entry_free(multispool_entry *entry);

/*
 * Checkouts
 * =========
 * What is checked out belongs to this process alone. It is finished by a save, a remove or a release
 * that succeeds, or that gives NOT_DURABLE; any later use gives FINISHED. It is freed once, finished or
 * not. If this process dies, or frees it unfinished, its lock is free again, and recover returns the
 * entry to its queue.
 */

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_checkout_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_options_new(multispool_checkout_options **options,
                                        multispool_error **error);

/*
 * What the end of the checkout promises, where its call says nothing else, a
 * `MULTISPOOL_DURABILITY_` number. Default: the spool's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_options_set_durability(multispool_checkout_options *options,
                                                   int32_t durability,
                                                   multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_checkout_options_free(multispool_checkout_options *options);

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_save_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_save_options_new(multispool_save_options **options,
                                    multispool_error **error);

/*
 * What the save promises, a `MULTISPOOL_DURABILITY_` number.
 * Default: the checkout's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_save_options_set_durability(multispool_save_options *options,
                                               int32_t durability,
                                               multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_save_options_free(multispool_save_options *options);

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_remove_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_remove_options_new(multispool_remove_options **options,
                                      multispool_error **error);

/*
 * What the remove promises, a `MULTISPOOL_DURABILITY_` number.
 * Default: the checkout's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_remove_options_set_durability(multispool_remove_options *options,
                                                 int32_t durability,
                                                 multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_remove_options_free(multispool_remove_options *options);

/* The entry's name. NULL for NULL. Borrowed until the checkout is freed. */
const char *multispool_checkout_name(const multispool_checkout *checkout);

/* The queue that it was taken out of. NULL for NULL. Borrowed until the checkout is freed. */
const char *multispool_checkout_queue(const multispool_checkout *checkout);

/*
 * The entry's metadata, as updated, and in `*len` (which may be NULL) its length. Never NULL, not even
 * for no bytes; NULL and 0 for NULL. Borrowed until the next update, or until the checkout is freed.
 */
const uint8_t *multispool_checkout_metadata(const multispool_checkout *checkout,
                                            size_t *len);

/* 1 when it is finished, else 0. 0 for NULL. */
int32_t multispool_checkout_finished(const multispool_checkout *checkout);

/*
 * Sets the metadata that a save will write; nothing is written before. The bytes are copied.
 *
 * Gives: OK; FINISHED; FORKED.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_update(multispool_checkout *checkout,
                                   const uint8_t *metadata,
                                   size_t len,
                                   multispool_error **error);

/*
 * Reads the entry's data whole, as `multispool_data_file_load` of its data file.
 *
 * Gives: OK; NOT_FOUND where there is none any more; CORRUPT where it is no regular file; FINISHED;
 * FORKED; PERMISSION; IO, DESCRIPTORS.
 * `*data` is the caller's: `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_load_data(const multispool_checkout *checkout,
                                      multispool_buffer **data,
                                      multispool_error **error);

/*
 * The entry's data file. It is the owner's to change as long as the checkout is not finished.
 *
 * Gives: OK; FINISHED; FORKED.
 * `*data_file` is the caller's: `multispool_data_file_free`. It does not need the checkout's handle to stay
 * once that is finished, but gives FINISHED then, and also where the checkout was freed unfinished.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_data_file(const multispool_checkout *checkout,
                                      multispool_data_file **data_file,
                                      multispool_error **error);

/*
 * Makes the ownership last for another lease, where several hosts share the spool: call it well within
 * one, such as every quarter, or let `multispool_checkout_keep` do it. Elsewhere, sees that the entry is
 * still here.
 *
 * Gives: OK; FINISHED; FORKED; LOST_OWNERSHIP where another has the entry by now, or it was given back:
 * then what was done with it does not count; PERMISSION; IO, DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_renew(multispool_checkout *checkout,
                                  multispool_error **error);

/*
 * Has a thread of the library renew the lease, each quarter of its time, until the checkout is finished or
 * freed, or the process ends. Where no lease is needed nothing is done. Whether it was lost all the same,
 * because this host was cut off, the next call tells.
 *
 * Gives: OK; FINISHED; FORKED; IO, DESCRIPTORS where the thread cannot be started.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_keep(multispool_checkout *checkout,
                                 multispool_error **error);

/*
 * Gives the entry to `queue`, any of the spool's, with its metadata as updated: visible there at once
 * and whole. Finishes the checkout. `options` may be NULL. After a failure but NOT_DURABLE it is still
 * checked out, and the save may be tried again.
 *
 * Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; UNKNOWN_QUEUE; INVALID_NAME;
 * LOST_OWNERSHIP; NAME_TAKEN where `queue` has an entry of this name; MISSING; PERMISSION; IO,
 * NO_SPACE (never with metadata that was not updated), DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_save(multispool_checkout *checkout,
                                 const char *queue,
                                 const multispool_save_options *options,
                                 multispool_error **error);

/*
 * Removes the entry: metadata, data and name. Finishes the checkout. `options` may be NULL.
 *
 * Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; LOST_OWNERSHIP; MISSING; PERMISSION; IO,
 * DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_remove(multispool_checkout *checkout,
                                   const multispool_remove_options *options,
                                   multispool_error **error);

/*
 * Gives the entry back to the queue that it was taken out of, with the metadata that it had: an update
 * is dropped. Finishes the checkout.
 *
 * Gives: OK; NOT_DURABLE (finished too); FINISHED; FORKED; LOST_OWNERSHIP; NAME_TAKEN; MISSING;
 * PERMISSION; IO, DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_checkout_release(multispool_checkout *checkout,
                                    multispool_error **error);

/*
 * Frees the handle. NULL is fine. The disk is not touched: an entry whose checkout was not finished
 * stays checked out, with its lock free, until recover returns it. To give it back at once, release it
 * first.
 */
void multispool_checkout_free(multispool_checkout *checkout);

/*
 * Data
 * ====
 * The bytes of an entry that are not its metadata. They lie in a file of their own, which may be larger
 * than memory: read them whole, or through a descriptor; replace them whole, or piece by piece.
 */

/*
 * The file's path, to read from; what is written through it is the caller's to sync. NULL for NULL.
 * Borrowed until the data file is freed.
 */
const char *multispool_data_file_path(const multispool_data_file *data_file);

/*
 * Reads the data whole.
 *
 * Gives: OK; NOT_FOUND where there is none (any more); CORRUPT where it is no regular file; FINISHED;
 * FORKED; PERMISSION; IO, DESCRIPTORS.
 * `*data` is the caller's: `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_file_load(const multispool_data_file *data_file,
                                  multispool_buffer **data,
                                  multispool_error **error);

/*
 * Replaces the data whole, as durably as the spool promises: a reader sees the old or the new.
 *
 * Gives: OK; NOT_DURABLE; NOT_FOUND without a checkout and LOST_OWNERSHIP with one, where the data is
 * gone; FINISHED; FORKED; PERMISSION (read-only too); IO, NO_SPACE (the old data stays), DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_file_save(const multispool_data_file *data_file,
                                  const uint8_t *data,
                                  size_t len,
                                  multispool_error **error);

/*
 * When the data was last changed (nanoseconds since 1970), and its length in bytes. The three may be
 * NULL.
 *
 * Gives: OK; NOT_FOUND; CORRUPT; FINISHED; FORKED; PERMISSION; IO, DESCRIPTORS.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_file_stat(const multispool_data_file *data_file,
                                  int64_t *mtime_ns,
                                  int64_t *ctime_ns,
                                  uint64_t *size,
                                  multispool_error **error);

/*
 * Opens the data for reading.
 *
 * Gives: OK; NOT_FOUND where there is none (any more); CORRUPT where it is no regular file; FINISHED;
 * FORKED; PERMISSION; IO, DESCRIPTORS.
 * `*fd` is the caller's: close(2). It is close-on-exec; on a failure it is -1.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_file_open(const multispool_data_file *data_file,
                                  int *fd,
                                  multispool_error **error);

/*
 * Begins to write new data, piece by piece; the old stays until the commit.
 *
 * Gives: OK; FINISHED; FORKED; PERMISSION (read-only too); IO, NO_SPACE, DESCRIPTORS.
 * `*writer` is the caller's: `multispool_data_writer_free`. It does not need the data file to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_file_writer(const multispool_data_file *data_file,
                                    multispool_data_writer **writer,
                                    multispool_error **error);

/* Frees the handle; the file is not touched. NULL is fine. */
void multispool_data_file_free(multispool_data_file *data_file);

/*
 * Appends bytes.
 *
 * Gives: OK; FINISHED after a commit; FORKED; IO, NO_SPACE. After a failure only free the writer.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_writer_write(multispool_data_writer *writer,
                                     const uint8_t *data,
                                     size_t len,
                                     multispool_error **error);

/*
 * A descriptor that the data can be written to as well; the commit syncs it as the rest. -1 for NULL,
 * and once finished. Borrowed until the commit or free: never close it.
 */
int multispool_data_writer_fd(const multispool_data_writer *writer);

/*
 * Puts the new data in the place of the old, as durably as the spool promises. The writer is finished,
 * and is still to be freed.
 *
 * Gives: OK; NOT_DURABLE; NOT_FOUND and LOST_OWNERSHIP as multispool_data_file_save; FINISHED; FORKED;
 * PERMISSION; IO, NO_SPACE, DESCRIPTORS. After a failure the old data stays, and the writer is finished.
 */
MULTISPOOL_MUST_USE
int32_t multispool_data_writer_commit(multispool_data_writer *writer,
                                      multispool_error **error);

/* Frees a writer. NULL is fine. What was not committed is thrown away; the old data stays. */
void multispool_data_writer_free(multispool_data_writer *writer);

/*
 * Stops
 * =====
 * A stop ends waits: those that go on in any thread, and those that begin later.
 */

/*
 * Makes a stop that is not triggered.
 *
 * Gives: OK; DESCRIPTORS; IO.
 * `*stop` is the caller's: `multispool_stop_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_stop_create(multispool_stop **stop,
                               multispool_error **error);

/*
 * Ends every wait that was given this stop, now and from now on. From any thread, and from a signal
 * handler: it is async-signal-safe.
 *
 * Gives: OK, also when it was triggered before; INVALID_ARGUMENT for NULL.
 */
MULTISPOOL_MUST_USE int32_t multispool_stop_trigger(const multispool_stop *stop);

/* 1 once it was triggered, else 0. 0 for NULL. */
int32_t multispool_stop_triggered(const multispool_stop *stop);

/*
 * Frees a stop. NULL is fine. No wait may still have it, and no signal handler may trigger it any more.
 */
void multispool_stop_free(multispool_stop *stop);

/*
 * Queue readers
 * =============
 * A reader takes the entries of a queue one after another, and waits for more. Any number of readers,
 * in any number of threads and processes, may read one queue: each entry goes to one of them. A wait
 * uses no processor time.
 */

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_reader_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_options_new(multispool_reader_options **options,
                                      multispool_error **error);

/*
 * What the end of each checkout from this reader promises, where its call says nothing else, a
 * `MULTISPOOL_DURABILITY_` number. Default: the spool's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_options_set_durability(multispool_reader_options *options,
                                                 int32_t durability,
                                                 multispool_error **error);

/*
 * When an entry that this reader gave back, or found bad, is tried again in a wait: after `min_ms`,
 * doubling each time up to `max_ms`. Default: 1,000 and 60,000.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time, and for a maximum below the minimum.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_options_set_retry_after_ms(multispool_reader_options *options,
                                                     int64_t min_ms,
                                                     int64_t max_ms,
                                                     multispool_error **error);

/*
 * How often to look where the system tells nothing of arrivals: on a network file system, or where the
 * user's inotify instances or watches are used up. Default: 50 to 1,000 ms, by how busy the queue is.
 *
 * Gives: OK; INVALID_ARGUMENT for a time that is not positive.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_options_set_poll_interval_ms(multispool_reader_options *options,
                                                       int64_t ms,
                                                       multispool_error **error);

/*
 * Whether names are tried in their order even where other readers are quicker with them: 1 or 0. Default: 0, a reader
 * that finds an entry gone or busy leaps to another place of the queue and comes back later, so that readers of one
 * queue do not try each other's entries. A reader that is alone keeps the order in either case.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_options_set_strict_order(multispool_reader_options *options,
                                                   int32_t yes,
                                                   multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_reader_options_free(multispool_reader_options *options);

/*
 * Makes a reader of a queue. `queues` is an array of one name; more are for a later version. `options`
 * may be NULL.
 *
 * Gives: OK; UNSUPPORTED for any number of queues but 1; UNKNOWN_QUEUE; PERMISSION (read-only); IO,
 * DESCRIPTORS.
 * `*reader` is the caller's: `multispool_reader_free`. It does not need `spool` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_create(const multispool_spool *spool,
                                 const char *const *queues,
                                 size_t queue_count,
                                 const multispool_reader_options *options,
                                 multispool_reader **reader,
                                 multispool_error **error);

/* The queue that it reads. NULL for NULL. Borrowed until the reader is freed. */
const char *multispool_reader_queue(const multispool_reader *reader);

/*
 * Takes the next entry, waiting for one at most `timeout_ms` milliseconds: -1 for ever, 0 not at all.
 * `stop` (which may be NULL) ends the wait. What a wait did not take, the next call will find; what was
 * taken is always given.
 *
 * Gives: OK; EMPTY with a timeout of 0; TIMED_OUT with another; STOPPED; INTERRUPTED where a signal
 * handler ran (call again); CORRUPT for one bad entry, named in the error (the next call goes on);
 * FORKED; MISSING where the queue's directory is gone; PERMISSION; IO, NO_SPACE, DESCRIPTORS.
 * `*checkout` is the caller's: `multispool_checkout_free`. It does not need the reader to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_dequeue(multispool_reader *reader,
                                  const multispool_stop *stop,
                                  int64_t timeout_ms,
                                  multispool_checkout **checkout,
                                  multispool_error **error);

/*
 * A descriptor for poll(2) and its like, for callers with an event loop: it is readable while a dequeue
 * may succeed. Only a dequeue that gives EMPTY clears it; each later cause is a new edge. So: dequeue
 * with timeout 0 until EMPTY, then poll. The first call starts the process's one watcher thread.
 *
 * Gives: OK; FORKED; MISSING where the queue's directory is gone; IO, DESCRIPTORS.
 * `*fd` is borrowed until the reader is freed: never read, write or close it. On a failure it is -1.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_fd(multispool_reader *reader,
                             int *fd,
                             multispool_error **error);

/*
 * Frees a reader. NULL is fine. What it took stays valid; what it had only heard of goes to others.
 */
void multispool_reader_free(multispool_reader *reader);

/*
 * Batches
 * =======
 * Many entries for about the price of one sync: they are written one by one, brought to the disk
 * together and then made visible. A batch is no transaction: each entry is all or nothing for itself,
 * and one that fails keeps no other back.
 */

/*
 * Begins a batch for a queue. `options` may be NULL, and must not name one entry.
 *
 * Gives: OK; UNKNOWN_QUEUE; PERMISSION (read-only).
 * `*batch` is the caller's: `multispool_batch_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_batch_create(const multispool_spool *spool,
                                const char *queue,
                                const multispool_enqueue_options *options,
                                multispool_batch **batch,
                                multispool_error **error);

/*
 * Adds an entry with this metadata and data, any bytes, copied. It becomes visible with the others; in
 * a large batch the first 256 may do so before the commit, or fewer where descriptors run out.
 *
 * Gives: as `multispool_enqueue`, for this entry alone: then it is not in the batch, and nothing of it
 * is left. FINISHED after the commit; FORKED.
 */
MULTISPOOL_MUST_USE
int32_t multispool_batch_add(multispool_batch *batch,
                             const uint8_t *metadata,
                             size_t metadata_len,
                             const uint8_t *data,
                             size_t data_len,
                             multispool_error **error);

/*
 * The same, with a copy of the file at `path` as data.
 *
 * Gives: as `multispool_batch_add`; MISSING and PERMISSION also for `path`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_batch_add_file(multispool_batch *batch,
                                  const uint8_t *metadata,
                                  size_t metadata_len,
                                  const char *path,
                                  multispool_error **error);

/*
 * Brings all entries to the disk, as durable as the spool or the batch's options promise, and makes
 * them visible. Each one's own status is then had from `multispool_batch_status`.
 *
 * Gives: OK if all are in the queue; else the first failure, as `multispool_enqueue`; FINISHED for a
 * second commit; FORKED.
 */
MULTISPOOL_MUST_USE
int32_t multispool_batch_commit(multispool_batch *batch,
                                multispool_error **error);

/* How many entries were added. 0 for NULL. */
size_t multispool_batch_size(const multispool_batch *batch);

/*
 * The name of the entry that was added at this place, from 0. NULL for NULL, and where none was.
 * Borrowed until the batch is freed.
 */
const char *multispool_batch_name(const multispool_batch *batch, size_t index);

/*
 * What became of the entry that was added at this place, from 0.
 *
 * Gives: as `multispool_enqueue`; INVALID_ARGUMENT for a place without an entry, and before the commit.
 */
MULTISPOOL_MUST_USE
int32_t multispool_batch_status(const multispool_batch *batch,
                                size_t index,
                                multispool_error **error);

/* Frees a batch. NULL is fine. What was not made visible is undone. */
void multispool_batch_free(multispool_batch *batch);

/*
 * Takes as many entries as are there, `most` at most, and waits for one if there is none: at most
 * `timeout_ms` milliseconds, -1 for ever, 0 not at all. `stop` may be NULL.
 *
 * Gives: OK with `*count` entries, one at least; else as `multispool_reader_dequeue`, EMPTY with a
 * timeout of 0 too; INVALID_ARGUMENT for `most` 0. A failure after some were taken is given by the
 * reader's next call. `checkouts` is an array of `most` pointers, of which the first `*count` become
 * the caller's, each: `multispool_checkout_free`; the others become NULL.
 */
MULTISPOOL_MUST_USE
int32_t multispool_reader_dequeue_many(multispool_reader *reader,
                                       const multispool_stop *stop,
                                       int64_t timeout_ms,
                                       size_t most,
                                       multispool_checkout **checkouts,
                                       size_t *count,
                                       multispool_error **error);

/*
 * Saves many checkouts to one queue, as `multispool_checkout_save` does, with the syncs that they share
 * made once. `checkouts` is an array of `count`, each another one; `statuses` (which may be NULL) an
 * array for the status of each.
 *
 * Gives: OK if all were saved; else the first failure, as `multispool_checkout_save`. Where the
 * arguments are refused, nothing is done, and `statuses` is left alone.
 */
MULTISPOOL_MUST_USE
int32_t multispool_save_many(multispool_checkout *const *checkouts,
                             size_t count,
                             const char *queue,
                             int32_t *statuses,
                             multispool_error **error);

/*
 * Removes many entries, as `multispool_checkout_remove` does, with the syncs that they share made once.
 * `checkouts` is an array of `count`, each another one; `statuses` (which may be NULL) an array for the
 * status of each.
 *
 * Gives: OK if all were removed; else the first failure, as `multispool_checkout_remove`. Where the
 * arguments are refused, nothing is done, and `statuses` is left alone.
 */
MULTISPOOL_MUST_USE
int32_t multispool_remove_many(multispool_checkout *const *checkouts,
                               size_t count,
                               int32_t *statuses,
                               multispool_error **error);

/*
 * Recovery
 * ========
 * The entries of owners that died go back to their queues. Workers call this when they start, every 15
 * seconds, and when their queue runs empty.
 */

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_recover_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_recover_options_new(multispool_recover_options **options,
                                       multispool_error **error);

/*
 * Only what was last touched longer ago than this, in milliseconds. Default: 0 where every owner locks
 * what it owns; 600,000 where some do not, since there a free lock proves nothing.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_recover_options_set_min_age_ms(multispool_recover_options *options,
                                                  int64_t ms,
                                                  multispool_error **error);

/*
 * What the return to the queue promises, a `MULTISPOOL_DURABILITY_` number.
 * Default: the spool's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_recover_options_set_durability(multispool_recover_options *options,
                                                  int32_t durability,
                                                  multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_recover_options_free(multispool_recover_options *options);

/*
 * Returns to its queue each entry that is checked out and whose owner is gone: whose lock is free, and
 * that is old enough. A slow owner keeps what it has. Safe next to live workers, at any time; two
 * recovers never return one entry twice. `options` may be NULL.
 *
 * Gives: OK, also when there was nothing to do; the first failure, after all that could be returned
 * was: NOT_DURABLE; NAME_TAKEN where the queue has an entry of that name; CORRUPT; MISSING; PERMISSION
 * (read-only too); IO, DESCRIPTORS.
 * `*entries` (which may be NULL), what went back, is the caller's: `multispool_entries_free`. After a
 * failure it is set too, unless nothing could be looked at.
 */
MULTISPOOL_MUST_USE
int32_t multispool_recover(const multispool_spool *spool,
                           const multispool_recover_options *options,
                           multispool_entries **entries,
                           multispool_error **error);

/*
 * Statistics
 * ==========
 * What a spool holds, counted at one time while others go on.
 */

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_stats_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_stats_options_new(multispool_stats_options **options,
                                     multispool_error **error);

/*
 * 1: add up the sizes of metadata and data too, which looks at every file. Default: 0.
 *
 * Gives: OK; INVALID_ARGUMENT for any but 0 and 1.
 */
MULTISPOOL_MUST_USE
int32_t multispool_stats_options_set_bytes(multispool_stats_options *options,
                                           int32_t yes,
                                           multispool_error **error);

/* Frees options. NULL is fine. */
void multispool_stats_options_free(multispool_stats_options *options);

/*
 * Counts what is in the queues that the spool was opened with, in the order of their names. `options`
 * may be NULL.
 *
 * Gives: OK; MISSING; PERMISSION; IO, DESCRIPTORS.
 * `*stats` is the caller's: `multispool_stats_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_stats(const multispool_spool *spool,
                               const multispool_stats_options *options,
                               multispool_stats **stats,
                               multispool_error **error);

/* How many queues were counted; the functions below take an index from 0. 0 for NULL. */
size_t multispool_stats_queue_count(const multispool_stats *stats);

/* The name of a queue; NULL past the end, and for NULL. Borrowed until the stats are freed. */
const char *multispool_stats_queue(const multispool_stats *stats, size_t index);

/* The entries that wait in the queue. 0 past the end, and for NULL. */
uint64_t multispool_stats_entries(const multispool_stats *stats, size_t index);

/* The entries checked out of the queue whose owner is alive. 0 past the end, and for NULL. */
uint64_t multispool_stats_checked_out_alive(const multispool_stats *stats, size_t index);

/*
 * The entries checked out of the queue whose lock is free: recover returns them. 0 past the end, and for
 * NULL.
 */
uint64_t multispool_stats_checked_out_dead(const multispool_stats *stats,
                                           size_t index);

/*
 * How long ago the oldest entry that waits was last moved, in milliseconds; -1 where there is none, past
 * the end, and for NULL.
 */
int64_t multispool_stats_oldest_age_ms(const multispool_stats *stats,
                                       size_t index);

/* The sizes of all metadata; -1 where that was not asked for, past the end, and for NULL. */
int64_t multispool_stats_metadata_bytes(const multispool_stats *stats, size_t index);

/* The sizes of all data; -1 where that was not asked for, past the end, and for NULL. */
int64_t multispool_stats_data_bytes(const multispool_stats *stats, size_t index);

/* The bytes that are free for this user on the spool's file system. 0 for NULL. */
uint64_t multispool_stats_free_bytes(const multispool_stats *stats);

/*
 * The inodes that are free there: each entry takes three. -1 where the file system does not count them,
 * and for NULL.
 */
int64_t multispool_stats_free_inodes(const multispool_stats *stats);

/* Frees stats. NULL is fine. */
void multispool_stats_free(multispool_stats *stats);

/*
 * Limits
 * ======
 * What problems are judged by: from when on something is too old, which is strictly older than the limit by
 * the time of the file's last change; and how much room there must be.
 */

/*
 * Makes limits, each at its default.
 *
 * Gives: OK.
 * `*limits` is the caller's: `multispool_limits_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_new(multispool_limits **limits,
                              multispool_error **error);

/*
 * Makes limits from JSON, as `multispool_limits_to_json` gives it. What is left out has its default.
 *
 * Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, an unknown key, a value that is none; INVALID_NAME
 * for a queue.
 * `*limits` is the caller's: `multispool_limits_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_from_json(const char *json,
                                    multispool_limits **limits,
                                    multispool_error **error);

/*
 * The limits as JSON, in one line: `{"max_checked_out_age":"10m",...}`. The keys are named as the functions
 * below, ages are spans like "15s" or "1h 30m", and `max_queue_ages` has an age for each queue that has one.
 *
 * Gives: OK; INVALID_ARGUMENT for a queue whose name is not UTF-8, which JSON must be.
 * `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
 * `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_to_json(const multispool_limits *limits,
                                  multispool_buffer **json,
                                  multispool_error **error);

/*
 * How long ago a checked-out entry may have been moved last, in milliseconds. Default: 600,000.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_max_checked_out_age_ms(multispool_limits *limits,
                                                     int64_t ms,
                                                     multispool_error **error);

/*
 * How old a temporary file may be, in milliseconds. Default: 600,000.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_max_tmp_file_age_ms(multispool_limits *limits,
                                                  int64_t ms,
                                                  multispool_error **error);

/*
 * How long an entry may wait in that queue, in milliseconds; a second limit of a queue takes the place of
 * its first. A queue that the spool does not have is no error. Default: no limit for any queue.
 *
 * Gives: OK; INVALID_NAME; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_max_queue_age_ms(multispool_limits *limits,
                                               const char *queue,
                                               int64_t ms,
                                               multispool_error **error);

/*
 * How old a reservation may be whose name is in no queue, in milliseconds. Default: 600,000.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_max_reservation_age_ms(multispool_limits *limits,
                                                     int64_t ms,
                                                     multispool_error **error);

/*
 * How many bytes must be left on the file system for unprivileged users; 0 asks for none. Default: 16 MiB.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_min_free_bytes(multispool_limits *limits,
                                             uint64_t bytes,
                                             multispool_error **error);

/*
 * How many files there must be room for, where the file system counts them; 0 asks for none.
 * Default: 1,000.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_limits_set_min_free_inodes(multispool_limits *limits,
                                              uint64_t inodes,
                                              multispool_error **error);

/*
 * How long ago a checked-out entry may have been moved last, in milliseconds; here and below a part of a
 * millisecond counts as a whole one. -1 for NULL.
 */
int64_t multispool_limits_max_checked_out_age_ms(const multispool_limits *limits);

/* How old a temporary file may be, in milliseconds. -1 for NULL. */
int64_t multispool_limits_max_tmp_file_age_ms(const multispool_limits *limits);

/* How many queues have a limit; the two functions below take an index from 0. 0 for NULL. */
size_t multispool_limits_queue_count(const multispool_limits *limits);

/*
 * A queue that has a limit. NULL past the end, and for NULL. Borrowed until the limits are changed or freed.
 */
const char *multispool_limits_queue(const multispool_limits *limits,
                                    size_t index);

/* How long an entry may wait in that queue, in milliseconds. -1 past the end, and for NULL. */
int64_t multispool_limits_max_queue_age_ms(const multispool_limits *limits, size_t index);

/* How old a reservation may be whose name is in no queue, in milliseconds. -1 for NULL. */
int64_t multispool_limits_max_reservation_age_ms(const multispool_limits *limits);

/* How many bytes must be left on the file system. 0 for NULL. */
uint64_t multispool_limits_min_free_bytes(const multispool_limits *limits);

/* How many files there must be room for. 0 for NULL. */
uint64_t multispool_limits_min_free_inodes(const multispool_limits *limits);

/* Frees limits. NULL is fine. Monitors made with them are not affected. */
void multispool_limits_free(multispool_limits *limits);

/*
 * Problems
 * ========
 * What is wrong with a spool. A busy, healthy spool has no problem: whatever looks wrong is looked at
 * again until it holds still. A problem is known by its kind, the file, when that was last changed, and
 * where it lies; the same name with another time is another problem, since the file was moved meanwhile.
 * Later versions may add kinds; the severity of a kind that is not known tells what it is worth.
 */

/* The file has been where it is for longer than its limit. */
#define MULTISPOOL_PROBLEM_TOO_OLD 1

/*
 * The file's name is not reserved; or, in the registry, the name is in no queue, is owned by nobody, and
 * is older than its limit.
 */
#define MULTISPOOL_PROBLEM_ORPHANED 2

/* The name lies in several places of which it may have one. */
#define MULTISPOOL_PROBLEM_DUPLICATED 3

/* The entry is checked out and nobody owns it: its owner died, or let go of it unfinished. */
#define MULTISPOOL_PROBLEM_DEAD_OWNER 4

/* The entry has no data. */
#define MULTISPOOL_PROBLEM_DATA_MISSING 5

/* What lies there is not a readable regular file with one name. */
#define MULTISPOOL_PROBLEM_DAMAGED 6

/*
 * Data under a reserved name that is in no queue: whoever enqueued or removed it died on the way.
 */
#define MULTISPOOL_PROBLEM_HALF_MADE 7

/* A name that no entry can have, since it begins with a dot: no operation sees it. */
#define MULTISPOOL_PROBLEM_IMPOSSIBLE_NAME 8

/* The directory itself is missing. */
#define MULTISPOOL_PROBLEM_DIRECTORY_MISSING 9

/* Less room for bytes or for files is left on the file system than the limits ask for. */
#define MULTISPOOL_PROBLEM_LOW_SPACE 10

/* It takes room, and nothing else. */
#define MULTISPOOL_SEVERITY_GARBAGE 1

/* Entries do not get on, or soon will not. */
#define MULTISPOOL_SEVERITY_STUCK 2

/* An entry, or the spool, is damaged. */
#define MULTISPOOL_SEVERITY_DAMAGE 3

/* `multispool_plan_apply` mends it. */
#define MULTISPOOL_MEND_REPAIR 1

/* `multispool_recover` mends it. */
#define MULTISPOOL_MEND_RECOVER 2

/* More or faster workers mend it, or a look at the one that has the entry. */
#define MULTISPOOL_MEND_WORKERS 3

/* A person must look at the files. */
#define MULTISPOOL_MEND_INSPECT 4

/* More room on the file system mends it. */
#define MULTISPOOL_MEND_MAKE_ROOM 5

/* `.registry`, where names are reserved. */
#define MULTISPOOL_DIR_REGISTRY 1

/* `.tmp`, where files are written. */
#define MULTISPOOL_DIR_TMP 2

/* `.data`, where the entries' data lies. */
#define MULTISPOOL_DIR_DATA 3

/* A queue's own directory. */
#define MULTISPOOL_DIR_QUEUE 4

/* A queue's `.checkout`. */
#define MULTISPOOL_DIR_QUEUE_CHECKOUT 5

/*
 * Looks for what is wrong with a spool, in all the queues that it has on disk, and changes nothing. Safe
 * next to live workers, at any time, and on a spool opened read-only. `limits` may be NULL: all defaults.
 *
 * Gives: OK, whether or not there are problems; MISSING where one of the spool's directories but `.data` is
 * gone; PERMISSION; IO, DESCRIPTORS.
 * `*problems` is the caller's: `multispool_problems_free`. It does not need `spool` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_problems(const multispool_spool *spool,
                                  const multispool_limits *limits,
                                  multispool_problems **problems,
                                  multispool_error **error);

/* How many problems there are; the functions below take an index from 0. 0 for NULL. */
size_t multispool_problems_count(const multispool_problems *problems);

/* What kind of problem it is, a `MULTISPOOL_PROBLEM_` number. 0 past the end, and for NULL. */
int32_t multispool_problems_kind(const multispool_problems *problems, size_t index);

/*
 * How much it matters, a `MULTISPOOL_SEVERITY_` number: the more, the greater. 0 past the end, and for
 * NULL.
 */
int32_t multispool_problems_severity(const multispool_problems *problems,
                                     size_t index);

/* What mends it, a `MULTISPOOL_MEND_` number. 0 past the end, and for NULL. */
int32_t multispool_problems_mend(const multispool_problems *problems, size_t index);

/*
 * The problem in a line for people: where, which file, and what is wrong; bytes of a name that are not
 * UTF-8 are replaced in it. NULL past the end, and for NULL. Borrowed until the problems are freed.
 */
const char *multispool_problems_message(const multispool_problems *problems,
                                        size_t index);

/*
 * The name of the file that the problem is about, in its directory; that of the spool's directory where the
 * whole spool is concerned, as with DIRECTORY_MISSING and LOW_SPACE. NULL past the end, and for NULL. Borrowed
 * until the problems are freed.
 */
const char *multispool_problems_filename(const multispool_problems *problems,
                                         size_t index);

/*
 * When that file was last changed or moved, in nanoseconds since 1970. 0 past the end, and for NULL.
 */
int64_t multispool_problems_mtime_ns(const multispool_problems *problems, size_t index);

/*
 * In how many of the spool's directories it lies: one; more with DUPLICATED; none with LOW_SPACE. The
 * functions below take an index of them from 0. 0 past the end, and for NULL.
 */
size_t multispool_problems_dir_count(const multispool_problems *problems, size_t index);

/* Which kind of directory it is, a `MULTISPOOL_DIR_` number. 0 past either end, and for NULL. */
int32_t multispool_problems_dir_kind(const multispool_problems *problems, size_t index, size_t dir);

/*
 * The queue whose directory it is. NULL where it is no queue's, past either end, and for NULL. Borrowed
 * until the problems are freed.
 */
const char *multispool_problems_dir_queue(const multispool_problems *problems,
                                          size_t index,
                                          size_t dir);

/*
 * The directory's path below the spool's, such as ".tmp" or "in/.checkout". NULL past either end, and for
 * NULL. Borrowed until the problems are freed.
 */
const char *multispool_problems_dir_name_on_disk(const multispool_problems *problems,
                                                 size_t index,
                                                 size_t dir);

/*
 * Compares two problems, of two lists or of one: -1, 0 or 1 where the first comes before the second, is the
 * same, or comes after it, by kind, file, time and directories. Lists are in this order, and name no problem
 * twice. What is past the end, or of NULL, comes after all else, and is the same as any other such.
 */
int32_t multispool_problems_compare(const multispool_problems *problems,
                                    size_t index,
                                    const multispool_problems *others,
                                    size_t other);

/* Frees problems. NULL is fine. */
void multispool_problems_free(multispool_problems *problems);

/*
 * Monitors
 * ========
 * A monitor looks at a spool from outside: it opens the directory itself, for reading alone, and finds
 * its queues there. What to look at, a directory, and by which limits, is its spec, which can be kept as JSON.
 */

/*
 * Makes a monitor of the spool in `dir`, which must be there; it never creates one, changes nothing in it,
 * and needs only permission to read it. `limits` may be NULL: all defaults.
 *
 * Gives: OK; NOT_A_SPOOL; MISSING where `dir` does not exist; PERMISSION where one of its directories cannot
 * be read or searched; UNSUPPORTED where the spool needs a later version; IO, DESCRIPTORS.
 * `*monitor` is the caller's: `multispool_monitor_free`. It does not need `limits` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_monitor_create(const char *dir,
                                  const multispool_limits *limits,
                                  multispool_monitor **monitor,
                                  multispool_error **error);

/*
 * Looks at the spool once, at the queues that it has by now; otherwise as `multispool_spool_problems`.
 *
 * Gives: OK, whether or not there are problems; FORKED; MISSING where one of the spool's directories but
 * `.data` is gone; PERMISSION; IO, DESCRIPTORS.
 * `*problems` is the caller's: `multispool_problems_free`. It does not need `monitor` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_monitor_run_once(multispool_monitor *monitor,
                                    multispool_problems **problems,
                                    multispool_error **error);

/*
 * A spec as JSON, in one line: `{"spool_dir":"/var/spool/jobs","limits":{"max_checked_out_age":"10m",...}}`.
 * `dir` need not be there. `limits` may be NULL: all defaults.
 *
 * Gives: OK; INVALID_ARGUMENT for a path or a queue whose name is not UTF-8, which JSON must be.
 * `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
 * `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_monitor_spec_to_json(const char *dir,
                                        const multispool_limits *limits,
                                        multispool_buffer **json,
                                        multispool_error **error);

/*
 * A spec from JSON, as `multispool_monitor_spec_to_json` gives it: what `multispool_monitor_create` takes. The
 * limits may be left out, or some of them: those have their defaults.
 *
 * Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, a spec without a directory, an unknown key, a value
 * that is none; INVALID_NAME for a queue.
 * `*dir`, a path with a NUL after it that its length does not count, is the caller's:
 * `multispool_buffer_free`. So is `*limits`: `multispool_limits_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_monitor_spec_from_json(const char *json,
                                          multispool_buffer **dir,
                                          multispool_limits **limits,
                                          multispool_error **error);

/*
 * Frees a monitor. NULL is fine. The problems that it found stay valid, and the
 * daemons that it started go on.
 */
void multispool_monitor_free(multispool_monitor *monitor);

/*
 * Events
 * ======
 * A problem came, or went.
 */

/*
 * From this check on the problem is public: more checks in a row have seen it than the daemon waits for.
 */
#define MULTISPOOL_EVENT_START 1

/* A public problem was not seen any more in this check. */
#define MULTISPOOL_EVENT_END 2

/* Whether the problem came or went, a `MULTISPOOL_EVENT_` number. 0 for NULL. */
int32_t multispool_event_kind(const multispool_event *event);

/* When the check was made that showed it, in nanoseconds since 1970. 0 for NULL. */
int64_t multispool_event_time_ns(const multispool_event *event);

/*
 * The problem, with index 0 in a list of its own, for the functions of problems. NULL for NULL. Borrowed
 * until the event is freed: do not free it.
 */
const multispool_problems *multispool_event_problem(const multispool_event *event);

/*
 * Compares two events: -1, 0 or 1 where the first comes before the second, is the same, or comes after it,
 * by kind (starts come first), time and problem. NULL comes after all else.
 */
int32_t multispool_event_compare(const multispool_event *event,
                                 const multispool_event *other);

/* Frees an event. NULL is fine. */
void multispool_event_free(multispool_event *event);

/*
 * Daemons
 * =======
 * A daemon is a monitor that goes on checking, and tells what came and what went. It starts no thread and no
 * process: it checks in the calls of `multispool_daemon_next`, and only then. In one check ends come before
 * starts.
 */

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_daemon_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_options_new(multispool_daemon_options **options,
                                      multispool_error **error);

/*
 * Makes options from JSON, as `multispool_daemon_options_to_json` gives it. What is left out has its default.
 *
 * Gives: OK; INVALID_ARGUMENT for what is no JSON in UTF-8, an unknown key, a value that is none.
 * `*options` is the caller's: `multispool_daemon_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_options_from_json(const char *json,
                                            multispool_daemon_options **options,
                                            multispool_error **error);

/*
 * The options as JSON, in one line: `{"check_every":"15s","alert_after_cycles":2}`.
 *
 * Gives: OK.
 * `*json`, UTF-8 with a NUL after it that its length does not count, is the caller's:
 * `multispool_buffer_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_options_to_json(const multispool_daemon_options *options,
                                          multispool_buffer **json,
                                          multispool_error **error);

/*
 * The pause between the end of a check and the beginning of the next, in milliseconds. Default: 15,000.
 * It is at least five times as long as the check took, unless it is 0.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_options_set_check_every_ms(multispool_daemon_options *options,
                                                     int64_t ms,
                                                     multispool_error **error);

/*
 * A problem is told when more checks in a row than this have seen it; 0 tells it at once. Default: 2.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_options_set_alert_after_cycles(multispool_daemon_options *options,
                                                         uint64_t cycles,
                                                         multispool_error **error);

/* The pause between two checks, in milliseconds; a part of one counts as a whole. -1 for NULL. */
int64_t multispool_daemon_options_check_every_ms(const multispool_daemon_options *options);

/* After how many checks in a row a problem is told. 0 for NULL. */
uint64_t multispool_daemon_options_alert_after_cycles(const multispool_daemon_options *options);

/* Frees options. NULL is fine. Daemons started with them are not affected. */
void multispool_daemon_options_free(multispool_daemon_options *options);

/*
 * Begins to check again and again. The first check is made when the first event is asked for. `options` may
 * be NULL: all defaults.
 *
 * Gives: OK; FORKED.
 * `*daemon` is the caller's: `multispool_daemon_free`. It does not need `monitor` or `options` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_start(multispool_monitor *monitor,
                                const multispool_daemon_options *options,
                                multispool_daemon **daemon,
                                multispool_error **error);

/*
 * Gives the next event, checking and waiting for one at most `timeout_ms` milliseconds: -1 for ever; 0 makes
 * a check if one is due, and does not wait. `stop` (which may be NULL) ends the wait. A check is made whole
 * or not at all, and no event is lost: the next call goes on from there.
 *
 * Gives: OK; EMPTY with a timeout of 0; TIMED_OUT with another; STOPPED; INTERRUPTED where a signal handler
 * ran (call again); FORKED; of a check that failed, MISSING where one of the spool's directories but `.data`
 * is gone, PERMISSION, IO, DESCRIPTORS: the daemon has outlived it, and the next call goes on with the next
 * check.
 * `*event` is the caller's: `multispool_event_free`. It does not need the daemon to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_daemon_next(multispool_daemon *daemon,
                               const multispool_stop *stop,
                               int64_t timeout_ms,
                               multispool_event **event,
                               multispool_error **error);

/*
 * How long it is, in milliseconds, until `multispool_daemon_next` has something to do at once: 0 where a check
 * is due, or where events of the last one have not been asked for. For callers with an event loop: ask with a
 * timeout of 0 until EMPTY, then let so much time go by. 0 for NULL, and in a forked child.
 */
int64_t multispool_daemon_until_check_ms(const multispool_daemon *daemon);

/* Frees a daemon, which ends it. NULL is fine. The events that it gave stay valid. */
void multispool_daemon_free(multispool_daemon *daemon);

/*
 * Repair
 * ======
 * Clearing what crashes left: temporary files of dead owners, data and reservations without an entry; and
 * making whole an entry that lost only its registry file. A plan says what would be done; applying it
 * does it, under the lock of each name. What is in a queue and damaged is in no plan: it is for a person.
 */

/* A temporary file whose owner is dead is removed. */
#define MULTISPOOL_REPAIR_REMOVE_TEMPORARY 1

/* Data whose name is reserved by nobody, and that no entry has, is removed. */
#define MULTISPOOL_REPAIR_REMOVE_DATA 2

/* An entry that has its data but no registry file gets one again. */
#define MULTISPOOL_REPAIR_ADOPT 3

/* A reservation whose name is in no queue is removed, with the data that lies under its name. */
#define MULTISPOOL_REPAIR_REMOVE_RESERVATION 4

/*
 * Makes a set of options, each at its default.
 *
 * Gives: OK.
 * `*options` is the caller's: `multispool_repair_options_free`.
 */
MULTISPOOL_MUST_USE
int32_t multispool_repair_options_new(multispool_repair_options **options,
                                      multispool_error **error);

/*
 * Only what was last touched longer ago than this, in milliseconds. Default: 600,000.
 *
 * Gives: OK; INVALID_ARGUMENT for a negative time.
 */
MULTISPOOL_MUST_USE
int32_t multispool_repair_options_set_min_age_ms(multispool_repair_options *options,
                                                 int64_t ms,
                                                 multispool_error **error);

/*
 * Moves what would be removed into that directory, below a directory of the name of its own, and replaces
 * nothing there. It is made when the plan is applied, its parent must exist, and it must be on the spool's
 * file system. Default: remove.
 *
 * Gives: OK.
 */
MULTISPOOL_MUST_USE
int32_t multispool_repair_options_set_to(multispool_repair_options *options,
                                         const char *directory,
                                         multispool_error **error);

/*
 * What the changes promise, a `MULTISPOOL_DURABILITY_` number. Default: the spool's.
 *
 * Gives: OK; INVALID_ARGUMENT for another number.
 */
MULTISPOOL_MUST_USE
int32_t multispool_repair_options_set_durability(multispool_repair_options *options,
                                                 int32_t durability,
                                                 multispool_error **error);

/* Frees options. NULL is fine. Plans made with them are not affected. */
void multispool_repair_options_free(multispool_repair_options *options);

/*
 * Plans how to clear what crashes left, in all the queues that the spool has on disk, and changes nothing.
 * Safe next to live workers, at any time, and on a spool opened read-only. `options` may be NULL.
 *
 * Gives: OK, also when there is nothing to do; MISSING where one of the spool's directories is gone;
 * PERMISSION; IO, DESCRIPTORS.
 * `*plan` is the caller's: `multispool_plan_free`. It needs neither `spool` nor `options` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_spool_repair_plan(const multispool_spool *spool,
                                     const multispool_repair_options *options,
                                     multispool_plan **plan,
                                     multispool_error **error);

/*
 * The steps of a plan, in the order in which they will be done. NULL for NULL. Borrowed until the plan is
 * freed.
 */
const multispool_steps *multispool_plan_steps(const multispool_plan *plan);

/*
 * Does the steps of a plan, each under its name's lock and after another look: what has come to life since
 * the plan was made, or is being worked on, is left alone. Safe next to live workers and to other repairs,
 * at any time. A plan may be applied again.
 *
 * Gives: OK, also when nothing was left to do; PERMISSION on a spool opened read-only, before anything is
 * done; MISSING where the parent of the directory to move to does not exist, and INVALID_ARGUMENT where that
 * is no directory; IO where the queues cannot be synced, before which nothing is taken from a name; the first
 * failure, after all that could be done was: NOT_DURABLE; INVALID_ARGUMENT where the directory to move to is
 * on another file system; IO, also where it has a file of that name; PERMISSION, MISSING, NO_SPACE,
 * DESCRIPTORS.
 * `*repaired` (which may be NULL) is the caller's: `multispool_repaired_free`. After a failure it is set
 * too, unless nothing could be begun. It does not need `plan` to stay.
 */
MULTISPOOL_MUST_USE
int32_t multispool_plan_apply(const multispool_plan *plan,
                              multispool_repaired **repaired,
                              multispool_error **error);

/* Frees a plan; nothing on disk is changed. NULL is fine. */
void multispool_plan_free(multispool_plan *plan);

/*
 * The steps that were done. One that was not needed any more is not among them. NULL for NULL. Borrowed
 * until `repaired` is freed.
 */
const multispool_steps *multispool_repaired_steps(const multispool_repaired *repaired);

/* How much failed. 0 for NULL. */
size_t multispool_repaired_failure_count(const multispool_repaired *repaired);

/*
 * One of the failures, from 0: why a step could not be done, or with NOT_DURABLE that what was done may not
 * survive the loss of power. NULL past the end, and for NULL. Borrowed until `repaired` is freed: do not
 * free it.
 */
const multispool_error *multispool_repaired_failure(const multispool_repaired *repaired,
                                                    size_t index);

/* Frees the handle; what was done stays done. NULL is fine. */
void multispool_repaired_free(multispool_repaired *repaired);

/* How many steps there are; the functions below take an index from 0. 0 for NULL. */
size_t multispool_steps_count(const multispool_steps *steps);

/* What is done, a `MULTISPOOL_REPAIR_` number. 0 past the end, and for NULL. */
int32_t multispool_steps_action(const multispool_steps *steps, size_t index);

/*
 * The name of the file that it is done to, in its directory. NULL past the end, and for NULL. Borrowed as
 * the steps are.
 */
const char *multispool_steps_filename(const multispool_steps *steps,
                                      size_t index);

/*
 * Which kind of directory the file lies in, a `MULTISPOOL_DIR_` number. 0 past the end, and for NULL.
 */
int32_t multispool_steps_dir_kind(const multispool_steps *steps, size_t index);

/*
 * The queue whose directory that is. NULL where it is no queue's, past the end, and for NULL. Borrowed as
 * the steps are.
 */
const char *multispool_steps_dir_queue(const multispool_steps *steps,
                                       size_t index);

/*
 * The directory's path below the spool's, such as ".tmp". NULL past the end, and for NULL. Borrowed as the
 * steps are.
 */
const char *multispool_steps_dir_name_on_disk(const multispool_steps *steps,
                                              size_t index);

#ifdef __cplusplus
}
#endif

#endif
