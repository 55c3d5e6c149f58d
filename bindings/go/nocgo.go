//go:build !cgo

package multispool

// The undefined name below is the message that the compiler prints.
var _ = multispool_needs_cgo_and_a_C_compiler_set_CGO_ENABLED_to_1
