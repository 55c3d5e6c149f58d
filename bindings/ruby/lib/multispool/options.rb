# frozen_string_literal: true

require_relative "call"

module Multispool
  # Keyword arguments as the library's option objects. What was not given is left to the library's defaults.
  # @api private
  module Options
    # The words for the library's numbers.
    DURABILITY = { none: 0, original: 1, full: 2 }.freeze
    # (see DURABILITY)
    OWNERS = { locking: 0, mixed: 1 }.freeze
    # (see DURABILITY)
    MODE = { local: 0, network: 1 }.freeze

    # How an option's value becomes the arguments of its setter; others go as they are.
    ENCODERS = {
      durability: ->(value) { choice(:durability, DURABILITY, value) },
      owners: ->(value) { choice(:owners, OWNERS, value) },
      mode: ->(value) { choice(:mode, MODE, value) },
      lease: ->(value) { milliseconds(value) },
      read_only: ->(value) { value ? 1 : 0 },
      allow_world_writable: ->(value) { value ? 1 : 0 },
      strict_order: ->(value) { value ? 1 : 0 },
      bytes: ->(value) { value ? 1 : 0 },
      name: ->(value) { Bytes.name(value, "enqueue") },
      min_age_ms: ->(value) { milliseconds(value) },
      check_every_ms: ->(value) { milliseconds(value) },
      to: ->(value) { Bytes.path(value, "repair") },
      poll_interval_ms: ->(value) { milliseconds(value) },
      retry_after_ms: ->(value) { span(:retry_after, value) }
    }.freeze

    # @param kind [Symbol] whose options: `:spool`, `:enqueue`…
    # @yield [pointer] nil where nothing was given
    def self.open(kind, **values)
      values.compact!
      return yield nil if values.empty?

      pointer = build(kind, values)
      begin
        yield pointer
      ensure
        pointer.free
      end
    end

    # @param values [Hash] none of them nil
    # @return [FFI::AutoPointer]
    def self.build(kind, values)
      pointer = Call.handle(OPTIONS_POINTERS.fetch(kind)) do |out, error|
        Native.public_send(:"#{kind}_options_new", out, error)
      end.handle
      values.each do |name, value|
        encoded = Array(ENCODERS.fetch(name, :itself.to_proc).call(value))
        Call.status { |error| Native.public_send(:"#{kind}_options_set_#{name}", pointer, *encoded, error) }
      end
      pointer
    end

    def self.choice(option, words, value)
      words.fetch(value) do
        raise InvalidArgumentError, "The option #{option} cannot be #{value.inspect}: it is one of " \
                                    "#{words.keys.map(&:inspect).join(', ')}"
      end
    end
    private_class_method :choice

    def self.span(option, range)
      ends = range.is_a?(Range) ? [range.begin, range.end] : [nil]
      return ends.map { |seconds| milliseconds(seconds) } if ends.all?(Numeric)

      raise InvalidArgumentError, "The option #{option} cannot be #{range.inspect}: it is a Range of seconds, " \
                                  "such as 1..60"
    end
    private_class_method :span

    # Seconds as whole milliseconds, rounded up.
    def self.milliseconds(seconds)
      (Float(seconds) * 1000).ceil
    end
  end

  private_constant :Options
end
