# frozen_string_literal: true

require_relative "data_file"

module Multispool
  # The data of an entry in the making, as a codec or a stream gives it. Nobody sees the entry before the commit.
  # @api private
  class EnqueueWriter
    def initialize(pointer, throttle)
      @handle = Handle.new(pointer, "writer", throttle)
    end

    # @param chunks [Array<String>]
    # @return [Integer] how many bytes were written: all
    def write(*chunks)
      chunks.sum do |chunk|
        bytes = Bytes.given(chunk, "data")
        memory = Bytes.memory(bytes)
        @handle.step do |pointer|
          Call.status { |error| Native.enqueue_writer_write(pointer, memory, bytes.bytesize, error) }
        end
        bytes.bytesize
      end
    end

    # @return [self]
    def <<(chunk)
      write(chunk)
      self
    end

    # Reads a stream to its end.
    def copy(stream)
      while (chunk = stream.read(DataFile::CHUNK))
        write(chunk)
      end
    end

    # Makes the call that makes the entry visible.
    def commit(metadata, length, out, error)
      @handle.step { |pointer| Native.enqueue_writer_commit(pointer, metadata, length, out, error) }
    end

    # Undoes what was not committed.
    def close
      @handle.close_by_step
    end
  end

  private_constant :EnqueueWriter
end
