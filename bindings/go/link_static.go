//go:build multispool_static

package multispool

// The archive comes first and settles every name, so that the shared library that pkg-config also
// names is not needed any more.

// #cgo LDFLAGS: -l:libmultispool.a -Wl,--as-needed
// #cgo pkg-config: --static multispool
import "C"
