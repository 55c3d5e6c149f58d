# frozen_string_literal: true

require "ffi"
require_relative "bytes"
require_relative "errors"
require_relative "native"
require_relative "pointers"

module Multispool
  # How every native call is made: exceptions from outside (Timeout, Thread#raise, Thread#kill) are held off until the
  # result is in an object, so that no handle and no entry is lost between the two languages.
  # @api private
  module Call
    # Holds off every exception from outside.
    NEVER = { Object => :never }.freeze

    # What a call answered: its status, the handle it gave (or nil), the error it gave (or nil).
    Answer = Struct.new(:status, :handle, :error)

    # Runs the block with exceptions from outside held off. One that is waiting strikes when this ends.
    def self.masked(&)
      Thread.handle_interrupt(NEVER, &)
    end

    # Makes a call that gives a handle; raises its error.
    # @yield [out, error] the two output pointers
    # @return [Answer]
    def self.handle(pointer_class, &)
      answer = ask(pointer_class, &)
      raise answer.error if answer.error

      answer
    end

    # Makes a call that gives a handle and leaves the judgement to the caller.
    def self.ask(pointer_class)
      masked do
        out = FFI::MemoryPointer.new(:pointer)
        error = FFI::MemoryPointer.new(:pointer)
        begin
          status = yield out, error
          answer = Answer.new(status, owned(out, pointer_class), failure(status, error))
        ensure
          # A signal handler that raises is not held off.
          pointer_class.abandon(out.read_pointer) unless answer || out.read_pointer.null?
        end
      end
    end

    # Makes a call that gives only a status; raises its error.
    # @yield [error] the output pointer
    # @return [Integer] the status, not negative
    def self.status
      masked do
        error = FFI::MemoryPointer.new(:pointer)
        status = yield error
        problem = failure(status, error)
        raise problem if problem

        status
      end
    end

    # Makes a call that gives a buffer.
    # @return [String, Integer] the bytes, or the status if it is not OK
    def self.buffer(&)
      masked do
        answer = handle(BufferPointer, &)
        next answer.status unless answer.handle

        bytes = Bytes.borrowed { |length| Native.buffer_data(answer.handle, length) }
        answer.handle.free
        bytes
      end
    end

    def self.owned(out, pointer_class)
      pointer = out.read_pointer
      pointer.null? ? nil : pointer_class.new(pointer)
    end
    private_class_method :owned

    def self.failure(status, error)
      pointer = error.read_pointer
      return status.negative? ? unexplained(status) : nil if pointer.null?

      problem = describe(pointer)
      Native.error_free(pointer)
      problem
    end
    private_class_method :failure

    # The error behind a pointer, which stays its owner's.
    def self.describe(pointer)
      errno = Native.error_errno(pointer)
      problem = Error.build(Native.error_status(pointer), Bytes.text(Native.error_message(pointer)),
                            errno: errno.zero? ? nil : errno, path: Bytes.text(Native.error_path(pointer)),
                            operation: Bytes.text(Native.error_operation(pointer)))
      problem.concerning(Bytes.text(Native.error_name(pointer))) if problem.is_a?(NotDurableError)
      problem
    end

    def self.unexplained(status)
      Error.build(status, "The library answered #{Bytes.text(Native.status_name(status))} and no more")
    end
    private_class_method :unexplained
  end
end
