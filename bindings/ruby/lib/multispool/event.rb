# frozen_string_literal: true

require_relative "problem"

module Multispool
  # A problem that came or went.
  # @!attribute [r] kind
  #   @return [:start, :end]
  # @!attribute [r] time
  #   @return [Time] when the check was made that showed it
  # @!attribute [r] problem
  #   @return [Problem]
  Event = Struct.new(:kind, :time, :problem) do
    include Comparable

    # @param pointer [FFI::AutoPointer] freed here
    # @api private
    def self.take(pointer)
      number = Native.event_kind(pointer)
      new({ 1 => :start, 2 => :end }.fetch(number, number), Time.at(0, Native.event_time_ns(pointer), :nsec),
          Problem.new(Native.event_problem(pointer), 0)).freeze
    ensure
      pointer.free
    end

    # Starts come before ends, then by time and problem, as in the original implementation.
    def <=>(other)
      return nil unless other.is_a?(Event)

      [kind == :start ? 0 : 1, time, problem] <=> [other.kind == :start ? 0 : 1, other.time, other.problem]
    end

    # @return [String] a line for people
    def to_s
      "#{kind}: #{problem}"
    end
  end
end
