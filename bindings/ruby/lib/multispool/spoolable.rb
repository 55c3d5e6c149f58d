# frozen_string_literal: true

require_relative "coder"
require_relative "throttle"

module Multispool
  # What a spool holds: its queues, how metadata and data become bytes, who names entries, and what each step on the
  # disk goes through. Keep one in a constant, and open spools with it.
  #
  # @example
  #   JOBS = Multispool::Spoolable.new(:todo, :done, metadata: :json)
  #
  #   JOBS.create("/var/spool/jobs") do |spool|
  #     spool.enqueue(:todo, "the picture", metadata: { "width" => 640 })
  #   end
  class Spoolable
    # The options of {Multispool.create}.
    CREATING = %i[durability owners mode lease max_concurrent file_mode dir_mode group allow_world_writable].freeze
    # The options of {Multispool.load}.
    LOADING = (CREATING - %i[owners lease] + [:read_only]).freeze
    private_constant :CREATING, :LOADING

    # @return [Array<String, Symbol>]
    attr_reader :queues

    # @param queues [Array<String, Symbol>]
    # @param metadata [Symbol, #dump] a codec, or the short name of one of {Codec}
    # @param data [Symbol, #dump] (see metadata)
    # @param names [#call, nil] is given the number of the attempt, from 0, and gives a name for a new entry; asked
    #   again while its names are taken. Nil: the library names entries, in the order of time
    # @param throttle [#call, nil] is given each step on the disk as a block, which it calls once, when its time has
    #   come; all but what is read from a File that was opened. No step waits for an entry. See the option
    #   max_concurrent of {Multispool.create} for a simpler one
    # @raise [InvalidArgumentError] no codec
    def initialize(*queues, metadata: :bytes, data: :bytes, names: nil, throttle: nil)
      @queues = queues.flatten.freeze
      @metadata = Coder.new(metadata, "metadata")
      @data = Coder.new(data, "data")
      @names = names
      @throttle = throttle ? Throttle.new(throttle) : Throttle::NONE
      freeze
    end

    # Opens a spool, and makes what is missing of it.
    # @param dir [String, Pathname] must be empty, a spool, or not there
    # @param options [Hash] those of {Multispool.create}
    # @yield [spool] closed at the block's end
    # @yieldparam spool [Spool]
    # @return [Spool, Object] with a block, the block's value
    # @raise [NotEmptyError, InvalidNameError, PermissionError, IOError]
    def create(dir, **options, &)
      lend(:spool_create, dir, CREATING, options, &)
    end

    # Opens a spool that is there. Nothing is made or changed.
    # @param dir [String, Pathname]
    # @param options [Hash] those of {Multispool.load}
    # @yield (see #create)
    # @return (see #create)
    # @raise [MissingError, NotASpoolError, UnsupportedError, PermissionError, IOError]
    def load(dir, **options, &)
      lend(:spool_load, dir, LOADING, options, &)
    end

    # Opens a spool and checks nothing: what is wrong with it shows at first use.
    # @param dir [String, Pathname]
    # @param options [Hash] those of {Multispool.load}
    # @yield (see #create)
    # @return (see #create)
    # @raise [InvalidNameError, IOError]
    def load_unsafe(dir, **options, &)
      lend(:spool_load_unsafe, dir, LOADING, options, &)
    end

    # @return [String]
    def inspect
      "#<#{self.class} queues: #{queues.join(', ')} metadata: #{@metadata.codec.inspect} data: #{@data.codec.inspect}>"
    end

    # @return [Coder]
    # @api private
    attr_reader :metadata
    # @return [Coder]
    # @api private
    attr_reader :data
    # @return [#call, nil]
    # @api private
    attr_reader :names
    # @return [Throttle]
    # @api private
    attr_reader :throttle

    private

    def lend(function, dir, known, options)
      unknown = options.keys - known
      raise ArgumentError, "unknown keyword: #{unknown.first.inspect}" unless unknown.empty?

      spool = Spool.open(function, dir, self, options)
      return spool unless block_given?

      begin
        yield spool
      ensure
        spool.close
      end
    end
  end
end
