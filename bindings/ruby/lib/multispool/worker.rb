# frozen_string_literal: true

require_relative "recovery"
require_relative "spool"

module Multispool
  # Takes entries from a queue and has a block work on them, in several threads. Told to end, by a signal or by {#stop},
  # it takes no more, and lets the block finish what it has in hand. It gives back the entries of dead owners meanwhile.
  #
  # What the block does not save or remove is given back, and so is what it leaves by an exception; the worker goes on
  # with the next. The block may see an entry again, after a crash for example, and must come to the same result then.
  # However long it takes, the lease of what it has in hand is renewed ({Checkout#keep}).
  #
  # @example
  #   worker = Multispool::Worker.new(spool, :todo, threads: 4) do |checkout|
  #     checkout.update { |metadata| "#{metadata}\nseen" }
  #     checkout.save(:done)
  #   end
  #   worker.run # until SIGTERM
  class Worker
    # The signals that end a worker, unless it is told others.
    SIGNALS = %w[TERM INT].freeze

    # @return [Spool]
    attr_reader :spool
    # @return [String, Symbol]
    attr_reader :queue
    # @return [Integer]
    attr_reader :threads

    # @param spool [Spool]
    # @param queue [String, Symbol]
    # @param threads [Integer] how many entries are worked on at once
    # @param drain [Numeric, nil] for how many seconds what is in hand may be worked on when the worker is to end; then
    #   the threads are killed, and their entries go back. Nil: for ever
    # @param recover_every [Numeric] how often the entries of dead owners are given back, in seconds, besides at the
    #   start and when the queue runs empty
    # @param on_error [#call, nil] is told of each failure of the block, with the checkout, which it may still save or
    #   remove; and, with nil, of a damaged entry, of one that another has by now, and of a recover that failed. Nil:
    #   they go to standard error
    # @param reader [Hash] options of {Spool#reader}
    # @yield [checkout] in one of the threads
    # @yieldparam checkout [Checkout] released at the block's end unless finished
    # @raise [ArgumentError] no block, or no threads
    def initialize(spool, queue, threads: 4, drain: 20, recover_every: 15, on_error: nil, **reader, &handler)
      raise ArgumentError, "a worker needs a block" unless handler
      raise ArgumentError, "a worker needs a thread at least, not #{threads}" unless threads.positive?

      @spool = spool
      @queue = queue
      @threads = threads
      @drain = drain
      @recover_every = recover_every
      @on_error = on_error || method(:complain)
      @reader_options = reader
      @handler = handler
      @stop = Stop.new
      @counting = Mutex.new
    end

    # Works until it is told to end, and what is in hand is finished. It may be called in a forked child, once.
    # @param signals [Array<String>] that tell it to end; their handlers are put back at the end. None: `[]`
    # @param timeout [Numeric, nil] ends too when no entry came for that long, in seconds; nil: waits for ever
    # @return [self]
    # @raise [UnknownQueueError, MissingError, ForkedError, PermissionError, IOError] the queue cannot be read
    #   or a lease not be kept
    # @raise [Exception] what is no failure of the block alone, such as SystemExit
    def run(signals: SIGNALS, timeout: nil)
      handlers = {}
      signals.each { |signal| handlers[signal] = trap(signal) { stop } }
      @recovery = Recovery.new(spool, @recover_every) { |error| tell(error, nil) }
      @recovery.look
      spool.reader(queue, **@reader_options) { |reader| employ(reader, timeout) }
      raise @failure if @failure

      self
    ensure
      handlers.each { |signal, handler| trap(signal, handler || "DEFAULT") }
    end

    # Tells it to end: no more entries are taken. From any thread, and from a `trap` block.
    # @return [self]
    def stop
      @stop.trigger
      self
    end

    # @return [Boolean] whether it was told to end
    def stopped?
      @stop.triggered?
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{queue} threads: #{threads}#{' stopped' if stopped?}>"
    end

    private

    # Has the threads work, and returns when all have ended.
    def employ(reader, timeout)
      @working = @threads
      threads = Array.new(@threads) { Thread.new { labour(reader, timeout) } }
      @stop.wait
      drain(threads)
    ensure
      # Whatever strikes from outside, no thread works on when this has returned.
      @draining = true
      threads&.each(&:kill)&.each(&:join)
    end

    # Lets the threads finish what they have in hand, as long as they may.
    def drain(threads)
      deadline = @drain && (Arrivals.now + @drain)
      late = threads.reject { |thread| thread.join(deadline && [deadline - Arrivals.now, 0].max) }
      late.each do |thread|
        name = thread.thread_variable_get(:multispool_entry) or next
        tell(DrainError.new("work: #{@drain} s after the worker was told to end its block is not done with " \
                            "#{queue}/#{name}: it is ended, and the entry goes back", operation: "work"), nil)
      end
    end

    # One thread's life. The last to leave ends the worker, and so does the first that fails.
    def labour(reader, timeout)
      done = false
      work(reader, timeout)
      done = true
    rescue Exception => e # rubocop:disable Lint/RescueException
      done = true
      quit(e)
    ensure
      quit(ThreadError.new("work: the block ended its own thread")) unless done || @draining
      Call.masked { @counting.synchronize { @stop.trigger if (@working -= 1).zero? } }
    end

    def quit(failure)
      @failure ||= failure
      @stop.trigger
    end

    def work(reader, timeout)
      idle_since = Arrivals.now
      until stopped?
        longest = timeout && [idle_since + timeout - Arrivals.now, 0].max
        if take(reader, longest)
          idle_since = Arrivals.now
        elsif longest&.zero?
          return
        end
      end
    end

    # @return [Boolean, nil] whether there was an entry
    def take(reader, longest)
      @recovery.look
      taken = reader.dequeue(stop: @stop, timeout: [@recovery.pause, longest].compact.min) { |entry| handle(entry) }
      @recovery.look(empty: true) unless taken || stopped?
      taken
    rescue CorruptError, LostOwnershipError => e
      tell(e, nil)
      true
    end

    def handle(checkout)
      Thread.current.thread_variable_set(:multispool_entry, checkout.name)
      @recovery.worked
      @handler.call(checkout)
      true
    rescue StandardError, ScriptError => e
      tell(e, checkout)
      true
    ensure
      Thread.current.thread_variable_set(:multispool_entry, nil)
    end

    def tell(error, checkout)
      @on_error.call(error, checkout)
    rescue StandardError => e
      complain(error, checkout)
      complain(e, nil)
    end

    def complain(error, checkout)
      entry = checkout && "#{checkout.queue}/#{checkout.name}: "
      warn("multispool: #{entry}#{error.message} (#{error.class})")
    end
  end
end
