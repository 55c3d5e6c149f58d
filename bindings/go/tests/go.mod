module multispool.dev/multispool/tests

go 1.24

require (
	go.uber.org/goleak v1.3.0
	multispool.dev/multispool v0.1.0
	pgregory.net/rapid v1.3.0
)

replace multispool.dev/multispool => ../
