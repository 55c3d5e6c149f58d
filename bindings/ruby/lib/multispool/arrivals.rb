# frozen_string_literal: true

require "io/wait"
require_relative "stop"

module Multispool
  # The waiting half of a reader: sleeps in Ruby's own hands, so that Timeout, Thread#raise, Thread#kill, Ctrl-C and
  # fiber schedulers end it, until the reader's descriptor is readable, a stop is triggered or the reader is closed.
  # @api private
  class Arrivals
    # @param number [Integer] the reader's descriptor, which stays the library's
    def initialize(number)
      @io = IO.for_fd(number, autoclose: false)
      @closing = Stop.new
      @lock = Mutex.new
      @left = ConditionVariable.new
      @waiters = 0
    end

    # The clock of deadlines, in seconds.
    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @param deadline [Numeric, nil] by {now}; nil: wait for ever
    # @return [Boolean] false when the time is over
    # @raise [ClosedError] the reader is being closed
    def wait(stop, deadline)
      waiting = false
      # Noted inside, for what strikes from outside strikes when the mask ends.
      Call.masked { @lock.synchronize { waiting = enter } }
      timeout = deadline && [deadline - Arrivals.now, 0].max
      ready = readable([@io, @closing.to_io, stop&.to_io].compact, timeout)
      raise ClosedError, "This reader was closed by another thread: make a new one" if @closing.triggered?

      !ready.nil?
    ensure
      Call.masked { @lock.synchronize { leave } } if waiting
    end

    # Wakes all who wait, and returns when they have left: only then may the descriptor go.
    def close
      @lock.synchronize do
        next if @closing.closed?

        @closing.trigger
        @left.wait(@lock) until @waiters.zero?
        @closing.close
      end
    end

    private

    def enter
      raise ClosedError, "This reader is closed: make a new one" if @closing.triggered?

      @waiters += 1
      true
    end

    def leave
      @waiters -= 1
      @left.broadcast if @waiters.zero?
    end

    def readable(ios, timeout)
      return IO.select(ios, nil, nil, timeout) unless Fiber.current_scheduler

      # A scheduler of this Ruby is not asked about IO.select: a thread waits, and the other fibers run on.
      thread = Thread.new { IO.select(ios, nil, nil, timeout) }
      thread.report_on_exception = false
      begin
        thread.value
      ensure
        thread.kill
      end
    end
  end

  private_constant :Arrivals
end
