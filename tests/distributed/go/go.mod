module multispool.dev/distributed

go 1.24

require multispool.dev/multispool v0.1.0

replace multispool.dev/multispool => ../../../bindings/go
