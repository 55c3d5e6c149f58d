# frozen_string_literal: true

require "pathname"
require_relative "entry"
require_relative "handle"
require_relative "options"

module Multispool
  # Puts one entry into a queue, from bytes, a file or a stream.
  # @api private
  class Enqueue
    # @param handle [SharedHandle] the spool's
    def initialize(spool, handle, queue, metadata, durability:, name:)
      @spool = spool
      @handle = handle
      @queue = Bytes.c_string(Bytes.name(queue, "enqueue"))
      @metadata = Bytes.given(metadata, "metadata")
      @metadata_memory = Bytes.memory(@metadata)
      @durability = durability
      @name = name
    end

    # @return [Entry]
    def run(data)
      Options.open(:enqueue, durability: @durability, name: @name) do |options|
        case data
        when Pathname then from_file(Bytes.c_string(Bytes.path(data, "enqueue")), options)
        when ->(given) { given.respond_to?(:read) } then from_stream(data, options)
        else from_bytes(Bytes.given(data, "data"), options)
        end
      end
    end

    private

    def from_bytes(data, options)
      memory = Bytes.memory(data)
      settle do |out, error|
        @handle.use do |spool|
          Native.enqueue(spool, @queue, @metadata_memory, @metadata.bytesize, memory, data.bytesize, options, out,
                         error)
        end
      end
    end

    def from_file(path, options)
      settle do |out, error|
        @handle.use do |spool|
          Native.enqueue_file(spool, @queue, @metadata_memory, @metadata.bytesize, path, options, out, error)
        end
      end
    end

    # A stream that fails leaves nothing behind: a writer freed uncommitted undoes all.
    def from_stream(stream, options)
      writer = nil
      Call.masked { writer = create_writer(options) }
      while (chunk = stream.read(DataFile::CHUNK))
        write(writer, Bytes.given(chunk, "data"))
      end
      commit(writer)
    ensure
      writer&.close
    end

    def write(writer, bytes)
      memory = Bytes.memory(bytes)
      writer.use do |pointer|
        Call.status { |error| Native.enqueue_writer_write(pointer, memory, bytes.bytesize, error) }
      end
    end

    def create_writer(options)
      answer = @handle.use do |spool|
        Call.handle(EnqueueWriterPointer) do |out, error|
          Native.enqueue_writer_create(spool, @queue, options, out, error)
        end
      end
      refused(answer.status) unless answer.handle
      Handle.new(answer.handle, "writer")
    end

    def commit(writer)
      settle do |out, error|
        writer.use { |pointer| Native.enqueue_writer_commit(pointer, @metadata_memory, @metadata.bytesize, out, error) }
      end
    end

    # The entry, also beside a NotDurableError: it is in the queue.
    def settle(&)
      answer = Call.ask(EntryPointer, &)
      entry = answer.handle && Entry.new(@spool, answer.handle)
      case answer.error
      when nil then entry || refused(answer.status)
      when NotDurableError then raise answer.error.concerning(entry&.name, entry)
      else raise answer.error
      end
    end

    def refused(status)
      reason = if status == Status::NOT_FOUND
                 "the name #{@name} is not reserved in #{@spool.dir}: reserve it first"
               else
                 "the name #{@name} is in use in #{@spool.dir}: reserve another"
               end
      raise Error.build(status, "enqueue: #{reason}", operation: "enqueue")
    end
  end

  private_constant :Enqueue
end
