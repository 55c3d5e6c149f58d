module multispool.dev/multispool

go 1.24
