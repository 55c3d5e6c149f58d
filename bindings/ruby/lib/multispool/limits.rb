# frozen_string_literal: true

require_relative "options"

module Multispool
  # From when on something is a problem. What is not given is the library's default.
  class Limits
    # The limits that are numbers of seconds.
    AGES = %i[max_checked_out_age max_tmp_file_age max_reservation_age].freeze
    private_constant :AGES

    # @return [Float] seconds since a checked-out entry may have been touched last; 600 by default
    attr_reader :max_checked_out_age
    # @return [Float] seconds that a temporary file may be old; 600 by default
    attr_reader :max_tmp_file_age
    # @return [Hash{String => Float}] seconds that an entry may wait in these queues; empty by default
    attr_reader :max_queue_ages
    # @return [Float] seconds that a reservation may be old whose name is in no queue; 600 by default
    attr_reader :max_reservation_age
    # @return [Integer] bytes that must be left on the file system; 16 MiB by default, 0 asks for none
    attr_reader :min_free_bytes
    # @return [Integer] files that there must be room for; 1,000 by default, 0 asks for none
    attr_reader :min_free_inodes

    # @param text [String] JSON, as from {#to_json}; what is left out has its default
    # @return [Limits]
    # @raise [InvalidArgumentError, InvalidNameError]
    def self.from_json(text)
      json = Bytes.json(text, "limits")
      owning(Call.handle(LimitsPointer) { |out, error| Native.limits_from_json(json, out, error) }.handle)
    end

    # @api private
    def self.owning(pointer)
      allocate.tap { |limits| limits.send(:take, pointer) }
    end

    # @param max_checked_out_age [Numeric, nil] in seconds, as all ages
    # @param max_tmp_file_age [Numeric, nil]
    # @param max_queue_ages [Hash{String, Symbol => Numeric}]
    # @param max_reservation_age [Numeric, nil]
    # @param min_free_bytes [Integer, nil]
    # @param min_free_inodes [Integer, nil]
    # @raise [InvalidArgumentError] a negative age
    # @raise [InvalidNameError]
    def initialize(max_checked_out_age: nil, max_tmp_file_age: nil, max_queue_ages: {}, max_reservation_age: nil,
                   min_free_bytes: nil, min_free_inodes: nil)
      pointer = Call.handle(LimitsPointer) { |out, error| Native.limits_new(out, error) }.handle
      { max_checked_out_age:, max_tmp_file_age:, max_reservation_age: }.compact.each do |name, seconds|
        set(pointer, :"#{name}_ms", Options.milliseconds(seconds))
      end
      { min_free_bytes:, min_free_inodes: }.compact.each { |name, number| set(pointer, name, number) }
      max_queue_ages.each do |queue, seconds|
        set(pointer, :max_queue_age_ms, Bytes.name(queue, "limits"), Options.milliseconds(seconds))
      end
      take(pointer)
    end

    # @return [String] in one line, for other languages too
    # @raise [InvalidArgumentError] a queue's name is not UTF-8
    def to_json(*)
      Bytes.text_of(Call.buffer { |out, error| Native.limits_to_json(@pointer, out, error) })
    end

    # @return [Boolean] whether all limits are the same
    def ==(other)
      other.is_a?(Limits) && other.to_h == to_h
    end
    alias eql? ==

    # @return [Integer]
    def hash
      to_h.hash
    end

    # @return [Hash]
    def to_h
      (AGES + %i[max_queue_ages min_free_bytes min_free_inodes]).to_h { |name| [name, public_send(name)] }
    end

    # The library's copy, which is never changed.
    # @api private
    attr_reader :pointer

    private

    def set(pointer, name, *values)
      Call.status { |error| Native.public_send(:"limits_set_#{name}", pointer, *values, error) }
    end

    def take(pointer)
      @pointer = pointer
      AGES.each do |name|
        instance_variable_set(:"@#{name}", Native.public_send(:"limits_#{name}_ms", pointer) / 1000.0)
      end
      @max_queue_ages = Array.new(Native.limits_queue_count(pointer)) do |at|
        [Bytes.text(Native.limits_queue(pointer, at)), Native.limits_max_queue_age_ms(pointer, at) / 1000.0]
      end.to_h.freeze
      @min_free_bytes = Native.limits_min_free_bytes(pointer)
      @min_free_inodes = Native.limits_min_free_inodes(pointer)
    end
  end
end
