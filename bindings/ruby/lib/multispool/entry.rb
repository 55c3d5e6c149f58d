# frozen_string_literal: true

require_relative "checkout"

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

    # @api private
    def initialize(spool, pointer)
      @spool = spool
      @pointer = pointer
      @name = Bytes.text(Native.entry_name(pointer))
      @queue = Bytes.text(Native.entry_queue(pointer))
    end

    # When the entry last moved, by its registry file, whose size is 0 as a rule.
    # @return [Stat]
    # @raise [NotFoundError] no such name in the spool
    def stat
      Stat.read { |*outputs| Native.entry_stat(@pointer, *outputs) } || gone("stat")
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

    protected

    def place
      [spool.dir, queue, name]
    end

    private

    def take(function, durability, block)
      Options.open(:checkout, durability:) do |options|
        taking = lambda do
          answer = Call.handle(CheckoutPointer) do |out, error|
            Native.public_send(function, @pointer, options, out, error)
          end
          answer.handle && Checkout.new(spool, answer.handle)
        end
        Checkout.obtain(taking, &block)
      end
    end
  end

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

    # @return [String] the metadata, binary
    # @raise [NotFoundError, IOError]
    def contents
      bytes = Call.buffer { |out, error| Native.entry_direct_contents(@pointer, out, error) }
      bytes.is_a?(String) ? bytes : entry.gone("read metadata")
    end

    # @return [DataFile]
    def data_file
      DataFile.new(
        Call.handle(DataFilePointer) { |out, error| Native.entry_direct_data_file(@pointer, out, error) }.handle
      )
    end

    # Writes the metadata over whatever is there, atomically.
    # @param metadata [String]
    # @return [nil]
    # @raise [PermissionError, NoSpaceError, IOError]
    def save(metadata)
      bytes = Bytes.given(metadata, "metadata")
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

    def done(operation, &)
      entry.gone(operation) unless Call.status(&) == Status::OK
    rescue NotDurableError => e
      raise e.concerning(entry.name)
    end
  end
end
