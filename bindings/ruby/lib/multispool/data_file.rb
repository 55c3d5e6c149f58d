# frozen_string_literal: true

require "pathname"
require_relative "data_writer"
require_relative "stats"

module Multispool
  # The data of an entry, to be read when it is wanted. For one thread at a time.
  class DataFile
    # How much of a stream is in memory at once, in bytes.
    CHUNK = 256 * 1024

    # @return [String] where the data is. Bytes written there by other means are the writer's to sync.
    attr_reader :path

    # @api private
    def initialize(pointer)
      @handle = Handle.new(pointer, "data file")
      @path = Bytes.text(Native.data_file_path(pointer))
    end

    # @return [String] all of it, binary
    # @raise [CorruptError, NotFoundError, IOError]
    def load
      bytes = @handle.use do |pointer|
        Call.buffer { |out, error| Native.data_file_load(pointer, out, error) }
      end
      bytes.is_a?(String) ? bytes : gone("read data")
    end

    # Puts new data in the place of the old, whole.
    # @param data [String, Pathname, #read] bytes, a file to be copied, or a stream to be read to its end
    # @return [nil]
    # @raise [NoSpaceError, LostOwnershipError, NotDurableError, IOError]
    def save(data)
      case data
      when Pathname then File.open(data, "rb") { |file| copy(file) }
      when ->(given) { given.respond_to?(:read) } then copy(data)
      else replace(Bytes.given(data, "data"))
      end
      nil
    end

    # @return [Stat]
    # @raise [NotFoundError, IOError]
    def stat
      @handle.use { |pointer| Stat.read { |*outputs| Native.data_file_stat(pointer, *outputs) } } || gone("stat data")
    end

    # Opens the data for reading.
    # @yield [file] the file, closed when the block ends
    # @return [File, Object] the file, in binary mode and the caller's to close; with a block, the block's value
    # @raise [CorruptError, NotFoundError, IOError]
    def open(&block)
      file = Call.masked do
        number = FFI::MemoryPointer.new(:int)
        status = @handle.use { |pointer| Call.status { |error| Native.data_file_open(pointer, number, error) } }
        status == Status::OK ? File.for_fd(number.read_int, "rb") : gone("open data")
      end
      return file unless block

      begin
        yield file
      ensure
        file.close
      end
    end

    # Writes new data bit by bit.
    # @yield [writer] committed at the block's normal end, thrown away if the block raises, breaks or throws
    # @yieldparam writer [DataWriter]
    # @return [DataWriter, Object] with a block, the block's value
    # @raise [NoSpaceError, LostOwnershipError, NotDurableError, IOError]
    def writer(&)
      DataWriter.lend(method(:create_writer), &)
    end

    # Frees the handle; the file stays. Closing again does nothing.
    # @return [nil]
    def close
      @handle.close
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{path.inspect}>"
    end

    private

    def create_writer
      answer = @handle.use do |pointer|
        Call.handle(DataWriterPointer) { |out, error| Native.data_file_writer(pointer, out, error) }
      end
      gone("write data") unless answer.handle
      DataWriter.new(answer.handle)
    end

    def replace(bytes)
      memory = Bytes.memory(bytes)
      status = @handle.use do |pointer|
        Call.status { |error| Native.data_file_save(pointer, memory, bytes.bytesize, error) }
      end
      gone("save data") unless status == Status::OK
    end

    def copy(stream)
      writer do |writer|
        while (chunk = stream.read(CHUNK))
          writer.write(chunk)
        end
      end
    end

    def gone(operation)
      raise NotFoundError.new("#{operation}: #{path} is not there: its entry was removed", path:,
                                                                                           operation:)
    end
  end
end
