# frozen_string_literal: true

require_relative "entry"

module Multispool
  # What is in a queue, or checked out of it, in the order of the names' bytes. Each pass reads the directory anew, with
  # a cursor: what comes and goes meanwhile may be seen or not, and the queue is never in memory as a whole.
  class Listing
    include Enumerable

    # @return [String]
    attr_reader :queue

    # @param kind [:entries, :checkouts]
    # @api private
    def initialize(spool, handle, queue, kind)
      @spool = spool
      @handle = handle
      @queue = queue
      @kind = kind
    end

    # @yieldparam item [Entry, Checkout]
    # @return [self, Enumerator]
    # @raise [UnknownQueueError, PermissionError, IOError]
    def each(&block)
      return enum_for(:each) unless block

      cursor = open
      begin
        walk(cursor, &block)
      ensure
        cursor.free
      end
      self
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{@kind} of #{queue}>"
    end

    private

    def open
      queue = Bytes.c_string(@queue)
      @handle.step do |spool|
        Call.handle(entries? ? EntriesPointer : CheckoutsPointer) do |out, error|
          Native.public_send(entries? ? :list : :list_checkouts_unsafe, spool, queue, out, error)
        end.handle
      end
    end

    def walk(cursor)
      while (item = entries? ? next_entry(cursor) : next_checkout(cursor))
        yield item
      end
    end

    def next_entry(cursor)
      pointer = step { Call.handle(EntryPointer) { |out, error| Native.entries_next(cursor, out, error) }.handle }
      pointer && Entry.new(@spool, pointer)
    end

    def next_checkout(cursor)
      pointer = step do
        Call.handle(ListedCheckoutPointer) { |out, error| Native.checkouts_next(cursor, out, error) }.handle
      end
      pointer && Checkout.new(@spool, pointer, Bytes.text(Native.checkout_queue(pointer)), unsafe: true)
    end

    # The cursor needs no open spool.
    def step(&)
      @spool.spoolable.throttle.run(&)
    end

    def entries?
      @kind == :entries
    end
  end
end
