# The one door: each verb says what it does in `make help`. The work is in tools/, a script for each thing.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
export PREFIX LIBDIR DESTDIR

.DEFAULT_GOAL := build
.PHONY: setup build stage header test test-distributed lint check bench soak install uninstall dist deb demo clean help

setup: ## check every tool and its version; install what is missing (as root on Debian or Ubuntu), or say how
	@tools/setup

build: ## build the libraries and the command, release profile
	@tools/build

stage: ## build, and install to target/stage, from which the bindings are built
	@tools/stage

header: ## write include/multispool.h anew from src/ffi
	@tools/header

test: ## every test suite, the README and a small demo; needs no root
	@tools/setup build test
	@tools/test

test-distributed: ## network mode on a MooseFS of six hosts on this machine, with faults (root)
	@tools/setup build test check
	@tools/test-distributed

lint: ## formatting, warnings, documentation and shell scripts of all languages
	@tools/setup build lint
	@tools/lint

check: ## lint, and every check that is no test
	@tools/setup
	@tools/check

bench: ## entries per second of each operation at each durability level, on this disk
	@tools/setup build
	@tools/bench

soak: ## the proofs in their long forms (hours), Miri, then tests, ThreadSanitizer and the demo with kills for SOAK_SECONDS (3600)
	@tools/setup build test check
	@tools/soak

install: build ## install to PREFIX (/usr/local), LIBDIR (PREFIX/lib), under DESTDIR
	@tools/install

uninstall: ## remove what install put there
	@tools/install --remove

dist: ## a tarball for machines without Rust, in target/dist
	@tools/dist

deb: ## Debian packages (library, development, command), in target/deb
	@tools/deb

demo: ## C, Go and Ruby on one spool, over real files (DEMO_INPUT=DIR, DEMO_KILL=1)
	@tools/setup build
	@tools/stage
	@examples/demo/run

clean: ## remove all that was built
	@rm -rf target

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 25
