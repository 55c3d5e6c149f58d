# frozen_string_literal: true

require "ffi"
require_relative "bytes"
require_relative "errors"
require_relative "native"
require_relative "pointers"
require_relative "slots"

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
    # @return [Answer]
    def self.ask(pointer_class, &)
      masked { ask_masked(pointer_class, &) }
    end

    # As {ask}, where exceptions from outside are held off already.
    def self.ask_masked(pointer_class)
      slots = Slots.take
      begin
        status = yield slots.out, slots.error
        answer = Answer.new(status, owned(slots, pointer_class), failure(status, slots))
      ensure
        # A signal handler that raises is not held off.
        pointer_class.abandon(slots.out.read_pointer) unless answer || slots.out.read_pointer.null?
        slots.give_back
      end
    end

    # Makes a call that gives only a status; raises its error.
    # @yield [error] the output pointer
    # @return [Integer] the status, not negative
    def self.status
      masked do
        slots = Slots.take
        begin
          status = yield slots.error
          problem = failure(status, slots)
        ensure
          slots.give_back
        end
        raise problem if problem

        status
      end
    end

    # Makes a call that gives a buffer.
    # @return [String, Integer] the bytes, or the status if it is not OK
    def self.buffer
      masked do
        slots = Slots.take
        begin
          status = yield slots.out, slots.error
          problem = failure(status, slots)
          raise problem if problem

          status == Status::OK ? bytes_of(slots) : status
        ensure
          Native.buffer_free(slots.out.read_pointer)
          slots.give_back
        end
      end
    end

    # A copy of what is in the buffer of a call that succeeded; its error's slot takes the length.
    def self.bytes_of(slots)
      pointer = Native.buffer_data(slots.out.read_pointer, slots.error)
      pointer.read_bytes(slots.error.get(:size_t, 0))
    end
    private_class_method :bytes_of

    def self.owned(slots, pointer_class)
      pointer = slots.out.read_pointer
      pointer.null? ? nil : pointer_class.new(pointer)
    end
    private_class_method :owned

    def self.failure(status, slots)
      return unless status.negative?

      pointer = slots.error.read_pointer
      return unexplained(status) if pointer.null?

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
