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

    # @param owner [Entry, Checkout] whose data it is
    # @api private
    def initialize(pointer, owner)
      @place = "#{owner.queue}/#{owner.name}"
      @spoolable = owner.spool.spoolable
      @handle = Handle.new(pointer, "data file", @spoolable.throttle)
      @path = Bytes.text(Native.data_file_path(pointer))
    end

    # @return [String, Object] all of it, binary; with a codec for data, the value
    # @raise [CorruptError, DecodeError, NotFoundError, IOError]
    def load
      return open { |file| coder.codec.read(file) } if coder.streams?

      bytes = @handle.step do |pointer|
        Call.buffer { |out, error| Native.data_file_load(pointer, out, error) }
      end
      gone("read data") unless bytes.is_a?(String)
      coder.decode(bytes, @place)
    end

    # Puts new data in the place of the old, whole.
    # @param data [String, Pathname, #read, Object] bytes, a file to be copied, or a stream to be read to its end; with
    #   a codec for data, the value
    # @return [nil]
    # @raise [EncodeError, NoSpaceError, LostOwnershipError, NotDurableError, IOError]
    def save(data)
      if coder.streams?
        writer { |writer| coder.codec.write(data, writer) }
      else
        coder.raw? ? save_bytes(data) : replace(coder.encode(data, "save data"))
      end
      nil
    end

    # @return [Stat]
    # @raise [NotFoundError, IOError]
    def stat
      @handle.step { |pointer| Stat.read { |*outputs| Native.data_file_stat(pointer, *outputs) } } || gone("stat data")
    end

    # Opens the data for reading.
    # @yield [file] the file, closed when the block ends
    # @return [File, Object] the file, in binary mode and the caller's to close; with a block, the block's value
    # @raise [CorruptError, NotFoundError, IOError]
    def open(&block)
      file = nil
      @spoolable.throttle.run { Call.masked { file = open_file } }
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
      DataWriter.lend(@spoolable.throttle, method(:create_writer), &)
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

    # @api private
    def gone(operation)
      raise NotFoundError.new("#{operation}: #{path} is not there: its entry was removed", path:, operation:)
    end

    private

    def coder
      @spoolable.data
    end

    def open_file
      number = FFI::MemoryPointer.new(:int)
      status = @handle.use { |pointer| Call.status { |error| Native.data_file_open(pointer, number, error) } }
      status == Status::OK ? File.for_fd(number.read_int, "rb") : gone("open data")
    end

    def create_writer
      answer = @handle.use do |pointer|
        Call.handle(DataWriterPointer) { |out, error| Native.data_file_writer(pointer, out, error) }
      end
      gone("write data") unless answer.handle
      DataWriter.new(answer.handle, @spoolable.throttle)
    end

    def save_bytes(data)
      case data
      when Pathname then File.open(data, "rb") { |file| copy(file) }
      when ->(given) { given.respond_to?(:read) } then copy(data)
      else replace(Bytes.given(data, "data"))
      end
    end

    def replace(bytes)
      memory = Bytes.memory(bytes)
      status = @handle.step do |pointer|
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
  end
end
