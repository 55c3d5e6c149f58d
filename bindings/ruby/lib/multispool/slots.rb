# frozen_string_literal: true

require "ffi"

module Multispool
  # Where a call puts a handle and an error. Each thread, or fiber, keeps those of its last call for the next; a call
  # that is made inside of another makes its own.
  # @api private
  class Slots
    # @return [FFI::Pointer]
    attr_reader :out, :error

    # Those of this thread, empty. Give them back when their contents are known.
    def self.take
      current = Thread.current
      slots = current[:multispool_slots]
      return new unless slots

      current[:multispool_slots] = nil
      slots.out.clear
      slots
    end

    def initialize
      @out = FFI::MemoryPointer.new(:pointer, 2)
      @error = @out + FFI::Pointer.size
    end

    def give_back
      Thread.current[:multispool_slots] = self
    end
  end

  private_constant :Slots
end
