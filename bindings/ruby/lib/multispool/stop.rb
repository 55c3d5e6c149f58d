# frozen_string_literal: true

require "io/wait"
require_relative "errors"

module Multispool
  # Ends waits: every {Reader#dequeue} and {Reader#each} that was given it returns once it is triggered. Usable from any
  # thread and from a `trap` block. In a forked child it is the child's own: triggering it there stops nobody else.
  class Stop
    def initialize
      @triggered = false
      open_pipe
    end

    # Ends all waits, now and later. What is being handled is finished first.
    # @return [self]
    def trigger
      @triggered = true
      own
      @writer.write_nonblock("\0", exception: false)
      self
    end

    # @return [Boolean]
    def triggered?
      @triggered
    end

    # Waits until it is triggered.
    # @param timeout [Numeric, nil] in seconds; nil: for ever
    # @return [Boolean] whether it is triggered
    def wait(timeout = nil)
      to_io.wait_readable(timeout)
      triggered?
    end

    # An IO that is readable once this is triggered, for `IO.select`. Do not read or close it.
    # @return [IO]
    def to_io
      own
      @io
    end

    # Closes the descriptors. Waits must not use it any more.
    # @return [nil]
    def close
      @io.close
      @writer.close
    end

    # @return [Boolean]
    def closed?
      @io.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class}#{' triggered' if triggered?}>"
    end

    private

    # An exception from outside in the middle of IO.pipe would leave an IO whose descriptor is closed, and which the
    # collector would close again, when the number is somebody else's.
    def open_pipe
      Thread.handle_interrupt(Object => :never) { @io, @writer = IO.pipe }
      @pid = Process.pid
    end

    # After a fork the pipe is shared with the parent: take another, in the same state.
    def own
      raise ClosedError, "This stop is closed: make a new one" if closed?
      return if @pid == Process.pid

      close
      open_pipe
      @writer.write_nonblock("\0", exception: false) if @triggered
    end
  end
end
