# frozen_string_literal: true

require "pathname"
require_relative "enqueue_writer"
require_relative "entry"
require_relative "options"

module Multispool
  # Puts one entry into a queue, from bytes, a file, a stream or a value with a codec.
  # @api private
  class Enqueue
    # A queue's name, for Ruby and for the library.
    Queue = Struct.new(:text, :pointer) do
      # @param bytes [String] from {Bytes.name}
      def self.of(bytes)
        new(Bytes.text_of(bytes.dup), Bytes.c_string(bytes))
      end
    end

    # No metadata was given.
    NOTHING = Object.new.freeze

    # @return [String] the bytes of metadata that was given, or not
    def self.metadata_of(spool, metadata)
      coder = spool.spoolable.metadata
      return coder.encode(metadata, "enqueue") unless metadata.equal?(NOTHING)
      return "" if coder.raw?

      raise ArgumentError, "missing keyword: :metadata (this spool has a codec for it)"
    end

    # @param handle [SharedHandle] the spool's
    # @param names [#call, nil] a generator of names
    def initialize(spool, handle, queue, metadata, durability:, name:, names:)
      @spool = spool
      @handle = handle
      @queue = spool.named_queue(queue) || Queue.of(Bytes.name(queue, "enqueue"))
      @metadata = Enqueue.metadata_of(spool, metadata)
      @metadata_memory = Bytes.memory(@metadata)
      @durability = durability
      @name = name
      @names = name ? nil : names || spool.spoolable.names
    end

    # @return [Entry]
    def run(data)
      data = coder.encode(data, "enqueue") unless coder.raw? || coder.streams?
      # An unknown queue must not cost a name: the library refuses it.
      @name = @spool.reserve(&@names) if @names && @spool.named_queue(@queue.text)
      Options.open(:enqueue, durability: @durability, name: @name) { |options| put(data, options) }
    end

    private

    def coder
      @spool.spoolable.data
    end

    def put(data, options)
      return from_writer(options) { |writer| coder.codec.write(data, writer) } if coder.streams?

      return from_file(Bytes.c_string(Bytes.path(data, "enqueue")), options) if data.is_a?(Pathname)
      return from_writer(options) { |writer| writer.copy(data) } if data.respond_to?(:read)

      from_bytes(Bytes.given(data, "data"), options)
    end

    def from_bytes(data, options)
      memory = Bytes.memory(data)
      settle do |out, error|
        @handle.step do |spool|
          Native.enqueue(spool, @queue.pointer, @metadata_memory, @metadata.bytesize, memory, data.bytesize, options,
                         out, error)
        end
      end
    end

    def from_file(path, options)
      settle do |out, error|
        @handle.step do |spool|
          Native.enqueue_file(spool, @queue.pointer, @metadata_memory, @metadata.bytesize, path, options, out, error)
        end
      end
    end

    # What fails meanwhile leaves nothing behind: a writer closed uncommitted undoes all.
    def from_writer(options)
      writer = nil
      throttle.run { Call.masked { writer = create_writer(options) } }
      yield writer
      settle { |out, error| writer.commit(@metadata_memory, @metadata.bytesize, out, error) }
    ensure
      writer&.close
    end

    def create_writer(options)
      answer = @handle.use do |spool|
        Call.handle(EnqueueWriterPointer) do |out, error|
          Native.enqueue_writer_create(spool, @queue.pointer, options, out, error)
        end
      end
      refused(answer.status) unless answer.handle
      EnqueueWriter.new(answer.handle, throttle)
    end

    def throttle
      @spool.spoolable.throttle
    end

    # The entry, also beside a NotDurableError: it is in the queue.
    def settle(&)
      answer = Call.ask(EntryPointer, &)
      entry = answer.handle && Entry.new(@spool, answer.handle, @queue.text)
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
