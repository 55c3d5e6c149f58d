package multispool

// The calls that are made for each entry. None of them calls back into Go, and none keeps a pointer
// that it is given: so what it is given may lie on the stack.

// #cgo noescape multispool_enqueue
// #cgo nocallback multispool_enqueue
// #cgo noescape multispool_entry_queue
// #cgo nocallback multispool_entry_queue
// #cgo noescape multispool_entry_name
// #cgo nocallback multispool_entry_name
// #cgo noescape multispool_entry_free
// #cgo nocallback multispool_entry_free
// #cgo noescape multispool_reader_dequeue
// #cgo nocallback multispool_reader_dequeue
// #cgo noescape multispool_checkout_name
// #cgo nocallback multispool_checkout_name
// #cgo noescape multispool_checkout_metadata
// #cgo nocallback multispool_checkout_metadata
// #cgo noescape multispool_checkout_load_data
// #cgo nocallback multispool_checkout_load_data
// #cgo noescape multispool_buffer_data
// #cgo nocallback multispool_buffer_data
// #cgo noescape multispool_buffer_free
// #cgo nocallback multispool_buffer_free
// #cgo noescape multispool_checkout_save
// #cgo nocallback multispool_checkout_save
// #cgo noescape multispool_checkout_remove
// #cgo nocallback multispool_checkout_remove
// #cgo noescape multispool_checkout_release
// #cgo nocallback multispool_checkout_release
// #cgo noescape multispool_checkout_free
// #cgo nocallback multispool_checkout_free
// #include <multispool.h>
import "C"
