//go:build !multispool_static

package multispool

// #cgo pkg-config: multispool
import "C"
