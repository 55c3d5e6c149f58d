# frozen_string_literal: true

require "pathname"
require "stringio"
require_relative "entry"
require_relative "options"

module Multispool
  # Entries that are put into a queue together, for about the price of one sync; see {Spool#enqueue_many}. It is no
  # transaction: each entry is all or nothing for itself. For one thread at a time.
  class Batch
    # Makes a batch, lends it to the block and commits it; what the block leaves by an exception is undone.
    # @param handle [SharedHandle] the spool's
    # @return [Array<Entry>]
    # @api private
    def self.lend(spool, handle, queue, durability)
      refuse_names if spool.spoolable.names
      batch = nil
      Options.open(:enqueue, durability:) do |options|
        spool.spoolable.throttle.run { Call.masked { batch = create(spool, handle, queue, options) } }
        yield batch
        batch.commit
      end
    ensure
      batch&.close
    end

    def self.create(spool, handle, queue, options)
      name = Bytes.c_string(queue)
      answer = handle.use do |pointer|
        Call.handle(BatchPointer) { |out, error| Native.batch_create(pointer, name, options, out, error) }
      end
      new(spool, answer.handle, queue)
    end
    private_class_method :create

    def self.refuse_names
      raise UnsupportedError.new("enqueue many: the library names the entries of a batch, and this spool has a " \
                                 "generator of names: enqueue them one by one", operation: "enqueue many")
    end
    private_class_method :refuse_names

    # @api private
    def initialize(spool, pointer, queue)
      @spool = spool
      @queue = queue
      @handle = Handle.new(pointer, "batch", spool.spoolable.throttle)
    end

    # Adds an entry. It becomes visible with the others, at the block's end; in a large batch the first 256 may do so
    # before, or fewer where descriptors run out.
    # @param data [String, Pathname, #read, Object] (see Spool#enqueue); a stream is read into memory
    # @param metadata [String, Object] (see Spool#enqueue)
    # @return [self]
    # @raise [EncodeError, NoSpaceError, PermissionError, IOError] this entry is not in the batch; the others are
    def add(data, metadata: Enqueue::NOTHING)
      bytes = Enqueue.metadata_of(@spool, metadata)
      memory = Bytes.memory(bytes)
      if data.is_a?(Pathname) && coder.raw?
        path = Bytes.c_string(Bytes.path(data, "enqueue many"))
        step { |batch, error| Native.batch_add_file(batch, memory, bytes.bytesize, path, error) }
      else
        whole = bytes_of(data)
        content = Bytes.memory(whole)
        step { |batch, error| Native.batch_add(batch, memory, bytes.bytesize, content, whole.bytesize, error) }
      end
      self
    end

    # Adds an entry without metadata.
    # @param data (see #add)
    # @return [self]
    # @raise (see #add)
    def <<(data)
      add(data)
    end

    # @return [Integer] how many entries were added
    def size
      @handle.use { |batch| Native.batch_size(batch) }
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{@queue}>"
    end

    # Makes all visible.
    # @return [Array<Entry>]
    # @api private
    def commit
      problem = nil
      begin
        step { |batch, error| Native.batch_commit(batch, error) }
      rescue Error => e
        problem = e
      end
      results = Array.new(size) { |at| result(at) }
      raise problem.with_enqueued(results.filter_map(&:first), results.filter_map(&:last)) if problem

      results.map(&:first)
    end

    # Undoes what was not made visible.
    # @api private
    def close
      @handle.close_by_step
    end

    private

    def coder
      @spool.spoolable.data
    end

    def step
      @handle.step { |batch| Call.status { |error| yield batch, error } }
    end

    def bytes_of(data)
      if coder.streams?
        StringIO.new("".b).tap { |io| coder.codec.write(data, io) }.string
      elsif coder.raw? && data.respond_to?(:read)
        read(data)
      else
        coder.encode(data, "enqueue many")
      end
    end

    # By length, which gives the bytes as they are, also of what was opened as text.
    def read(stream)
      bytes = "".b
      while (chunk = stream.read(DataFile::CHUNK))
        bytes << Bytes.given(chunk, "data").b
      end
      bytes
    end

    # @return [Array(Entry, Error)] one of the two is nil, unless the entry is visible and not durable
    def result(index)
      name, problem = @handle.use do |batch|
        [Bytes.text(Native.batch_name(batch, index)), failure(batch, index)]
      end
      visible = problem.nil? || problem.is_a?(NotDurableError)
      [visible ? @spool.entry(@queue, name) : nil, problem]
    end

    def failure(batch, index)
      Call.status { |error| Native.batch_status(batch, index, error) }
      nil
    rescue Error => e
      e
    end
  end
end
