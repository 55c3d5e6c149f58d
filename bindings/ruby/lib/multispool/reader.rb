# frozen_string_literal: true

require_relative "arrivals"
require_relative "checkout"

module Multispool
  # Takes entries from a queue, one at a time, and waits for more. Any number of readers, threads and processes may read
  # one queue: each entry goes to one of them. A reader is for one thread at a time and not for forked children.
  #
  # As an Enumerable it yields checkouts for ever; what a block leaves unfinished is released at its end, so checkouts
  # that leave the block (`first`, `to_a`) are finished.
  class Reader
    include Enumerable

    # @return [String]
    attr_reader :queue
    # @return [Spool]
    attr_reader :spool

    # @param handle [SharedHandle] the spool's
    # @param given [Hash] the options of {Spool#reader}
    # @api private
    def self.open(spool, handle, queue, given)
      array = FFI::MemoryPointer.new(:pointer)
      string = Bytes.c_string(queue)
      array.write_pointer(string)
      Options.open(:reader, **given) do |options|
        pointer = handle.step do |native|
          Call.handle(ReaderPointer) { |out, error| Native.reader_create(native, array, 1, options, out, error) }.handle
        end
        new(spool, pointer, queue)
      end
    end

    # @api private
    def initialize(spool, pointer, queue)
      @spool = spool
      @queue = Bytes.text_of(queue.dup)
      @handle = Handle.new(pointer, "reader")
    end

    # Yields each entry and waits for more, until stopped.
    # @param stop [Stop, nil] ends the wait; an entry in hand is finished first
    # @param timeout [Numeric, nil] the longest wait for one entry, in seconds; nil: for ever
    # @param on_error [#call, nil] is told of each damaged entry ({CorruptError}, also {DecodeError} where its metadata
    #   is not what the codec writes), which is then passed over;
    #   nil: it is raised, and the next call goes on behind it
    # @yield [checkout] released at the block's end unless finished, also after `next`, `break` and exceptions
    # @yieldparam checkout [Checkout]
    # @return [self, Enumerator] after a stop or a timeout
    # @raise [ForkedError, ClosedError, CorruptError, IOError]
    def each(stop: nil, timeout: nil, on_error: nil, &block)
      return enum_for(:each, stop:, timeout:, on_error:) unless block

      nil while await(stop, timeout, on_error, block).first == Status::OK
      self
    end

    # Yields each entry that is there, once, and does not wait.
    # @param on_error (see #each)
    # @yield (see #each)
    # @return [self, Enumerator]
    # @raise (see #each)
    def each_available(on_error: nil, &block)
      return enum_for(:each_available, on_error:) unless block

      nil until attempt(on_error, block).first == Status::EMPTY
      self
    end

    # Takes the next entry; waits for it if need be.
    #
    # An exception from outside (Timeout, Thread#raise) never loses an entry inside this method. Use the block form
    # where one may also strike between its return and your next line.
    # @param stop [Stop, nil] ends the wait
    # @param timeout [Numeric, nil] in seconds; nil: for ever
    # @yield [checkout] released at the block's end unless finished
    # @yieldparam checkout [Checkout]
    # @return [Checkout, Object, nil] nil when stopped or timed out; with a block, the block's value
    # @raise (see #each)
    def dequeue(stop: nil, timeout: nil, &block)
      await(stop, timeout, nil, block).last
    end

    # Takes the next entry that is there. Does not wait.
    # @yield (see #dequeue)
    # @return [Checkout, Object, nil] nil when there is none; with a block, the block's value
    # @raise (see #each)
    def dequeue_available(&block)
      loop do
        status, value = attempt(nil, block)
        return value unless status == Status::INTERRUPTED
      end
    end

    # Frees the reader, and ends the waits of other threads with a {ClosedError}. Closing again does nothing.
    # @return [nil]
    def close
      # With the handle's lock, so that no thread begins to wait, unheard of, while it is closed.
      @handle.close { @arrivals&.close }
    end

    # @return [Boolean]
    def closed?
      @handle.closed?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{queue}#{' closed' if closed?}>"
    end

    private

    # @return [Array(Integer, Object)] OK and the block's value or the checkout; another status and nil
    def await(stop, timeout, on_error, block)
      deadline = timeout && (Arrivals.now + timeout)
      waiting = arrivals
      until stop&.triggered?
        status, value = attempt(on_error, block)
        return [status, value] if status == Status::OK
        next unless status == Status::EMPTY
        return [Status::TIMED_OUT, nil] unless waiting.wait(stop, deadline)
      end
      [Status::STOPPED, nil]
    end

    # One try, without waiting.
    # @return (see #await)
    def attempt(on_error, block)
      answer = nil
      begun = false
      handling = block && lambda do |checkout|
        begun = true
        block.call(checkout)
      end
      value = Checkout.obtain(spool, handling) do
        answer = ask
        answer.handle && Checkout.new(spool, answer.handle, queue)
      end
      answer.error ? pass_over(answer.error, on_error) : [answer.status, value]
    rescue DecodeError => e
      # Metadata that cannot be decoded, in the block's hands or in the reader's.
      begun ? raise : pass_over(e, on_error)
    end

    # A damaged entry stops nobody who says so.
    def pass_over(problem, on_error)
      raise problem unless on_error && problem.is_a?(CorruptError)

      on_error.call(problem)
      [problem.status, nil]
    end

    # With exceptions from outside held off.
    def ask
      @handle.use do |pointer|
        Call.ask_masked(CheckoutPointer) { |out, error| Native.reader_dequeue(pointer, nil, 0, out, error) }
      end
    end

    # Asked for before the first try, so that no arrival falls between a try and the wait.
    def arrivals
      @arrivals || spool.spoolable.throttle.run do
        Call.masked { @handle.use { |pointer| @arrivals ||= Arrivals.new(descriptor(pointer)) } }
      end
    end

    def descriptor(pointer)
      number = FFI::MemoryPointer.new(:int)
      Call.status { |error| Native.reader_fd(pointer, number, error) }
      number.read_int
    end
  end
end
