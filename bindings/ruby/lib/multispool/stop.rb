# frozen_string_literal: true

require "io/wait"
require_relative "errors"

module Multispool
  # Ends waits: every {Reader#dequeue} and {Reader#each} that was given it returns once it is triggered. Usable from any
  # thread and from a `trap` block. In a forked child it is the child's own: triggering it there stops nobody else.
  class Stop
    def initialize
      @triggered = false
      @lock = Mutex.new
      @pipe = Pipe.open
    end

    # Ends all waits, now and later. What is being handled is finished first.
    # @return [self]
    def trigger
      raise ClosedError, CLOSED if closed?

      # In this order, and without a lock, which a signal handler may not take: whoever makes a pipe looks at the first
      # after it.
      @triggered = true
      pipe = @pipe
      pipe.ring if pipe.mine?
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
      raise ClosedError, CLOSED if closed?

      take_another unless @pipe.mine?
      @pipe.reader
    end

    # Closes the descriptors. Waits must not use it any more.
    # @return [nil]
    def close
      @pipe.close
    end

    # @return [Boolean]
    def closed?
      @pipe.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class}#{' triggered' if triggered?}>"
    end

    private

    CLOSED = "This stop is closed: make a new one"
    private_constant :CLOSED

    # After a fork the pipe is shared with the parent: take another, in the same state.
    def take_another
      Thread.handle_interrupt(Object => :never) do
        @lock.synchronize do
          inherited = @pipe
          next if inherited.mine?

          @pipe = Pipe.open
          @pipe.ring if @triggered
          inherited.close
        end
      end
    end

    # What is readable once somebody rang, in the process that made it.
    # @api private
    class Pipe
      # What is waited for.
      attr_reader :reader

      # An exception from outside in the middle of IO.pipe would leave an IO whose descriptor is closed, and which the
      # collector would close again, when the number is somebody else's.
      def self.open
        Thread.handle_interrupt(Object => :never) { new(*IO.pipe) }
      end

      # @api private
      def initialize(reader, writer)
        @reader = reader
        @writer = writer
        @pid = Process.pid
      end

      def mine?
        @pid == Process.pid
      end

      def ring
        @writer.write_nonblock("\0", exception: false)
      end

      def close
        @reader.close
        @writer.close
      end

      def closed?
        @reader.closed?
      end
    end
    private_constant :Pipe
  end
end
