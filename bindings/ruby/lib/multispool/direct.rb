# frozen_string_literal: true

require_relative "data_file"

module Multispool
  # The files of an entry as they lie in its queue: no ownership, no check. What is read here may change: look again
  # after a checkout before you write.
  class Direct
    # @return [Entry]
    attr_reader :entry

    # @api private
    def initialize(entry, pointer)
      @entry = entry
      @pointer = pointer
    end

    # @return [String, Object] the metadata, binary; with a codec for metadata, the value
    # @raise [NotFoundError, DecodeError, IOError]
    def contents
      bytes = entry.step { Call.buffer { |out, error| Native.entry_direct_contents(@pointer, out, error) } }
      entry.gone("read metadata") unless bytes.is_a?(String)
      coder.decode(bytes, "#{entry.queue}/#{entry.name}")
    end

    # @return [DataFile]
    def data_file
      answer = entry.step do
        Call.handle(DataFilePointer) { |out, error| Native.entry_direct_data_file(@pointer, out, error) }
      end
      DataFile.new(answer.handle, entry)
    end

    # Writes the metadata over whatever is there, atomically.
    # @param metadata [String, Object] bytes; with a codec for metadata, the value
    # @return [nil]
    # @raise [EncodeError, PermissionError, NoSpaceError, IOError]
    def save(metadata)
      bytes = coder.encode(metadata, "save")
      memory = Bytes.memory(bytes)
      done("save") { |error| Native.entry_direct_save(@pointer, memory, bytes.bytesize, error) }
    end

    # Deletes the entry's metadata, data and name.
    # @return [nil]
    # @raise [NotFoundError, PermissionError, IOError]
    def remove
      done("remove") { |error| Native.entry_direct_remove(@pointer, error) }
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{entry.queue}/#{entry.name}>"
    end

    private

    def coder
      entry.spool.spoolable.metadata
    end

    def done(operation, &)
      entry.gone(operation) unless entry.step { Call.status(&) } == Status::OK
    rescue NotDurableError => e
      raise e.concerning(entry.name)
    end
  end
end
