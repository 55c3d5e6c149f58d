/* The functions of the handles that one process alone may use, each as a call that can be made of any of them. What
 * a call fails to make must be none. */

#ifndef CALLS_H
#define CALLS_H

#include "handles.h"

/* What failed made nothing. */
static inline int32_t made(int32_t status, void *what)
{
    return status != MULTISPOOL_OK && what != NULL ? WRONG : status;
}

#define CALLS(what) static inline int32_t call_##what(void *handle, multispool_error **why)

CALLS(checkout_update)
{
    return multispool_checkout_update(handle, BYTES("m"), why);
}

CALLS(checkout_data_file)
{
    multispool_data_file *data_file;
    int32_t status = multispool_checkout_data_file(handle, &data_file, why);
    return made(status, data_file);
}

CALLS(checkout_load_data)
{
    multispool_buffer *data;
    int32_t status = multispool_checkout_load_data(handle, &data, why);
    return made(status, data);
}

CALLS(checkout_renew)
{
    return multispool_checkout_renew(handle, why);
}

CALLS(checkout_keep)
{
    return multispool_checkout_keep(handle, why);
}

CALLS(checkout_save)
{
    return multispool_checkout_save(handle, "out", NULL, why);
}

CALLS(checkout_remove)
{
    return multispool_checkout_remove(handle, NULL, why);
}

CALLS(checkout_release)
{
    return multispool_checkout_release(handle, why);
}

CALLS(save_many)
{
    multispool_checkout *const one[] = {handle};
    return multispool_save_many(one, 1, "out", NULL, why);
}

CALLS(remove_many)
{
    multispool_checkout *const one[] = {handle};
    return multispool_remove_many(one, 1, NULL, why);
}

CALLS(data_file_load)
{
    multispool_buffer *data;
    int32_t status = multispool_data_file_load(handle, &data, why);
    return made(status, data);
}

CALLS(data_file_save)
{
    return multispool_data_file_save(handle, BYTES("d"), why);
}

CALLS(data_file_stat)
{
    return multispool_data_file_stat(handle, NULL, NULL, NULL, why);
}

CALLS(data_file_open)
{
    int fd;
    int32_t status = multispool_data_file_open(handle, &fd, why);
    return status != MULTISPOOL_OK && fd != -1 ? WRONG : status;
}

CALLS(data_file_writer)
{
    multispool_data_writer *writer;
    int32_t status = multispool_data_file_writer(handle, &writer, why);
    return made(status, writer);
}

CALLS(data_writer_write)
{
    return multispool_data_writer_write(handle, BYTES("d"), why);
}

CALLS(data_writer_commit)
{
    return multispool_data_writer_commit(handle, why);
}

CALLS(enqueue_writer_write)
{
    return multispool_enqueue_writer_write(handle, BYTES("d"), why);
}

CALLS(enqueue_writer_commit)
{
    multispool_entry *entry;
    int32_t status = multispool_enqueue_writer_commit(handle, BYTES("m"), &entry, why);
    int32_t checked = made(status, entry);
    multispool_entry_free(entry);
    return checked;
}

CALLS(batch_add)
{
    return multispool_batch_add(handle, BYTES("m"), BYTES("d"), why);
}

CALLS(batch_add_file)
{
    return multispool_batch_add_file(handle, BYTES("m"), "/dev/null", why);
}

CALLS(batch_commit)
{
    return multispool_batch_commit(handle, why);
}

CALLS(reader_dequeue)
{
    multispool_checkout *checkout;
    int32_t status = multispool_reader_dequeue(handle, NULL, -1, &checkout, why);
    return made(status, checkout);
}

CALLS(reader_dequeue_many)
{
    multispool_checkout *checkouts[] = {handle, handle};
    size_t count;
    int32_t status = multispool_reader_dequeue_many(handle, NULL, -1, 2, checkouts, &count, why);
    return made(made(status, checkouts[0]), checkouts[1]);
}

CALLS(reader_fd)
{
    int fd;
    int32_t status = multispool_reader_fd(handle, &fd, why);
    return status != MULTISPOOL_OK && fd != -1 ? WRONG : status;
}

CALLS(names_next)
{
    const char *name;
    int32_t status = multispool_names_next(handle, &name, why);
    return status != MULTISPOOL_OK && name != NULL ? WRONG : status;
}

CALLS(entries_next)
{
    multispool_entry *entry;
    int32_t status = multispool_entries_next(handle, &entry, why);
    return made(status, entry);
}

CALLS(checkouts_next)
{
    multispool_checkout *checkout;
    int32_t status = multispool_checkouts_next(handle, &checkout, why);
    return made(status, checkout);
}

CALLS(monitor_run_once)
{
    multispool_problems *problems;
    int32_t status = multispool_monitor_run_once(handle, &problems, why);
    return made(status, problems);
}

CALLS(daemon_start)
{
    multispool_daemon *daemon;
    int32_t status = multispool_daemon_start(handle, NULL, &daemon, why);
    return made(status, daemon);
}

CALLS(daemon_next)
{
    multispool_event *event;
    int32_t status = multispool_daemon_next(handle, NULL, -1, &event, why);
    return made(status, event);
}

#undef CALLS

/* By the kind of the handle. */
static const struct {
    const char *name;
    enum kind of;
    int32_t (*call)(void *handle, multispool_error **why);
} calls[] = {
#define A_CALL(kind, name) {"multispool_" #name, kind, call_##name}
    A_CALL(CHECKOUT, checkout_update),
    A_CALL(CHECKOUT, checkout_data_file),
    A_CALL(CHECKOUT, checkout_load_data),
    A_CALL(CHECKOUT, checkout_renew),
    A_CALL(CHECKOUT, checkout_keep),
    A_CALL(CHECKOUT, checkout_save),
    A_CALL(CHECKOUT, checkout_remove),
    A_CALL(CHECKOUT, checkout_release),
    A_CALL(CHECKOUT, save_many),
    A_CALL(CHECKOUT, remove_many),
    A_CALL(DATA_FILE, data_file_load),
    A_CALL(DATA_FILE, data_file_save),
    A_CALL(DATA_FILE, data_file_stat),
    A_CALL(DATA_FILE, data_file_open),
    A_CALL(DATA_FILE, data_file_writer),
    A_CALL(DATA_WRITER, data_writer_write),
    A_CALL(DATA_WRITER, data_writer_commit),
    A_CALL(ENQUEUE_WRITER, enqueue_writer_write),
    A_CALL(ENQUEUE_WRITER, enqueue_writer_commit),
    A_CALL(BATCH, batch_add),
    A_CALL(BATCH, batch_add_file),
    A_CALL(BATCH, batch_commit),
    A_CALL(READER, reader_dequeue),
    A_CALL(READER, reader_dequeue_many),
    A_CALL(READER, reader_fd),
    A_CALL(NAMES, names_next),
    A_CALL(ENTRIES, entries_next),
    A_CALL(CHECKOUTS, checkouts_next),
    A_CALL(MONITOR, monitor_run_once),
    A_CALL(MONITOR, daemon_start),
    A_CALL(DAEMON, daemon_next),
#undef A_CALL
};
enum { CALLS_COUNT = sizeof calls / sizeof *calls };

#endif
