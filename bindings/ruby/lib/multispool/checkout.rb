# frozen_string_literal: true

require_relative "data_file"
require_relative "handle"
require_relative "options"

module Multispool
  # An entry that is ours alone. It ends with {#save}, {#remove} or {#release}, or with the process: a dead owner's
  # entry goes back to its queue by {Spool#recover}. Left to the garbage collector unfinished, it waits for that too.
  # Where several hosts share the spool, it is ours for as long as its lease is renewed ({#keep}).
  # For one thread at a time; a forked child cannot use it.
  class Checkout
    # @return [String] the entry's name
    attr_reader :name
    # @return [String] the queue it was checked out of
    attr_reader :queue
    # @return [Spool]
    attr_reader :spool

    # Takes a checkout and lends it to the block, or returns it. Whatever comes from outside meanwhile
    # (Timeout, Thread#raise), the entry is delivered or given back.
    # One whose metadata cannot be decoded goes back.
    # @param block [Proc, nil] what it is lent to
    # @yieldreturn [Checkout, nil] what was taken, with exceptions from outside held off
    # @api private
    def self.obtain(spool, block)
      checkout = nil
      delivered = false
      spool.spoolable.throttle.run { Call.masked { checkout = yield } }
      checkout&.decode
      return checkout&.lend(&block) if block

      delivered = true
      checkout
    ensure
      checkout&.close unless delivered
    end

    # @param queue [String] that it was taken from
    # @param unsafe [Boolean] found in a listing: closing must not touch what somebody else may own
    # @api private
    def initialize(spool, pointer, queue, unsafe: false)
      @spool = spool
      @name = Bytes.text(Native.checkout_name(pointer))
      @queue = queue
      @unsafe = unsafe
      @handle = Handle.new(pointer, "checkout", spool.spoolable.throttle)
    end

    # Looks whether the metadata can be decoded.
    # @raise [DecodeError]
    # @api private
    def decode
      metadata unless coder.raw?
    end

    # @return [String, Object] binary; with a codec for metadata, the value, anew at each call: to change it, {#update}.
    #   After an update the new one
    # @raise [DecodeError]
    def metadata
      bytes = @handle.use { |pointer| Bytes.borrowed { |length| Native.checkout_metadata(pointer, length) } }
      coder.decode(bytes, "#{queue}/#{name}")
    end

    # Changes the metadata that {#save} will write. A release drops the change.
    # @yield [metadata] the present metadata
    # @yieldreturn [String, Object] the new
    # @return [self]
    # @raise [FinishedError, EncodeError]
    def update
      self.metadata = yield(metadata)
      self
    end

    # Changes the metadata that {#save} will write. A release drops the change.
    # @param metadata [String, Object] bytes; with a codec for metadata, the value
    # @raise [FinishedError, EncodeError]
    def metadata=(metadata)
      given = coder.encode(metadata, "update")
      @handle.use do |pointer|
        Call.status { |error| Native.checkout_update(pointer, given, given.bytesize, error) }
      end
    end

    # @return [DataFile] the entry's data, for streams and stat
    # @raise [FinishedError]
    def data_file
      @data_file ||= DataFile.new(
        @handle.step do |pointer|
          Call.handle(DataFilePointer) { |out, error| Native.checkout_data_file(pointer, out, error) }.handle
        end,
        self
      )
    end

    # @return [String, Object] all the data, binary; with a codec for data, the value
    # @raise [CorruptError, DecodeError, IOError]
    def data
      coder = spool.spoolable.data
      return data_file.load if coder.streams?

      bytes = @handle.step do |pointer|
        Call.buffer { |out, error| Native.checkout_load_data(pointer, out, error) }
      end
      data_file.gone("read data") unless bytes.is_a?(String)
      coder.raw? ? bytes : coder.decode(bytes, "#{queue}/#{name}")
    end

    # Puts new data in the place of the old at once, whole, in the entry that stays checked out.
    # @param data [String, Pathname, #read, Object] (see DataFile#save)
    # @raise [EncodeError, NoSpaceError, LostOwnershipError, NotDurableError, IOError]
    def data=(data)
      data_file.save(data)
    end

    # Opens the data for reading.
    # @yield [file] closed when the block ends
    # @return [File, Object] in binary mode and the caller's to close; with a block, the block's value
    def data_io(&)
      data_file.open(&)
    end

    # Writes new data bit by bit.
    # @yield [writer] committed at the block's normal end, thrown away if the block raises, breaks or throws
    # @yieldparam writer [DataWriter]
    # @return [DataWriter, Object] with a block, the block's value
    def write_data(&)
      data_file.writer(&)
    end

    # @return [String] where the data is, for other programs to read
    def data_path
      data_file.path
    end

    # Makes the ownership last for another lease, where several hosts share the spool: call it well within one, such as
    # every quarter, unless {#keep} does it. Elsewhere, sees that the entry is still here.
    # @return [nil]
    # @raise [LostOwnershipError] another has the entry by now, or it was given back: what was done with it does not
    #   count
    # @raise [FinishedError, ForkedError, PermissionError, IOError]
    def renew
      @handle.step { |pointer| Call.status { |error| Native.checkout_renew(pointer, error) } }
      nil
    end

    # Has the lease renewed in the background, each quarter of its time, until the checkout ends. Where no lease is
    # needed it does nothing. Whether the lease was lost all the same, because this host was cut off, the next call
    # tells.
    #
    # What is lent to a block, by an {Entry}, a {Spool}, a {Reader} or a {Worker}, is kept already.
    # @return [nil]
    # @raise [FinishedError, ForkedError, IOError]
    def keep
      @handle.use { |pointer| Call.status { |error| Native.checkout_keep(pointer, error) } }
      nil
    end

    # Puts the entry, with its new metadata if that was changed, into a queue, atomically. The checkout is finished.
    # @param queue [String, Symbol] any queue of the spool
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @return [nil]
    # @raise [FinishedError, UnknownQueueError, LostOwnershipError, NoSpaceError, IOError]
    # @raise [NotDurableError] done, but not known to survive a loss of power
    def save(queue, durability: nil)
      target = Bytes.c_string(Bytes.name(queue, "save"))
      Options.open(:save, durability:) do |options|
        finish("save") { |pointer, error| Native.checkout_save(pointer, target, options, error) }
      end
    end

    # Deletes the entry: metadata, data and name. The checkout is finished.
    # @param durability [:full, :original, :none, nil] nil: the spool's
    # @return [nil]
    # @raise (see #save)
    def remove(durability: nil)
      Options.open(:remove, durability:) do |options|
        finish("remove") { |pointer, error| Native.checkout_remove(pointer, options, error) }
      end
    end

    # Puts the entry back into its queue, with the metadata it had. The checkout is finished.
    # @return [nil]
    # @raise [FinishedError, LostOwnershipError, IOError]
    def release
      finish("release") { |pointer, error| Native.checkout_release(pointer, error) }
    end

    # Releases the entry if it is unfinished, and frees the handle. Closing again does nothing.
    # @return [nil]
    # @raise [LostOwnershipError, IOError]
    def close
      @data_file&.close
    ensure
      @handle.close_by_step do |pointer|
        next if @unsafe || Native.checkout_finished(pointer) != 0

        Call.status { |error| Native.checkout_release(pointer, error) }
      end
    end

    # @return [Boolean]
    def closed?
      @handle.closed?
    end

    # @return [Boolean] whether it was saved, removed, released or closed
    def finished?
      @handle.use { |pointer| Native.checkout_finished(pointer) != 0 }
    rescue ClosedError
      true
    end

    # @return [String] without the payload
    def inspect
      "#<#{self.class} #{queue}/#{name}#{' closed' if closed?}>"
    end

    # Lends the checkout to the block, however long that takes, and releases what the block left unfinished.
    # @api private
    def lend
      keep
      yield self
    rescue Exception # rubocop:disable Lint/RescueException
      close_after_failure
      raise
    ensure
      close
    end

    private

    def coder
      spool.spoolable.metadata
    end

    def finish(operation)
      status = @handle.step { |pointer| Call.status { |error| yield pointer, error } }
      return if status == Status::OK

      raise Error.build(status, "#{operation}: the entry #{queue}/#{name} is not there: somebody else took it",
                        operation:)
    rescue NotDurableError => e
      raise e.concerning(name)
    end

    # The block's failure is what its caller must hear of; `recover` returns what a failed release left.
    def close_after_failure
      close
    rescue Error
      nil
    end
  end
end
