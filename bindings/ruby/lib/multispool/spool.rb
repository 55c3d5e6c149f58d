# frozen_string_literal: true

require_relative "batch"
require_relative "enqueue"
require_relative "listing"
require_relative "monitor"
require_relative "reader"
require_relative "repair"
require_relative "spoolable"
require_relative "stats"

module Multispool
  # A spool: queues of entries that are files in a directory. Any number of threads may use it, and forked children.
  # Make one with {Multispool.create} or {Multispool.load}; or with a {Spoolable}, for metadata and data that are other
  # values than bytes.
  class Spool
    # How often a name generator is asked before {NamesExhaustedError}.
    ATTEMPTS = 1000

    # @return [String] the spool's directory
    attr_reader :dir
    # @return [Array<String>] the queues it was opened with
    attr_reader :queues
    # @return [:full, :original, :none] what holds where a call does not say otherwise
    attr_reader :durability

    # @return [Spoolable] its codecs, and who names its entries
    attr_reader :spoolable

    # @param function [Symbol] `:spool_create`, `:spool_load` or `:spool_load_unsafe`
    # @api private
    def self.open(function, dir, spoolable, options)
      operation = function.name.delete_prefix("spool_")
      path = Bytes.c_string(Bytes.path(dir, operation))
      names = spoolable.queues.map { |queue| Bytes.c_string(Bytes.name(queue, operation)) }
      array = FFI::MemoryPointer.new(:pointer, [names.size, 1].max).write_array_of_pointer(names)
      Options.open(:spool, **options) do |given|
        answer = spoolable.throttle.run do
          Call.handle(SpoolPointer) do |out, error|
            Native.public_send(function, path, array, names.size, given, out, error)
          end
        end
        new(answer.handle, spoolable)
      end
    end

    # @api private
    def initialize(pointer, spoolable)
      @spoolable = spoolable
      @handle = SharedHandle.new(pointer, "spool", spoolable.throttle)
      @dir = Bytes.text(Native.spool_dir(pointer))
      @queues = Array.new(Native.spool_queue_count(pointer)) { |at| Bytes.text(Native.spool_queue(pointer, at)) }.freeze
      @named = @queues.to_h { |queue| [queue, Enqueue::Queue.of(queue.b)] }.freeze
      @durability = Options::DURABILITY.key(Native.spool_durability(pointer))
      @read_only = Native.spool_read_only(pointer) != 0
    end

    # @return [Enqueue::Queue, nil] nil where no queue has that very name
    # @api private
    def named_queue(name) = @named[name.is_a?(Symbol) ? name.name : name]

    # @return [Boolean]
    def read_only?
      @read_only
    end

    # Where the spool is used from.
    # @return [:local, :network, nil] nil: after {Multispool.load_unsafe}, if the spool cannot be read
    # @raise [ClosedError]
    def mode
      Options::MODE.key(@handle.step { |pointer| Native.spool_mode(pointer) })
    end

    # For how long whoever takes an entry owns it unless it renews ({Checkout#renew}, {Checkout#keep}).
    # @return [Float, nil] in seconds; nil where one host uses the spool, and where {#mode} is nil
    # @raise [ClosedError]
    def lease
      milliseconds = @handle.step { |pointer| Native.spool_lease(pointer) }
      milliseconds / 1000.0 unless milliseconds.zero?
    end

    # Puts an entry into a queue. When this returns, the promise of the durability holds.
    #
    # A block, or the {Spoolable}'s names, give the entry its name: they are asked again while the names they give are
    # taken. Should the enqueue fail after that, the name stays reserved until a {#repair}.
    # @param queue [String, Symbol] one of {#queues}
    # @param data [String, Pathname, #read] bytes, a file to be copied, or a stream to be read to its end; with a codec
    #   for data, the value
    # @param metadata [String] any bytes, none if not given; with a codec for metadata, the value. Smallish, since it is
    #   read more often than the data
    # @param name [String, nil] a name from {#reserve}; nil: one is made
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @yield [attempt] a generator of names
    # @yieldparam attempt [Integer] from 0
    # @yieldreturn [String] a name
    # @return [Entry]
    # @raise [UnknownQueueError, InvalidNameError, NoSpaceError, PermissionError, IOError] nothing was left behind
    # @raise [EncodeError] the codec cannot turn metadata or data into bytes
    # @raise [NotFoundError] the name was never reserved
    # @raise [NameTakenError] the name is in use
    # @raise [NamesExhaustedError] {ATTEMPTS} names of the generator were in use
    # @raise [NotDurableError] the entry is in the queue, but not known to survive a loss of power
    def enqueue(queue, data, metadata: Enqueue::NOTHING, name: nil, durability: nil, &names)
      Enqueue.new(self, @handle, queue, metadata, durability:, name:, names:).run(data)
    end

    # Puts many entries into a queue, for about the price of one sync. It is no transaction: each is all or nothing for
    # itself. When this returns, all are in the queue, and the promise of the durability holds.
    # @example
    #   spool.enqueue_many(:incoming) do |batch|
    #     files.each { |file| batch.add(Pathname(file), metadata: file) }
    #   end
    # @param queue [String, Symbol] one of {#queues}
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @yield [batch] if an exception leaves the block, what is not visible yet is undone
    # @yieldparam batch [Batch]
    # @return [Array<Entry>] in the order in which they were added
    # @raise [UnknownQueueError, PermissionError]
    # @raise [UnsupportedError] the spool has a generator of names: the library names the entries of a batch
    # @raise [Error] the first failure; {Error#failures} has all, {Error#enqueued} what is in the queue all the same
    def enqueue_many(queue, durability: nil, &block)
      raise ArgumentError, "enqueue_many needs a block" unless block

      Batch.lend(self, @handle, Bytes.name(queue, "enqueue many"), durability, &block)
    end

    # Reserves a name in the whole spool, for {#enqueue}.
    # @param name [String, nil] nil: the {Spoolable}'s names are asked, or the library makes one
    # @yield [attempt] for a generator of your own: asked again while the names it gives are taken
    # @yieldparam attempt [Integer] from 0
    # @yieldreturn [String] a name
    # @return [String] the name
    # @raise [NameTakenError] the name given is in use
    # @raise [NamesExhaustedError] {ATTEMPTS} names of the generator were in use
    # @raise [InvalidNameError, PermissionError, IOError]
    def reserve(name = nil, &names)
      names ||= spoolable.names unless name
      return reserve_any(&names) if names

      reserve_one(name) || raise(
        NameTakenError.new("reserve: the name #{name} is in use in #{dir}: choose another", operation: "reserve")
      )
    end

    # The entries of a queue, by name.
    # @param queue [String, Symbol]
    # @return [Listing] Enumerable over {Entry}; reads the disk, and finds an unknown queue, when it is walked
    def list(queue)
      Listing.new(self, @handle, Bytes.name(queue, "list"), :entries)
    end

    # The entries that are checked out of a queue, whoever owns them. This breaks the rule that each has one owner: use
    # it where you know who works on the spool. Its checkouts are not released when they are closed.
    # @param queue [String, Symbol]
    # @return [Listing] Enumerable over {Checkout}
    def checkouts_unsafe(queue)
      Listing.new(self, @handle, Bytes.name(queue, "list checkouts"), :checkouts)
    end

    # An entry by its name. The disk is not touched.
    # @param queue [String, Symbol]
    # @param name [String]
    # @return [Entry]
    # @raise [UnknownQueueError, InvalidNameError]
    def entry(queue, name)
      in_queue = Bytes.name(queue, "entry")
      named = Bytes.name(name, "entry")
      answer = @handle.use do |spool|
        Call.handle(EntryPointer) { |out, error| Native.entry_create(spool, in_queue, named, out, error) }
      end
      Entry.new(self, answer.handle)
    end

    # (see Entry#checkout)
    # @param queue [String, Symbol]
    # @param name [String]
    def checkout(queue, name, durability: nil, &block)
      entry(queue, name).checkout(durability:, &block)
    end

    # (see Entry#try_checkout)
    # @param queue [String, Symbol]
    # @param name [String]
    def try_checkout(queue, name, durability: nil, &block)
      entry(queue, name).try_checkout(durability:, &block)
    end

    # (see Entry#with_entry)
    # @param queue [String, Symbol]
    # @param name [String]
    def with_entry(queue, name, durability: nil, &block)
      entry(queue, name).with_entry(durability:, &block)
    end

    # (see Entry#try_with_entry)
    # @param queue [String, Symbol]
    # @param name [String]
    def try_with_entry(queue, name, durability: nil, &block)
      entry(queue, name).try_with_entry(durability:, &block)
    end

    # A reader of a queue.
    # @param queue [String, Symbol]
    # @param retry_after [Range, nil] seconds before an entry that was given back is taken again: the first time and,
    #   doubling, at most; nil: 1..60
    # @param poll_interval [Numeric, nil] in seconds, where the file system tells of no changes; nil: by itself
    # @param durability [:full, :original, :none, nil] of what ends its checkouts; nil: the spool's
    # @param strict_order [Boolean, nil] true: names are tried in their order even where other readers are quicker with
    #   them; nil: a reader that finds an entry gone or busy leaps to another place of the queue and comes back later.
    #   One that is alone keeps the order in either case
    # @yield [reader] closed at the block's end
    # @yieldparam reader [Reader]
    # @return [Reader, Object] with a block, the block's value
    # @raise [UnknownQueueError, MissingError, IOError]
    def reader(queue, retry_after: nil, poll_interval: nil, durability: nil, strict_order: nil)
      name = Bytes.name(queue, "reader")
      given = { retry_after_ms: retry_after, poll_interval_ms: poll_interval, durability:, strict_order: }
      reader = Reader.open(self, @handle, name, given)
      return reader unless block_given?

      begin
        yield reader
      ensure
        reader.close
      end
    end

    # Puts back the entries whose owners are dead. Safe beside live workers, at any time.
    # @param min_age [Numeric, nil] only those last touched longer ago, in seconds; nil: what is safe for this spool
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @return [Array<Entry>] what went back
    # @raise [Error] a failure; {Error#recovered} has what went back all the same
    def recover(min_age: nil, durability: nil)
      answer = Options.open(:recover, min_age_ms: min_age, durability:) do |options|
        @handle.step do |spool|
          Call.ask(EntriesPointer) { |out, error| Native.recover(spool, options, out, error) }
        end
      end
      entries = answer.handle ? drain(answer.handle) : []
      return entries if answer.status == Status::OK

      # A name that is taken is the one failure without an error of its own.
      failure = answer.error || Error.build(answer.status, "recover: a queue of #{dir} has another entry of the name " \
                                                           "of one to be put back: look at both", operation: "recover")
      raise failure.with_recovered(entries)
    end

    # Looks once for what is wrong, in all the queues on disk. Changes nothing.
    # @param limits [Limits]
    # @return [Array<Problem>] in order
    # @raise [PermissionError, MissingError, IOError]
    def problems(limits: Limits.new)
      answer = @handle.step do |spool|
        Call.handle(ProblemsPointer) { |out, error| Native.spool_problems(spool, limits.pointer, out, error) }
      end
      Problem.take(answer.handle)
    end

    # Looks for what crashes left, and makes a plan to clear it, which changes nothing before {RepairPlan#apply}.
    # @param min_age [Numeric, nil] leaves alone what was touched less than this many seconds ago; nil: 600
    # @param to [String, Pathname, nil] a directory to move things to, on the spool's file system; nil: they are removed
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @return [RepairPlan]
    # @raise [PermissionError, MissingError, IOError]
    def repair(min_age: nil, to: nil, durability: nil)
      Options.open(:repair, min_age_ms: min_age, to:, durability:) do |options|
        answer = @handle.step do |spool|
          Call.handle(PlanPointer) { |out, error| Native.spool_repair_plan(spool, options, out, error) }
        end
        RepairPlan.new(answer.handle, spoolable.throttle)
      end
    end

    # Counts what the spool holds.
    # @param bytes [Boolean] also add up the sizes of metadata and data
    # @return [Stats]
    # @raise [PermissionError, IOError]
    def stats(bytes: false)
      answer = Options.open(:stats, bytes: bytes || nil) do |options|
        @handle.step do |spool|
          Call.handle(StatsPointer) { |out, error| Native.spool_stats(spool, options, out, error) }
        end
      end
      Stats.take(answer.handle)
    end

    # Frees the spool's descriptors, when the calls of other threads have ended. Its entries, readers and checkouts
    # live on. Closing again does nothing.
    # @return [nil]
    def close
      @handle.close
    end

    # @return [Boolean]
    def closed?
      @handle.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{dir.inspect} queues: #{queues.join(', ')}#{' closed' if closed?}>"
    end

    private

    def reserve_any
      ATTEMPTS.times do |attempt|
        reserved = reserve_one(yield(attempt))
        return reserved if reserved
      end
      raise NamesExhaustedError.new("reserve: all #{ATTEMPTS} names of the generator are in use in #{dir}: " \
                                    "let it give others", operation: "reserve")
    end

    # @return [String, nil] nil if the name is taken
    def reserve_one(name)
      given = name && Bytes.c_string(Bytes.name(name, "reserve"))
      bytes = @handle.step do |spool|
        Call.buffer { |out, error| Native.reserve(spool, given, out, error) }
      end
      bytes.is_a?(String) ? Bytes.text_of(bytes) : nil
    end

    # What a recover put back is in memory.
    def drain(cursor)
      entries = []
      while (pointer = Call.handle(EntryPointer) { |out, error| Native.entries_next(cursor, out, error) }.handle)
        entries << Entry.new(self, pointer)
      end
      entries
    ensure
      cursor.free
    end
  end
end
