# frozen_string_literal: true

require_relative "checkout"
require_relative "direct"

module Multispool
  # An entry's place: a spool, a queue and a name. Whether anything is there shows when it is used.
  # Any number of threads may use it.
  class Entry
    # @return [String] UTF-8 if it is valid UTF-8, else binary
    attr_reader :name
    # @return [String]
    attr_reader :queue
    # @return [Spool]
    attr_reader :spool

    # @param queue [String] that of the pointer's entry
    # @api private
    def initialize(spool, pointer, queue = Bytes.text(Native.entry_queue(pointer)))
      @spool = spool
      @pointer = pointer
      @name = Bytes.text(Native.entry_name(pointer))
      @queue = queue
    end

    # When the entry last moved, by its registry file, whose size is 0 as a rule.
    # @return [Stat]
    # @raise [NotFoundError] no such name in the spool
    def stat
      step { Stat.read { |*outputs| Native.entry_stat(@pointer, *outputs) } } || gone("stat")
    end

    # Reads and writes the entry's files with no ownership and no check.
    # @return [Direct]
    def direct
      Direct.new(self, @pointer)
    end

    # Checks the entry out. It is an error if somebody else has it.
    # @param durability [:full, :original, :none, nil] of what ends the checkout; nil: the spool's
    # @yield [checkout] released at the block's end unless finished, also after `next`, `break` and exceptions
    # @yieldparam checkout [Checkout]
    # @return [Checkout, Object] with a block, the block's value
    # @raise [MissingError] it is not in its queue
    # @raise [CorruptError, PermissionError, IOError]
    def checkout(durability: nil, &block)
      take(:entry_checkout, durability, block)
    end

    # Checks the entry out, unless somebody else has it.
    # @param (see #checkout)
    # @yield (see #checkout)
    # @return [Checkout, Object, nil] nil if it is not in its queue; with a block, the block's value
    # @raise [CorruptError, PermissionError, IOError]
    def try_checkout(durability: nil, &block)
      take(:entry_try_checkout, durability, block)
    end

    # Does something with the entry. It is an error if somebody else has it.
    # @param durability [:full, :original, :none, nil]
    # @yield [checkout] released at the block's end unless finished
    # @yieldparam checkout [Checkout]
    # @return [Object] the block's value
    # @raise (see #checkout)
    def with_entry(durability: nil, &block)
      take(:entry_checkout, durability, block || raise(ArgumentError, "with_entry needs a block"))
    end

    # Does something with the entry, unless somebody else has it.
    # @param (see #with_entry)
    # @yield (see #with_entry)
    # @return [Object, nil] the block's value; nil if the entry is not in its queue
    # @raise (see #try_checkout)
    def try_with_entry(durability: nil, &block)
      take(:entry_try_checkout, durability, block || raise(ArgumentError, "try_with_entry needs a block"))
    end

    # @return [Boolean] whether the other is the same name in the same queue and directory
    def ==(other)
      other.is_a?(Entry) && place == other.place
    end
    alias eql? ==

    # @return [Integer]
    def hash
      place.hash
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{queue}/#{name}>"
    end

    # @api private
    def gone(operation)
      raise NotFoundError.new("#{operation}: there is no entry #{name} in queue #{queue} of #{spool.dir}: it was " \
                              "taken, moved or removed", operation:)
    end

    # Makes a call that touches the disk, when its time has come.
    # @api private
    def step(&)
      spool.spoolable.throttle.run(&)
    end

    protected

    def place
      [spool.dir, queue, name]
    end

    private

    def take(function, durability, block)
      Options.open(:checkout, durability:) do |options|
        Checkout.obtain(spool, block) do
          answer = Call.handle(CheckoutPointer) do |out, error|
            Native.public_send(function, @pointer, options, out, error)
          end
          answer.handle && Checkout.new(spool, answer.handle, queue)
        end
      end
    end
  end
end
