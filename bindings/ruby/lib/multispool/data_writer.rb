# frozen_string_literal: true

require_relative "handle"

module Multispool
  # Writes new data beside the old. Nobody sees it before {#commit}; closed without one, it is thrown away.
  # For one thread at a time. `IO.copy_stream` can write to it.
  class DataWriter
    # Makes a writer and commits at the end of the block, or hands the writer over where there is none.
    # @param make [#call] gives the writer
    # @api private
    def self.lend(throttle, make)
      writer = nil
      delivered = false
      throttle.run { Call.masked { writer = make.call } }
      if block_given?
        result = yield writer
        writer.commit unless writer.finished?
        return result
      end
      delivered = true
      writer
    ensure
      writer&.close unless delivered
    end

    # @api private
    def initialize(pointer, throttle)
      @handle = Handle.new(pointer, "data writer", throttle)
      @finished = false
    end

    # @param chunks [Array<String>] bytes
    # @return [Integer] how many bytes were written: all
    # @raise [NoSpaceError, FinishedError, IOError]
    def write(*chunks)
      chunks.sum do |chunk|
        bytes = Bytes.given(chunk, "data")
        memory = Bytes.memory(bytes)
        @handle.step do |pointer|
          Call.status { |error| Native.data_writer_write(pointer, memory, bytes.bytesize, error) }
        end
        bytes.bytesize
      end
    end

    # @param chunk [String]
    # @return [self]
    def <<(chunk)
      write(chunk)
      self
    end

    # Puts what was written in the place of the data, whole, as durably as the spool promises.
    # @return [nil]
    # @raise [FinishedError] committed before
    # @raise [NotDurableError] done, but not known to survive a loss of power
    def commit
      @handle.step do |pointer|
        Call.status { |error| Native.data_writer_commit(pointer, error) }
        @finished = true
      rescue NotDurableError
        @finished = true
        raise
      end
      nil
    end

    # Throws away what was not committed. Closing again does nothing.
    # @return [nil]
    def close
      @handle.close_by_step
    end

    # @return [Boolean]
    def closed?
      @handle.closed?
    end

    # @return [Boolean] whether it was committed
    def finished?
      @finished
    end

    # @return [String]
    def inspect
      "#<#{self.class}#{' closed' if closed?}>"
    end
  end
end
