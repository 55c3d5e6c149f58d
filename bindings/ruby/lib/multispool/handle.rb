# frozen_string_literal: true

require_relative "call"
require_relative "throttle"

module Multispool
  # A native handle for one thread at a time, in the process that made it. Threads that share it take turns.
  # @api private
  class Handle
    # @param pointer [FFI::AutoPointer]
    # @param kind [String] what it is called in messages
    # @param throttle [Throttle] what its steps on the disk go through
    def initialize(pointer, kind, throttle = Throttle::NONE)
      @pointer = pointer
      @kind = kind
      @throttle = throttle
      @pid = Process.pid
      @lock = Mutex.new
      @closed = false
    end

    # Lends the pointer. The block makes native calls only: what it calls must not come back here.
    def use
      @lock.synchronize do
        raise ClosedError, "This #{@kind} is closed: make a new one" if @closed
        raise ForkedError, forked_message if foreign?

        yield @pointer
      end
    end

    # Lends the pointer for a step on the disk.
    def step(&)
      @throttle.none? ? use(&) : @throttle.run { use(&) }
    end

    # Frees the handle, once. In the process that made it the block runs before.
    def close
      Call.masked do
        @lock.synchronize do
          next if @closed

          begin
            yield @pointer if block_given? && !foreign?
          ensure
            @closed = true
            @pointer.free
          end
        end
      end
      nil
    end

    # Closes it by a step on the disk. An exception from outside waits, also while the throttle holds the step up.
    def close_by_step(&)
      Call.masked { @throttle.run { close(&) } }
    end

    def closed?
      @closed
    end

    # Whether this process is a fork of the one that made the handle.
    def foreign?
      Process.pid != @pid
    end

    private

    def forked_message
      "This #{@kind} belongs to process #{@pid}, of which this process is a fork: make a new one here"
    end
  end

  # A native handle for any number of threads at once, and for forked children too. Closing waits for nobody: the
  # handle is freed with the last call that uses it.
  # @api private
  class SharedHandle
    # @param (see Handle#initialize)
    def initialize(pointer, kind, throttle = Throttle::NONE)
      @pointer = pointer
      @kind = kind
      @throttle = throttle
      @lock = Mutex.new
      @users = 0
      @closed = false
    end

    # Lends the pointer.
    def use
      entered = false
      Call.masked { entered = enter }
      yield @pointer
    ensure
      Call.masked { leave } if entered
    end

    # Lends the pointer for a step on the disk.
    def step(&)
      @throttle.none? ? use(&) : @throttle.run { use(&) }
    end

    # Frees the handle, once, when nobody uses it.
    def close
      Call.masked do
        @lock.synchronize do
          next if @closed

          @closed = true
          @pointer.free if @users.zero?
        end
      end
      nil
    end

    def closed?
      @closed
    end

    private

    def enter
      @lock.synchronize do
        raise ClosedError, "This #{@kind} is closed: make a new one" if @closed

        @users += 1
      end
      true
    end

    def leave
      @lock.synchronize do
        @users -= 1
        @pointer.free if @closed && @users.zero?
      end
    end
  end

  private_constant :Handle, :SharedHandle
end
