# frozen_string_literal: true

require_relative "errors"

module Multispool
  # What each step on the disk goes through: the caller's own object, or nothing.
  # @api private
  class Throttle
    # @param gate [#call, nil] is given each step as a block, and calls it once
    def initialize(gate)
      @gate = gate
    end

    # Whether nothing is held up.
    def none?
      @gate.nil?
    end

    # Runs the block when the gate lets it.
    # @return [Object] the block's value
    def run
      return yield unless @gate

      entered = false
      value = nil
      @gate.call do
        next value if entered

        entered = true
        value = yield
      end
      return value if entered

      raise InvalidArgumentError, "The throttle returned without having called its block: " \
                                  "a throttle must call each block once"
    end

    # Where nothing is to be held up.
    NONE = new(nil).freeze
  end

  private_constant :Throttle
end
